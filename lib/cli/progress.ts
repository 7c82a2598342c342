import { formatProgress, type EpochReport, type TrainProgress } from "../index";
import { progressTexts } from "../training";
import type { Messages } from "./messages";
import { metricsText } from "./report";

/** Shows how training goes on. */
export interface ProgressView {
  onProgress(progress: TrainProgress): void;
  onEpoch(report: EpochReport): void;
}

/** A bar on a terminal, else lines, which a log file keeps. */
export function progressView(messages: Messages): ProgressView {
  return messages.canDraw ? new ProgressBar(messages) : new ProgressLines(messages);
}

/** What stays of an epoch. */
function epochLine(progress: TrainProgress, { validation }: EpochReport): string {
  return formatProgress(progress) + (validation === undefined ? "" : `  ${metricsText(validation)}`);
}

const MINUTE = 60_000;

/** One line an epoch, with its validation; within an epoch one a minute at most. */
export class ProgressLines implements ProgressView {
  #last: TrainProgress | undefined;
  #printed: number;

  /** @param now - Milliseconds. */
  constructor(
    private readonly messages: Messages,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#printed = now();
  }

  onProgress(progress: TrainProgress): void {
    this.#last = progress;
    if (!progress.epochDone && this.now() - this.#printed >= MINUTE) this.#print(formatProgress(progress));
  }

  onEpoch(report: EpochReport): void {
    this.#print(epochLine(this.#last!, report));
  }

  #print(line: string): void {
    this.messages.note(line);
    this.#printed = this.now();
  }
}

const CYAN = "\x1b[36m";
const USUAL_COLOUR = "\x1b[39m";
const WIDEST_BAR = 30;
const NARROWEST_BAR = 8;
/** Of a terminal that does not say. */
const USUAL_COLUMNS = 80;

/** What a narrow terminal keeps, first things first. */
const BY_IMPORTANCE = ["epoch", "percent", "loss", "left", "events", "miniBatches"] as const;

/** As much of {@link formatProgress} as `room` columns hold, in whole parts; the epoch at least. */
function fittingText(progress: TrainProgress, room: number): string {
  const texts = Object.entries(progressTexts(progress));
  const kept: string[] = [...BY_IMPORTANCE];
  const line = () => texts.filter(([name]) => kept.includes(name)).map(([, text]) => text).join("  "); // prettier-ignore
  while (kept.length > 1 && line().length > room) kept.pop();
  return line();
}

/** One line that is redrawn in its place, with a bar as wide as there is room for; the line of each epoch stays. */
export class ProgressBar implements ProgressView {
  #last: TrainProgress | undefined;

  constructor(private readonly messages: Messages) {}

  onProgress(progress: TrainProgress): void {
    this.#last = progress;
    this.messages.draw(this.#line(progress));
  }

  onEpoch(report: EpochReport): void {
    this.messages.note(epochLine(this.#last!, report));
  }

  #line(progress: TrainProgress): string {
    const { stream } = this.messages;
    // A full last column would make some terminals begin a new line.
    const room = (stream.columns || USUAL_COLUMNS) - 1;
    const text = fittingText(progress, room - NARROWEST_BAR - 2);
    const width = Math.min(room - text.length - 2, WIDEST_BAR);
    if (width < NARROWEST_BAR) return text.slice(0, room);
    const done = Math.round((width * progress.events) / Math.max(progress.totalEvents, 1));
    const [full, empty] = ["█".repeat(done), "░".repeat(width - done)];
    // hasColors() heeds NO_COLOR.
    return `${stream.hasColors() ? `${CYAN}${full}${USUAL_COLOUR}` : full}${empty}  ${text}`;
  }
}
