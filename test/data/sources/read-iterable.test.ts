import { readEvents, type Event } from "../../../lib/data";
import { expectFailure } from "../../support/errors";

const EVENTS: readonly Event<string>[] = [
  { session: 7, item: "b", time: 5 },
  { session: 7, item: "a", time: 6 },
  { session: 3, item: "b", time: 2 },
];
const LOG = {
  itemKind: "string",
  itemIds: ["b", "a"],
  sessionKind: "number",
  sessionIds: Float64Array.of(3, 7),
  offsets: Int32Array.of(0, 1, 3),
  items: Int32Array.of(0, 0, 1),
  times: Float64Array.of(2, 5, 6),
  startTimes: Float64Array.of(2, 5),
  endTimes: Float64Array.of(2, 6),
};

/** Yields `values`; `state.closed` tells whether it was ended. */
function sourceOf(values: Iterable<unknown>, state = { closed: false }) {
  const events = function* () {
    try {
      yield* values;
    } finally {
      state.closed = true;
    }
  };
  return { state, events: events() as Iterable<Event>, asyncEvents: asyncOf(events()) };
}

async function* asyncOf(values: Iterable<unknown>): AsyncGenerator<Event> {
  for (const value of values) yield (await Promise.resolve(value)) as Event;
}

test("an array, a set, a generator and an async generator of events give the same log", async () => {
  const { events, asyncEvents } = sourceOf(EVENTS);
  for (const data of [EVENTS, new Set(EVENTS), events, asyncEvents]) expect(await readEvents(data)).toEqual(LOG);
});

test("more events than there was room for keep their order", async () => {
  const count = 10_000;
  const events = function* () {
    for (let i = 0; i < count; ++i) yield { session: i >> 2, item: `item ${i % 977}`, time: i };
  };
  const log = await readEvents(events());
  expect(log.times).toEqual(new Float64Array(count).map((_, i) => i));
  expect(log.itemIds).toEqual(Array.from({ length: 977 }, (_, i) => `item ${i}`));
  expect(log.offsets).toEqual(new Int32Array(count / 4 + 1).map((_, s) => 4 * s));
});

test("one and the same object may be yielded again and again", async () => {
  const events = function* () {
    const event = { session: 1, item: 0, time: 0 };
    for (; event.item < 3; ++event.item, ++event.time) yield event;
  };
  expect((await readEvents(events())).itemIds).toEqual(Float64Array.of(0, 1, 2));
});

test.each(["events", "asyncEvents"] as const)("what %s throw comes as it is", async (kind) => {
  const failure = new Error("the database is gone");
  const values = function* () {
    yield EVENTS[0];
    throw failure;
  };
  await expect(readEvents(sourceOf(values())[kind])).rejects.toBe(failure);
});

const GOOD = { session: 1, item: 2, time: 3 };
test.each<[unknown[], string]>([
  [[], "Expected at least one event but received none"],
  [[GOOD, 5], "Expected event 1 to be an object { session, item, time } but received 5 (number)"],
  [["1\t2\t3"], "Expected event 0 to be an object { session, item, time } but received"],
  [[null], "Expected event 0 to be an object { session, item, time } but received null"],
  [[GOOD, GOOD, { item: 2, time: 3 }], "Expected session of event 2 to be a safe integer"],
  [[GOOD, { session: 1, time: 3 }], "Expected item of event 1 to be a safe integer, a 64-bit bigint or non-empty text"],
  [[GOOD, { session: 1, item: 2 }], "Expected time of event 1 to be a number"],
  [[GOOD, { ...GOOD, item: "" }], "Expected item of event 1 to be a safe integer"],
  [[GOOD, { ...GOOD, item: "\ud800" }], "Expected item of event 1 to be a safe integer"],
  [
    [GOOD, { ...GOOD, item: "2" }],
    'Expected item of event 1 to be a number like item of event 0 but received "2" (string)',
  ],
  [
    [GOOD, { ...GOOD, session: 1n }],
    "Expected session of event 1 to be a number like session of event 0 but received 1 (bigint)",
  ],
  [[GOOD, { ...GOOD, time: -1 }], "Expected time of event 1 to be a finite number from 0 on but received -1 (number)"],
  [[GOOD, { ...GOOD, time: new Date(3) }], "Expected time of event 1 to be a number like time of event 0"],
])("refuses the events %j and closes their source", async (values, message) => {
  for (const kind of ["events", "asyncEvents"] as const) {
    const source = sourceOf(values);
    await expectFailure(() => readEvents(source[kind]), "ERR_DATA", message);
    expect(source.state.closed).toBe(true);
  }
});
