import fc from "fast-check";
import { prepare, prepareWindows, readEvents, type EventLog, type HoldOut, type PrepareOptions } from "../../../lib";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";
import { NothingLeft, prepareReference, type Session } from "./reference";

const folder = temporaryFolder();

/** Sessions as text: id, then item@seconds of each event. */
const textOf = ({ sessionIds, itemIds, items, times, offsets }: EventLog) =>
  Array.from({ length: sessionIds.length }, (_, s) => {
    const events = Array.from(items.subarray(offsets[s], offsets[s + 1]), (item, i) => `${itemIds[item]}@${times[offsets[s]! + i]}`); // prettier-ignore
    return `${String(sessionIds.at(s))}: ${events.join(" ")}`;
  });
const textOfReference = (sessions: readonly Session[]) =>
  sessions.map(({ id, clicks }) => `${id}: ${clicks.map(({ item, ms }) => `${item}@${ms / 1000}`).join(" ")}`);

/** Columns of lines such as `1 a 10 view`: session, item, seconds and type. */
function columnsOf(lines: string) {
  const rows = lines.trim().split("\n").map((line) => line.trim().split(" ")); // prettier-ignore
  return {
    sessionId: rows.map(([session]) => Number(session)),
    itemId: rows.map(([, item]) => item!),
    time: rows.map(([, , time]) => Number(time)),
    eventType: rows.map(([, , , type]) => type ?? "view"),
  };
}

const prepared = async (lines: string, options: PrepareOptions) => {
  const { train, validation, test } = await prepare(columnsOf(lines), options);
  return { train: textOf(train), ...(validation && { validation: textOf(validation) }), ...(test && { test: textOf(test) }) };
}; // prettier-ignore

const clicks = fc.array(
  fc.record({
    session: fc.integer({ min: 1, max: 6 }),
    item: fc.integer({ min: 1, max: 6 }),
    ms: fc.integer({ min: 0, max: 40 }).map((step) => 1_500_000_000_000 + step * 250),
    type: fc.constantFrom("view", "cart"),
  }),
  { minLength: 1, maxLength: 80, size: "max" },
);
const seconds = fc.integer({ min: 1, max: 40 }).map((step) => step * 0.25);
const instant = fc.integer({ min: 0, max: 40 }).map((step) => 1_500_000_000 + step * 0.25);
/** Not there more often than not: options one by one and a few together. */
const maybe = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const holdOut: fc.Arbitrary<HoldOut> = fc.tuple(
  fc.oneof(
    fc.record({ lastTime: fc.constantFrom(1, 2.5, 5), end: maybe(instant) }),
    fc.record({ lastSessions: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ lastFraction: fc.constantFrom(0.2, 0.5, 0.9) }),
  ),
  fc.record({ by: maybe(fc.constantFrom("start" as const, "end" as const)), straddling: maybe(fc.constantFrom("cut" as const, "drop" as const, "keep" as const)) }),
).map(([what, how]) => ({ ...what, ...how })); // prettier-ignore
const anyOptions: fc.Arbitrary<PrepareOptions> = fc
  .record({
    from: maybe(fc.constantFrom(1_500_000_001, 1_500_000_000.5)),
    to: maybe(fc.constantFrom(1_500_000_009, 1_500_000_008.25)),
    sessionGap: maybe(seconds),
    eventTypes: maybe(fc.constantFrom(["view"], ["view", "cart"])),
    removeRepeats: fc.boolean(),
    minItemSupport: fc.constantFrom(1, 1, 2, 5),
    minSessionLength: fc.constantFrom(1, 1, 2, 3),
    untilStable: fc.boolean(),
    test: fc.option(holdOut, { nil: undefined }),
    recentFraction: maybe(fc.constantFrom(0.3, 0.8)),
    removeUnknownItems: maybe(fc.boolean()),
    validation: maybe(fc.oneof(holdOut, fc.constant(true))),
  })
  .map((options) =>
    options.test === undefined && options.validation === true ? { ...options, validation: false } : options,
  );

