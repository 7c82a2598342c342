import { indexSetOf, type EvaluationData, type ItemId, type Vocabulary } from "../data";
import { checkInteger, expected, Gru4RecError, namesOf } from "../errors";
import { runNative, type NativeModel, type NativeTies } from "../native";
import { checkListLengths, metricsOf, type ListLengths, type Metrics } from "./metrics";

/**
 * How a target ranks among candidates of its score: `standard` before them, `conservative` behind them, `median` in the
 * middle.
 */
export type Ties = NativeTies;

/** What to measure, and how. */
export interface EvaluateOptions {
  /** List lengths to measure at, each from 1 to the number of items. Default 20. */
  readonly k?: ListLengths | undefined;
  /** Default `conservative`. */
  readonly ties?: Ties | undefined;
  /** Candidates besides the target itself. Default all items. */
  readonly items?: ArrayLike<ItemId> | undefined;
  /** Sessions walked in parallel; matters for speed alone. Default 512. */
  readonly batchSize?: number | undefined;
  /** Stops the call within 100 ms, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

export const EVALUATE_OPTIONS = namesOf<EvaluateOptions>({
  k: true,
  ties: true,
  items: true,
  batchSize: true,
  signal: true,
});

/** Accuracy of next-item prediction. */
export interface Evaluation extends Metrics {
  /** Events predicted: all but the first of each session. */
  readonly targets: number;
  /** Sessions with two known events or more. */
  readonly sessions: number;
  /** Events removed because the model does not know their item. */
  readonly skippedEvents: number;
  /** How a target ranked among candidates of its score. */
  readonly ties: Ties;
}

export const DEFAULT_BATCH_SIZE = 512;
const LARGEST_BATCH_SIZE = 65_536;
export const TIES: readonly Ties[] = ["standard", "conservative", "median"];

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` */
export function checkTies(name: string, ties: Ties): void {
  if (!TIES.includes(ties)) throw new Gru4RecError("ERR_ARGUMENT", expected(name, `one of ${TIES.join(", ")}`, ties));
}

/** Checks options before the data is read. @throws {@link Gru4RecError} `ERR_ARGUMENT` */
export function checkEvaluateOptions(options: EvaluateOptions, vocabulary: Vocabulary) {
  const { ties = "conservative", batchSize = DEFAULT_BATCH_SIZE, items } = options;
  checkTies("ties", ties);
  checkInteger("batchSize", batchSize, 1, LARGEST_BATCH_SIZE);
  const candidates = items === undefined ? undefined : indexSetOf(vocabulary, items, "items");
  return { lengths: checkListLengths(options.k, vocabulary.size), ties, batchSize, candidates };
}

/** Ranks every target of `data` with one pass and measures at all list lengths. */
export async function evaluateModel(
  model: NativeModel,
  { sessions, skippedEvents }: EvaluationData,
  { lengths, ties, batchSize, candidates }: ReturnType<typeof checkEvaluateOptions>,
  signal: AbortSignal | undefined,
): Promise<Evaluation> {
  const ranks = await runNative(signal, (cancellation) =>
    model.evaluate(sessions, { ties, batchSize, ...(candidates && { candidates }) }, cancellation),
  );
  const count = sessions.offsets.length - 1;
  return { ...metricsOf(ranks, lengths), targets: ranks.length, sessions: count, skippedEvents, ties };
}
