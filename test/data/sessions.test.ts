import { prepareEvaluation, prepareTraining, readEvents, trainingOrder, Vocabulary, type ItemId } from "../../lib/data";
import { expectFailure } from "../support/errors";
import { randomIntegers } from "../support/random";

type Event = readonly [session: ItemId, item: ItemId, time: number];

const logOf = (events: readonly Event[]) =>
  readEvents({ sessionId: events.map(([s]) => s), itemId: events.map(([, i]) => i), time: events.map(([, , t]) => t) });
const trainingOf = async (events: readonly Event[]) => prepareTraining(await logOf(events));

/** Sessions as lists of item indices. */
function listsOf({ items, offsets }: { items: Int32Array; offsets: Int32Array }): number[][] {
  return Array.from(offsets.subarray(1), (end, s) => [...items.subarray(offsets[s], end)]);
}

test("sessions by ascending id, events by time, equal times in input order", async () => {
  const { sessions, startTimes } = await trainingOf([
    [20, "a", 5],
    [3, "b", 9],
    [20, "c", 1],
    [3, "d", 2.5],
    [20, "e", 5],
    [3, "f", 2.5],
    [20, "a", 5],
  ]);
  expect(listsOf(sessions)).toEqual([
    [3, 5, 1],
    [2, 0, 4, 0],
  ]);
  expect(startTimes).toEqual(Float64Array.of(2.5, 1));
});

test("vocabulary and support come from all events, short sessions included", async () => {
  const { vocabulary, support, sessions } = await trainingOf([
    [1, "alone", 0],
    [2, "x", 0],
    [2, "y", 1],
    [3, "alone", 2],
    [2, "x", 3],
  ]);
  expect(vocabulary.ids).toEqual(["alone", "x", "y"]);
  expect(support).toEqual(Uint32Array.of(2, 2, 1));
  expect(listsOf(sessions)).toEqual([[0], [1, 2, 1], [0]]);
});

test("text session ids are ordered by their bytes", async () => {
  const ids = ["b", "a", "B", "😀", "\uffff"];
  const { sessions } = await trainingOf(ids.flatMap((id, i): Event[] => [[id, i, 0], [id, i, 1]])); // prettier-ignore
  expect(listsOf(sessions).map(([first]) => ids[first!])).toEqual(["B", "a", "b", "\uffff", "😀"]);
});

test("random logs: the same as sorting objects", async () => {
  const random = randomIntegers(1);
  for (let round = 0; round < 50; ++round) {
    const events = Array.from({ length: 2 + random(200) }, (): Event => [random(20), random(30), random(8) / 2]);
    events.push([99, 0, 0], [99, 0, 1]);
    const firstSeen = [...new Set(events.map(([, item]) => item))];
    const expected = [...new Set(events.map(([session]) => session as number))]
      .sort((a, b) => a - b)
      .map((id) => events.filter(([session]) => session === id).sort((a, b) => a[2] - b[2]));

    const { sessions, startTimes, support } = await trainingOf(events);
    expect(listsOf(sessions)).toEqual(expected.map((session) => session.map(([, item]) => firstSeen.indexOf(item))));
    expect([...startTimes]).toEqual(expected.map((session) => session[0]![2]));
    expect([...support]).toEqual(firstSeen.map((id) => events.filter(([, item]) => item === id).length));
  }
});

test("trainingOrder: by the first event's time, ties by session id; or by session id; none of one event", async () => {
  const data = {
    sessions: { items: new Int32Array(11), offsets: Int32Array.of(0, 2, 4, 6, 8, 9, 11) },
    startTimes: Float64Array.of(5, 1, 5, 0, 2, 1),
  };
  expect([...(await trainingOrder(data, true, undefined))]).toEqual([3, 1, 5, 0, 2]);
  expect([...(await trainingOrder(data, false, undefined))]).toEqual([0, 1, 2, 3, 5]);
  const halves = { ...data, startTimes: data.startTimes.map((time) => time + 0.5) };
  expect([...(await trainingOrder(halves, true, undefined))]).toEqual([3, 1, 5, 0, 2]);
});

test("no session with two events is no training data", async () => {
  await expectFailure(
    () => trainingOf([[1, 1, 0], [2, 1, 0], [3, 2, 0]]), // prettier-ignore
    "ERR_DATA",
    "Expected a session with two events or more but received 3 events in 3 sessions",
  );
});

describe("evaluation data", () => {
  const vocabulary = new Vocabulary("number", Float64Array.of(10, 20, 30));

  test("loses unknown items, counted, whose neighbours join", async () => {
    const log = await logOf([
      [1, 10, 0],
      [1, 99, 1],
      [1, 30, 2],
      [2, 98, 0],
      [2, 20, 1],
      [3, 20, 0],
      [3, 20, 1],
    ]);
    const { sessions, skippedEvents } = prepareEvaluation(log, vocabulary);
    expect(listsOf(sessions)).toEqual([
      [0, 2],
      [1, 1],
    ]);
    expect(skippedEvents).toBe(2);
  });

  test("matches ids of another kind by their text", async () => {
    const log = await logOf([["s", "10", 0], ["s", "x", 1], ["s", "30", 2]]); // prettier-ignore
    expect(listsOf(prepareEvaluation(log, vocabulary).sessions)).toEqual([[0, 2]]);
  });

  test("without two known events is none", async () => {
    const log = await logOf([[1, 10, 0], [1, 99, 1]]); // prettier-ignore
    await expectFailure(
      () => prepareEvaluation(log, vocabulary),
      "ERR_DATA",
      "two events or more of items that the model knows but received 2 events in 1 sessions",
    );
  });
});