test("any log with any options: the same as preparing objects", async () => {
  let done = 0;
  await fc.assert(
    fc.asyncProperty(clicks, anyOptions, async (log, options) => {
      const data = {
        sessionId: log.map(({ session }) => session),
        itemId: log.map(({ item }) => item),
        time: log.map(({ ms }) => ms),
        eventType: log.map(({ type }) => type),
      };
      let expected;
      try {
        expected = prepareReference(log, options);
      } catch (error) {
        if (!(error instanceof NothingLeft)) throw error;
        await expectFailure(() => prepare(data, options), "ERR_DATA", /but received none$/);
        return;
      }
      const { train, validation, test, report } = await prepare(data, options);
      expect(textOf(train)).toEqual(textOfReference(expected.train!));
      for (const [part, received] of Object.entries({ validation, test }) as ["validation" | "test", EventLog?][]) {
        const wanted = expected[part];
        expect(received && textOf(received)).toEqual(wanted && textOfReference(wanted));
      }
      for (const [part, of] of Object.entries({ train, validation, test })) {
        if (of === undefined) continue;
        expect(of).toEqual({ ...(await readEvents(toColumns(of))), itemIds: of.itemIds, items: of.items });
        const counts = { events: of.items.length, sessions: of.offsets.length - 1, items: new Set(of.items).size };
        expect(counts).toEqual(report[part as "train"]);
        expect(of.itemIds).toHaveLength(counts.items);
      }
      ++done;
    }),
    { numRuns: 3000, seed: 6 },
  );
  expect(done).toBeGreaterThan(800); // the others leave nothing
}, 60_000); // much work where other tests take the cores

/** The events of a log as columns. */
function toColumns({ sessionIds, itemIds, items, times, offsets }: EventLog) {
  const sessionId: number[] = [];
  for (let s = 0; s + 1 < offsets.length; ++s)
    for (let e = offsets[s]!; e < offsets[s + 1]!; ++e) sessionId.push(sessionIds.at(s) as number);
  return { sessionId, itemId: Array.from(items, (item) => itemIds[item] as number), time: Array.from(times) };
}

const LINES = `
  1 a 10
  1 b 20 cart
  1 a 30
  1 c 45
  2 a 20
  2 a 40
  2 b 50
  3 b 60
  3 a 70`;

test("types: events of others are gone, but bridge a gap", async () => {
  // Session 1: a@10, (b@20), a@30: no step above 10 s; c@45 is 15 s later. Session 2: 20 s, then 10 s. Session 3: 10 s.
  const options = { sessionGap: 10, eventTypes: ["view"] };
  const train = ["1: a@10 a@30", "2: c@45", "3: a@20", "4: a@40 b@50", "5: b@60 a@70"];
  expect(await prepared(LINES, options)).toEqual({ train });
  // By their absence, a@10 and a@30 would be 20 s apart.
  const views = LINES.replace(/.*cart\n/, "");
  expect((await prepared(views, { sessionGap: 10 })).train).toEqual(["1: a@10", "2: a@30", ...train.slice(1).map((line) => line.replace(/^\d/, (id) => String(Number(id) + 1)))]); // prettier-ignore
});

