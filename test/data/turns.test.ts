import fc from "fast-check";
import { inspect, prepare, prepareWindows, readEvents, splitByTime, splitLastSessions, type EventLog } from "../../lib";
import { pickIds } from "../../lib/data/ids";
import { PackedText } from "../../lib/data/packed-text";
import { copyInTurns, inTurns, inTurnsOfSessions, sortInTurns } from "../../lib/data/turns";
import { failureOf } from "../support/errors";
import { randomIntegers } from "../support/random";

jest.setTimeout(120_000); // seconds, unless other tests take the cores

test("numbers are sorted as the library sorts them, equal ones in their order", async () => {
  const random = randomIntegers(1);
  for (const count of [0, 1, 2, 2047, 2048, 2049, 4096, 5000, 20_001]) {
    for (const different of [1, 7, 1_000_000]) {
      const keys = Int32Array.from({ length: count }, () => random(different));
      const compare = (a: number, b: number) => keys[a]! - keys[b]!;
      const numbers = Int32Array.from(keys, (_, i) => i);
      const expected = Int32Array.from(numbers).sort(compare);
      await sortInTurns(numbers, compare, undefined);
      expect(numbers).toEqual(expected);
    }
  }
});

test("stretches of sessions are all sessions in their order, also of those that have no event or very many", async () => {
  const length = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1000, max: 9000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (lengths, last) => {
      const offsets = Int32Array.of(0, ...lengths, last);
      for (let s = 1; s < offsets.length; ++s) offsets[s]! += offsets[s - 1]!;
      const seen: number[] = [];
      await inTurnsOfSessions(offsets, undefined, (from, to) => {
        for (let s = from; s < to; ++s) seen.push(s);
        offsets.fill(-1, 0, to + 1); // as one that writes over what it is through with
      });
      expect(seen).toEqual([...lengths, last].map((_, s) => s));
    }),
  );
});

test("copies and picks of ids are what they are of", async () => {
  const times = Float64Array.from({ length: 10_000 }, (_, i) => i / 3);
  expect(await copyInTurns(times, undefined)).toEqual(times);
  const texts = ["", "é", "𝄞 clef", "tea"];
  const places = Int32Array.of(3, 1, 3, 2, 0);
  for (const from of [texts, PackedText.of(texts)]) {
    const picked = await pickIds(from, places, "string", undefined);
    expect(Array.from({ length: picked.length }, (_, i) => picked.at(i))).toEqual(["tea", "é", "tea", "𝄞 clef", ""]);
  }
  expect(await pickIds([1, 2], Int32Array.of(1), "number", undefined)).toEqual(Float64Array.of(2));
  expect(await pickIds([1n, 2n], Int32Array.of(1, 0), "bigint", undefined)).toEqual(BigInt64Array.of(2n, 1n));
});

/** Two million events. */
const [SESSIONS, LENGTH, ITEMS] = [500_000, 4, 50_000];

function makeColumns() {
  const random = randomIntegers(2);
  const events = SESSIONS * LENGTH;
  const columns = {
    sessionId: new Float64Array(events),
    itemId: new Int32Array(events),
    time: new Float64Array(events),
  };
  for (let event = 0; event < events; ++event) {
    columns.sessionId[event] = random(SESSIONS);
    columns.itemId[event] = Math.floor(random(ITEMS) ** 2 / ITEMS);
    columns.time[event] = 1.7e9 + columns.sessionId[event]! * 10 + random(3000);
  }
  return columns;
}

const columns = makeColumns();
let log: EventLog;
beforeAll(async () => {
  log = await readEvents(columns);
});

const PREPARATION = {
  from: 1.7e9 + 1000,
  sessionGap: 600,
  removeRepeats: true,
  minItemSupport: 5,
  minSessionLength: 2,
  test: { lastTime: 86_400, by: "start", straddling: "cut" },
  validation: { lastFraction: 0.1 },
  recentFraction: 0.5,
} as const;

/** Milliseconds of a call, and of the longest time in which a timer of it did not have its turn. */
async function pausesOf(call: () => Promise<unknown>): Promise<{ longest: number; total: number }> {
  const start = performance.now();
  let [last, longest] = [start, 0];
  const look = () => {
    const now = performance.now();
    [longest, last] = [Math.max(longest, now - last), now];
  };
  const timer = setInterval(look, 1);
  await call();
  look();
  clearInterval(timer);
  return { longest, total: last - start };
}

/** What a wait may be on a machine that others keep busy; on a quiet one it is a tenth of it. */
const LONGEST_WAIT = 250;

/**
 * Nobody waits for longer, or than half of the whole where the machine is so busy that all takes long; work that gives no
 * turn is the whole. One of five tries is enough: others may take the core from any.
 */
async function expectShortPauses(call: () => Promise<unknown>): Promise<void> {
  const excess: number[] = [];
  for (let tries = 0; tries < 5; ++tries) {
    const { longest, total } = await pausesOf(call);
    excess.push(longest - Math.max(LONGEST_WAIT, total / 2));
    if (excess.at(-1)! <= 0) return;
  }
  expect(Math.min(...excess)).toBeLessThanOrEqual(0);
}

test.each<[string, () => Promise<unknown>]>([
  ["inspect", () => inspect(log)],
  ["prepare", () => prepare(log, PREPARATION)],
  ["prepareWindows", () => prepareWindows(log, { windows: { count: 2 }, minSessionLength: 2, test: { lastSessions: 9 } })],
  ["splitByTime", () => splitByTime(log, 86_400)],
  ["splitLastSessions", () => splitLastSessions(log, 1000)],
  ["readEvents of columns", () => readEvents(columns)],
])("others have their turn while %s works on two million events", async (_, call) => {
  await expectShortPauses(call);
}); // prettier-ignore

test("an abort by a timer is heard at once, whenever it comes", async () => {
  const { total } = await pausesOf(() => prepare(log, PREPARATION));
  for (const share of [0.1, 0.3, 0.6]) {
    const late: number[] = [];
    do {
      const controller = new AbortController();
      const due = performance.now() + total * share;
      const timer = setTimeout(() => controller.abort(), total * share);
      const outcome = prepare(log, { ...PREPARATION, signal: controller.signal }).then(
        () => "over before", // the machine was busier when the time was taken
        (error: unknown) => failureOf(() => Promise.reject(error as Error)).then(({ code }) => code),
      );
      expect(["ERR_ABORTED", "over before"]).toContain(await outcome);
      clearTimeout(timer);
      late.push(performance.now() - due);
    } while (late.at(-1)! > LONGEST_WAIT && late.length < 3);
    expect(Math.min(...late)).toBeLessThan(LONGEST_WAIT);
  }
});

test("many short calls give others their turn, too", async () => {
  let turns = 0;
  const timer = setInterval(() => ++turns, 1);
  const end = performance.now() + 200;
  while (performance.now() < end) await inTurns(1000, undefined, () => undefined);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(4);
});
