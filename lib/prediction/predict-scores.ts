import { indicesOf, isList, packSessions, type ItemId, type SessionItems, type Vocabulary } from "../data";
import { checkOptions, expected, Gru4RecError, namesOf } from "../errors";
import { runNative, type NativeModel } from "../native";

/** Which items to score. */
export interface PredictOptions<Id extends ItemId = ItemId> {
  /** Items to score, a column each, in their order. Default all items by index. */
  readonly items?: ArrayLike<Id> | undefined;
  /** Stops the call within 100 ms, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

const PREDICT_OPTIONS = namesOf<PredictOptions>({ items: true, signal: true });

/** Scores of all or the given items as the next event of one session, or of each of several: [sessions, items]. */
export async function predictScores(
  model: NativeModel,
  vocabulary: Vocabulary,
  input: SessionItems | readonly SessionItems[],
  options: PredictOptions,
): Promise<Float32Array> {
  if (!isList(input))
    throw new Gru4RecError("ERR_ARGUMENT", expected("sessions", "an array of sessions or of item ids", input));
  checkOptions(options, PREDICT_OPTIONS);
  const { items, signal } = options;
  const several = isList(input[0]) || (Array.isArray(input) && input.length === 0);
  const { sessions } = several
    ? packSessions(vocabulary, input as readonly SessionItems[])
    : packSessions(vocabulary, [input as SessionItems], () => "session");
  const columns = items === undefined ? undefined : indicesOf(vocabulary, items, "items");
  return runNative(signal, (cancellation) => model.predict(sessions, columns, cancellation));
}