test("types come from a column of a file, of columns, and from events", async () => {
  const { sessionId, itemId, time, eventType } = columnsOf(LINES);
  const rows = sessionId.map((session, i) => ({ session, item: eventType[i] === "cart" ? undefined : itemId[i]!, time: time[i]!, type: eventType[i]! })); // prettier-ignore
  const text = rows.map(({ session, item, time: t, type }) => [session, item ?? "", t, type].join("\t"));
  const file = folder.write("typed.tsv", `SessionId\tItemId\tTime\tkind\n${text.join("\n")}\n`);
  const options = { eventTypes: ["view"], sessionGap: 10, removeRepeats: true };
  const expected = await prepare(columnsOf(LINES), options);
  expect(await prepare(rows as never, options)).toEqual(expected);
  expect(await prepare(file, { ...options, columns: { eventType: "kind" } })).toEqual(expected);
  await expectFailure(() => prepare(file, options), "ERR_DATA", "EventType is missing; found: SessionId, ItemId, Time, kind; the option columns: { eventType:"); // prettier-ignore
  const bad = folder.write("bad.tsv", "SessionId\tItemId\tTime\tEventType\n1\t\t1\tcart\n1\t\t2\tview\n");
  await expectFailure(() => prepare(bad, options), "ERR_DATA", "ItemId on line 3 to be an id but received an empty field"); // prettier-ignore
  await expectFailure(() => prepare(rows.map((row) => ({ ...row, type: undefined })) as never, options), "ERR_DATA", "type of event 0 to be text"); // prettier-ignore
  await expectFailure(async () => prepare(await readEvents(columnsOf(LINES)), options), "ERR_ARGUMENT", "knows no types"); // prettier-ignore
  await expectFailure(() => prepare(columnsOf(LINES), { eventTypes: ["buy"] }), "ERR_DATA", "after the step event types"); // prettier-ignore
  const noType = folder.write("none.tsv", "SessionId\tItemId\tTime\tEventType\n1\tx\t1\tcart\n1\ty\t2\tcart\n");
  await expectFailure(() => prepare(noType, { eventTypes: ["buy"] }), "ERR_DATA", "after the step event types");
});

test("a gap of exactly the limit does not cut, in milliseconds of today either", async () => {
  const start = 1_442_541_600_123;
  const time = [start, start + 3_600_000, start + 7_200_001, start + 7_200_001];
  const { train } = await prepare({ sessionId: [1, 1, 1, 1], itemId: [1, 2, 3, 4], time }, { sessionGap: 3600 });
  expect(train.offsets).toEqual(Int32Array.of(0, 2, 4));
  const small = { sessionId: [1, 1], itemId: [1, 2], time: [0.1, 0.4] }; // 0.4 - 0.1 = 0.30000000000000004
  expect((await prepare(small, { sessionGap: 0.3 })).train.offsets).toEqual(Int32Array.of(0, 2));
});

test("the log that was given stays as it is", async () => {
  const log = await readEvents(columnsOf(LINES));
  const before = structuredClone({ ...log, sessionIds: [], itemIds: [] });
  await prepare(log, { sessionGap: 10, removeRepeats: true, minItemSupport: 2, test: { lastTime: 25 } });
  expect({ ...log, sessionIds: [], itemIds: [] }).toEqual(before);
});

test("the report says what each step removed", async () => {
  const { report } = await prepare(columnsOf(LINES), {
    removeRepeats: true,
    minItemSupport: 2,
    minSessionLength: 2,
    test: { lastTime: 15, straddling: "cut", by: "start" },
  });
  // Repeats: a@40. Items of one event: c. Border 70 - 15 = 55: session 3 starts at 60.
  expect(report).toEqual({
    input: { events: 9, sessions: 3, items: 3 },
    steps: [
      { step: "repeats", part: "all", removed: { events: 1, sessions: 0, items: 0 }, left: { events: 8, sessions: 3, items: 3 } },
      { step: "short sessions", part: "all", removed: { events: 0, sessions: 0, items: 0 }, left: { events: 8, sessions: 3, items: 3 } },
      { step: "rare items", part: "all", removed: { events: 1, sessions: 0, items: 1 }, left: { events: 7, sessions: 3, items: 2 } },
      { step: "short sessions", part: "all", removed: { events: 0, sessions: 0, items: 0 }, left: { events: 7, sessions: 3, items: 2 } },
      { step: "split", part: "test", removed: { events: 0, sessions: 0, items: 0 }, left: { events: 2, sessions: 1, items: 2 } },
    ],
    train: { events: 5, sessions: 2, items: 2 },
    test: { events: 2, sessions: 1, items: 2 },
  });
}); // prettier-ignore

