import type { EvaluationData, Vocabulary } from "../data";
import { checkInteger, expected, Gru4RecError } from "../errors";
import { checkTies, DEFAULT_BATCH_SIZE, evaluateModel, type Metrics, type Ties } from "../evaluation";
import type { NativeModel } from "../native";
import type { ValidationReport } from "./epoch-report";

/** Which accuracy decides, such as `recall@20`. Higher is better. */
export type ValidationMetric = `recall@${number}` | `mrr@${number}`;

/** How to validate. */
export interface ValidationSettings {
  /** Accuracy that decides which epoch is the best. Default `recall@20`, or of all items where there are fewer. */
  readonly metric?: ValidationMetric | undefined;
  /** Epochs between two measurements, at least 1; the last epoch is always measured. Default 1. */
  readonly every?: number | undefined;
  /** Measurements in a row without a better one, at least 1, after which training stops. Default: never stop early. */
  readonly patience?: number | undefined;
  /** How a target ranks among items of its score. Default `conservative`. */
  readonly ties?: Ties | undefined;
}

const METRIC = /^(recall|mrr)@([1-9]\d{0,8})$/;
const DEFAULT_METRIC: ValidationMetric = "recall@20";

/** Measures a model after its epochs, and knows which was the best. */
export class Validation {
  readonly #metric: keyof Metrics;
  #k: number;
  readonly #given: ValidationMetric | undefined;
  readonly #every: number;
  readonly #patience: number;
  readonly #ties: Ties;
  #best = -Infinity;
  #failures = 0;

  /** @throws {@link Gru4RecError} `ERR_ARGUMENT` */
  constructor({ metric, every = 1, patience, ties = "conservative" }: ValidationSettings) {
    const match = METRIC.exec(metric ?? DEFAULT_METRIC);
    if (match === null) {
      const what = "recall@k or mrr@k, such as recall@20,";
      throw new Gru4RecError("ERR_ARGUMENT", expected("validation.metric", what, metric));
    }
    this.#given = metric;
    checkInteger("validation.every", every, 1, Number.MAX_SAFE_INTEGER);
    if (patience !== undefined) checkInteger("validation.patience", patience, 1, Number.MAX_SAFE_INTEGER);
    checkTies("validation.ties", ties);
    this.#metric = match[1] as keyof Metrics;
    this.#k = Number(match[2]);
    this.#every = every;
    this.#patience = patience ?? Infinity;
    this.#ties = ties;
  }

  /** @throws {@link Gru4RecError} `ERR_ARGUMENT` when the list of the metric asked for is longer than there are items. */
  checkItems({ size }: Vocabulary): void {
    if (this.#k <= size) return;
    if (this.#given !== undefined) {
      const what = `recall@k or mrr@k with k from 1 to ${size}`;
      throw new Gru4RecError("ERR_ARGUMENT", expected("validation.metric", what, this.#given));
    }
    this.#k = size;
  }

  /** @param epoch - From 1, of this training. */
  isDue(epoch: number, epochs: number): boolean {
    return epoch % this.#every === 0 || epoch === epochs;
  }

  /** Whether as many measurements as the patience allows were none better. */
  get exhausted(): boolean {
    return this.#failures >= this.#patience;
  }

  /** @returns What was measured, and whether it is the best so far. */
  async measure(
    model: NativeModel,
    data: EvaluationData,
    signal: AbortSignal | undefined,
  ): Promise<{ report: ValidationReport; isBest: boolean }> {
    const start = performance.now();
    const options = { lengths: [this.#k], ties: this.#ties, batchSize: DEFAULT_BATCH_SIZE, candidates: undefined };
    const { recall, mrr, targets } = await evaluateModel(model, data, options, signal);
    const report = { recall, mrr, targets, seconds: (performance.now() - start) / 1000 };
    const value = report[this.#metric][this.#k]!;
    const isBest = value > this.#best;
    if (isBest) this.#best = value;
    this.#failures = isBest ? 0 : this.#failures + 1;
    return { report, isBest };
  }
}
