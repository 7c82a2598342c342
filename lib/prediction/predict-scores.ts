import { indicesOf, packSessions, type ItemId, type SessionItems, type Vocabulary } from "../data";
import { runNative, type NativeModel } from "../native";

export interface PredictOptions {
  /** Items to score, a column each, in their order. Default all items by index. */
  readonly items?: ArrayLike<ItemId> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Scores of all or the given items as the next event of each session: [sessions, items], row-major. */
export async function predictScores(
  model: NativeModel,
  vocabulary: Vocabulary,
  sessions: readonly SessionItems[],
  { items, signal }: PredictOptions,
): Promise<Float32Array> {
  const packed = packSessions(vocabulary, sessions);
  const columns = items && indicesOf(vocabulary, items, "items");
  return runNative(signal, (cancellation) => model.predict(packed.sessions, columns, cancellation));
}