describe("straddling sessions, border at 40", () => {
  const lines = "1 a 10\n1 b 20\n2 a 30\n2 b 40\n2 c 50\n3 a 45\n3 b 60";
  const rule = { lastTime: 20 };
  test.each<[HoldOut, string[], string[]]>([
    [{ ...rule, by: "end", straddling: "keep" }, ["1: a@10 b@20"], ["2: a@30 b@40 c@50", "3: a@45 b@60"]],
    [{ ...rule, by: "start", straddling: "keep" }, ["1: a@10 b@20", "2: a@30 b@40 c@50"], ["3: a@45 b@60"]],
    [{ ...rule, by: "end", straddling: "drop" }, ["1: a@10 b@20"], ["3: a@45 b@60"]],
    [{ ...rule, by: "end", straddling: "cut" }, ["1: a@10 b@20", "2: a@30"], ["2: b@40 c@50", "3: a@45 b@60"]],
    [{ ...rule, by: "start", straddling: "cut" }, ["1: a@10 b@20", "2: a@30"], ["3: a@45 b@60"]],
  ])("%j", async (holdOutRule, train, test) => {
    expect(await prepared(lines, { test: holdOutRule })).toEqual({ train, test });
  });
});

test("windows: each is prepared as a log of its own, spread evenly", async () => {
  // 10 … 70: three windows of 20 s begin at 10, 30 and 50; the last event, at 70, belongs to the last one.
  const windows = await prepareWindows(columnsOf(LINES), { windows: { count: 3 }, minSessionLength: 2 });
  expect(windows.map(({ train }) => textOf(train))).toEqual([["1: a@10 b@20"], ["1: a@30 c@45"], ["3: b@60 a@70"]]);
  // Two of 40 s: from 10 and, as the last one ends with the log, from 30.
  const wide = await prepareWindows(columnsOf(LINES), { windows: { count: 2, length: 40 }, test: { lastSessions: 1 } });
  expect(wide.map(({ train, test }) => [textOf(train), textOf(test!)])).toEqual([
    [["2: a@20 a@40"], ["1: a@10 b@20 a@30 c@45"]],
    [["1: a@30 c@45", "2: a@40 b@50"], ["3: b@60"]],
  ]);
});

test("an abort is heard", async () => {
  const log = await readEvents(columnsOf(LINES));
  await expectFailure(() => prepare(log, { signal: AbortSignal.abort() }), "ERR_ABORTED", "aborted");
});

test.each<[object, string]>([
  [{ sessionGap: 0 }, "Expected sessionGap to be a number above 0 but received 0"],
  [{ minItemSupport: 0 }, "Expected minItemSupport to be an integer from 1"],
  [{ minSessionLength: 1.5 }, "Expected minSessionLength to be an integer from 1"],
  [{ eventTypes: [] }, "Expected eventTypes to be an array of texts that is not empty"],
  [{ recentFraction: 1 }, "Expected recentFraction to be a number above 0 and below 1"],
  [{ removeRepeats: "yes" }, 'Expected removeRepeats to be true or false but received "yes"'],
  [{ from: "yesterday" }, "Expected from to be Unix seconds, a Date or ISO 8601 text"],
  [{ test: {} }, "Expected test to be an object with one of lastTime, lastSessions and lastFraction"],
  [{ test: { lastTime: 1, lastSessions: 1 } }, "Expected test to be an object with one of"],
  [{ test: { lastSessions: 1, end: 5 } }, "Expected test.end to be absent without lastTime"],
  [{ test: { lastTime: 1, straddling: "split" } }, "Expected test.straddling to be one of cut, drop, keep"],
  [{ validation: true }, "Expected validation to be a rule of its own where there is none for the test"],
  [{ recipe: "movielens" }, "Expected recipe to be one of rsc15, yoochoose"],
  [{ recipe: "rsc15", minItemSupport: 2 }, "Expected minItemSupport to be absent with a recipe"],
  [{ recipe: "rsc15" }, "Expected data to be the path of the raw file or its folder"],
])("refuses %j", async (options, message) => {
  await expectFailure(() => prepare(columnsOf(LINES), options), "ERR_ARGUMENT", message);
});
