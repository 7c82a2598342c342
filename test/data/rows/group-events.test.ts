import type { EventColumns } from "../../../lib/data/rows/event-columns";
import { groupEvents } from "../../../lib/data/rows/group-events";
import { KeyNumbering } from "../../../lib/data/rows/key-numbering";
import { highOf } from "../../../lib/data/rows/keys";
import { expectFailure } from "../../support/errors";
import { randomIntegers } from "../../support/random";

type Key = readonly [high: number, low: number];

const random = randomIntegers(6);
const random32 = () => random(2 ** 16) * 2 ** 16 + random(2 ** 16);

/** Events of sessions that `draw` draws, in blocks of `rows`; each item is the event's place, so that all differ. */
function drawEvents(count: number, rows: number, draw: () => Key): EventColumns[] {
  const blocks: EventColumns[] = [];
  for (let first = 0; first < count; first += rows) {
    const size = Math.min(rows, count - first);
    const drawn = Array.from({ length: size }, draw);
    blocks.push({
      keys: {
        low: Uint32Array.from(drawn, ([, low]) => low),
        high: Uint32Array.from(drawn, ([high]) => high),
      },
      items: Int32Array.from({ length: size }, (_, i) => first + i),
      times: Float64Array.from({ length: size }, () => random(50) / 2),
    });
  }
  return blocks;
}

/** The same by the library's sort. */
function reference(blocks: readonly EventColumns[]) {
  const events = blocks.flatMap(({ keys, items, times }) =>
    Array.from(items, (item, i) => ({ high: highOf(keys, i), low: keys.low[i]!, time: times[i]!, item })),
  );
  events.sort((a, b) => a.high - b.high || a.low - b.low || a.time - b.time || a.item - b.item);
  const starts = events.flatMap(({ high, low }, i) =>
    i === 0 || high !== events[i - 1]!.high || low !== events[i - 1]!.low ? [i] : [],
  );
  return { events, starts };
}

const same = (a: ArrayLike<number>, b: readonly number[]) =>
  a.length === b.length && b.every((value, i) => a[i] === value);

test.each<[what: string, count: number, rows: number, draw: () => Key]>([
  ["one event", 1, 10, () => [7, 9]],
  ["one session", 300, 100, () => [7, 0xffffffff]],
  ["a few sessions", 1000, 64, () => [0, random(40)]],
  ["numbers", 150_000, 40_000, () => [0x80000000, 5_000_000 + random(30_000)]],
  ["numbers with negative ones", 100_000, 40_000, () => { const id = random(2000) - 1000; return [id < 0 ? 0x7fffffff : 0x80000000, id >>> 0]; }],
  ["hashes", 100_000, 33_333, () => [random32(), random(3)]],
  ["events of which most are in one part of keys", 600_000, 200_000, () => random(100_000) === 0 ? [0xffffffff, 1] : [0, random(100_000)]],
  ["a few sessions of very many events", 600_000, 600_000, () => [0, random(500) === 0 ? 1 : 2]],
])("%s: as the library sorts them", async (_, count, rows, draw) => {
  const blocks = drawEvents(count, rows, draw);
  const { events, starts } = reference(blocks);
  const grouped = await groupEvents(blocks, undefined);
  expect(same(grouped.items, events.map(({ item }) => item))).toBe(true);
  expect(same(grouped.times, events.map(({ time }) => time))).toBe(true);
  expect(same(grouped.offsets, [...starts, count])).toBe(true);
  expect(same(grouped.keys.low, starts.map((i) => events[i]!.low))).toBe(true);
  expect(starts.every((i, session) => highOf(grouped.keys, session) === events[i]!.high)).toBe(true);
}); // prettier-ignore

test("an abort is heard", async () => {
  const controller = new AbortController();
  const blocks = drawEvents(600_000, 600_000, () => [0, random(10_000)]);
  setImmediate(() => controller.abort());
  await expectFailure(() => groupEvents(blocks, controller.signal), "ERR_ABORTED", "aborted");
});

test("keys are numbered in the order of their first appearance, and forgotten when that is asked for", () => {
  const numbering = new KeyNumbering();
  for (let round = 0; round < 2; ++round) {
    const numbers = new Map<string, number>();
    for (let i = 0; i < 20_000; ++i) {
      const [high, low] = [random(3) * 0x7fffffff, random32() & 0xfff00fff];
      const number = numbers.get(`${high} ${low >>> 0}`) ?? numbers.size;
      numbers.set(`${high} ${low >>> 0}`, number);
      expect(numbering.numberOf(low >>> 0, high)).toBe(number);
    }
    const keys = numbering.keys();
    expect(Array.from(keys.low, (low, i) => `${highOf(keys, i)} ${low}`)).toEqual([...numbers.keys()]);
    numbering.clear();
  }
});
