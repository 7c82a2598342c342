import { groupByKey } from "./group-rows";
import { inPieces } from "./pieces";

/** Whether the low word of a double comes first in memory, as on all machines that this package has binaries for. */
const LOW_FIRST = new Uint32Array(Float64Array.of(1).buffer)[0] === 0;

/**
 * The places of times in ascending order; those of equal times stay in theirs.
 * @param times - From 0 on: the order of such doubles is that of their bits.
 */
export async function orderOfTimes(times: Float64Array, signal: AbortSignal | undefined): Promise<Int32Array> {
  const words = new Uint32Array(times.buffer, times.byteOffset, 2 * times.length);
  const low = new Uint32Array(times.length);
  const high = new Uint32Array(times.length);
  await inPieces(times.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) {
      low[i] = words[2 * i + (LOW_FIRST ? 0 : 1)]!;
      high[i] = words[2 * i + (LOW_FIRST ? 1 : 0)]!;
    }
  });
  return (await groupByKey({ low, high }, signal)).rows;
}
