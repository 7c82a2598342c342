import { giveTurn } from "../turns";
import { eventsBetween, type EventColumns } from "./event-columns";
import { highOf } from "./keys";

/** Events in parts, in the order of their keys; those of a part are in the order of the input. */
export interface DealtEvents {
  readonly columns: EventColumns;
  /** [parts + 1] where each part begins, and the end */
  readonly starts: Int32Array;
}

/** Most parts: memory is written slowly in many places at a time. */
const MOST_PARTS = 512;
/** Events of a part, where there are not too many parts: what a processor's own cache holds while they are sorted. */
const EVENTS_OF_PART = 1 << 15;

/** Events after which others may have their turn. */
const EVENTS_OF_TURN = 1 << 17;

/** A stretch of the values of a word. */
interface Range {
  readonly least: number;
  readonly most: number;
}

/**
 * Deals events by the uppermost bits in which their sessions' keys differ.
 * @param given - Blocks of the input, in its order.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function dealEvents(
  given: readonly EventColumns[],
  signal: AbortSignal | undefined,
): Promise<DealtEvents> {
  const blocks = given.flatMap(cut);
  const count = blocks.reduce((sum, { items }) => sum + items.length, 0);
  const highs = await rangeOf(blocks, "high", signal);
  const byHigh = highs.most > highs.least;
  const word = byHigh ? "high" : "low";
  const { least, most } = byHigh ? highs : await rangeOf(blocks, "low", signal);
  const parts = Math.min(MOST_PARTS, Math.max(1, count / EVENTS_OF_PART));
  let shift = 0; // 31 at most, as there may be one part and the first bit of a word makes two
  while ((most - least) >>> shift > parts) ++shift;

  const next = new Int32Array(((most - least) >>> shift) + 1);
  for (const { keys } of blocks) {
    const values = keys[word] as Uint32Array;
    await giveTurn(signal);
    for (let i = 0; i < values.length; ++i) ++next[(values[i]! - least) >>> shift]!;
  }
  const starts = new Int32Array(next.length + 1);
  next.forEach((events, part) => {
    starts[part + 1] = starts[part]! + events;
    next[part] = starts[part]!;
  });

  const columns = {
    keys: { low: new Uint32Array(count), high: byHigh ? new Uint32Array(count) : highs.least },
    items: new Int32Array(count),
    times: new Float64Array(count),
  };
  const { low, high } = columns.keys;
  for (const block of blocks) {
    const values = block.keys[word] as Uint32Array;
    await giveTurn(signal);
    for (let i = 0; i < values.length; ++i) {
      const place = next[(values[i]! - least) >>> shift]!++;
      low[place] = block.keys.low[i]!;
      if (typeof high !== "number") high[place] = highOf(block.keys, i);
      columns.items[place] = block.items[i]!;
      columns.times[place] = block.times[i]!;
    }
  }
  return { columns, starts };
}

/** A block as some that take a few milliseconds each. */
function cut(block: EventColumns): EventColumns[] {
  const events = block.items.length;
  return Array.from({ length: Math.ceil(events / EVENTS_OF_TURN) }, (_, i) =>
    eventsBetween(block, i * EVENTS_OF_TURN, Math.min((i + 1) * EVENTS_OF_TURN, events)),
  );
}

async function rangeOf(
  blocks: readonly EventColumns[],
  word: "low" | "high",
  signal: AbortSignal | undefined,
): Promise<Range> {
  let [least, most] = [0xffffffff, 0];
  for (const { keys } of blocks) {
    const own = keys[word];
    const values = typeof own === "number" ? Uint32Array.of(own) : own;
    await giveTurn(signal);
    for (let i = 0; i < values.length; ++i) {
      if (values[i]! < least) least = values[i]!;
      if (values[i]! > most) most = values[i]!;
    }
  }
  return { least, most };
}
