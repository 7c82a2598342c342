import type { NativeProgress } from "../native";

/** How far training is. */
export interface TrainProgress {
  /** From 1. */
  readonly epoch: number;
  /** Epochs in all. */
  readonly epochs: number;
  /** Mini-batches of the epoch so far. */
  readonly step: number;
  /** Pairs of an event and its next one trained in the epoch so far. */
  readonly events: number;
  /** Pairs of the whole epoch. */
  readonly totalEvents: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  /** In the epoch so far. */
  readonly miniBatchesPerSecond: number;
  /** Pairs a second in the epoch so far. */
  readonly eventsPerSecond: number;
  /** Estimate of the time until the last epoch ends. */
  readonly secondsLeft: number;
  /** Whether the epoch is over. */
  readonly epochDone: boolean;
}

/** Makes progress reports of what the epochs tell. Rates are those of the epoch under way. */
export class ProgressMeter {
  constructor(private readonly epochs: number) {}

  progress(epoch: number, native: NativeProgress, epochDone: boolean): TrainProgress {
    const { steps, events, totalEvents, loss, seconds } = native;
    const eventsPerSecond = seconds > 0 ? events / seconds : 0;
    const eventsLeft = (epochDone ? 0 : totalEvents - events) + (this.epochs - epoch) * totalEvents;
    return {
      epoch,
      epochs: this.epochs,
      step: steps,
      events,
      totalEvents,
      loss,
      miniBatchesPerSecond: seconds > 0 ? steps / seconds : 0,
      eventsPerSecond,
      secondsLeft: eventsLeft === 0 ? 0 : eventsLeft / eventsPerSecond,
      epochDone,
    };
  }
}

function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.ceil(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** What there is to say of the progress, each as a short text. */
export function progressTexts(progress: TrainProgress) {
  const { epoch, epochs, events, totalEvents, loss } = progress;
  const rate = (value: number) => Math.round(value).toLocaleString("en-US");
  return {
    epoch: `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`,
    percent: `${String(Math.floor((100 * events) / Math.max(totalEvents, 1))).padStart(3)} %`,
    loss: `loss ${loss.toFixed(4)}`,
    miniBatches: `${rate(progress.miniBatchesPerSecond)} mini-batches/s`,
    events: `${rate(progress.eventsPerSecond)} events/s`,
    left: `${formatDuration(progress.secondsLeft)} left`,
  };
}

/** One line: epoch, loss, mini-batches/s, events/s and time left. */
export function formatProgress(progress: TrainProgress): string {
  return Object.values(progressTexts(progress)).join("  ");
}
