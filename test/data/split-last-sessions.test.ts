import { PackedText, readEvents, splitLastSessions } from "../../lib/data";
import { expectFailure } from "../support/errors";

const columns = {
  sessionId: [9, 10, 9, 2, 10, 7],
  itemId: ["a", "b", "c", "a", "e", "b"],
  time: [1, 2, 50, 50, 40, 60],
};

test("test sessions are those that end last; the others train", async () => {
  const { train, test } = await splitLastSessions(columns, 1);
  expect(test).toEqual(await readEvents({ sessionId: [7], itemId: ["b"], time: [60] }));
  expect(train).toEqual(
    await readEvents({ sessionId: [9, 10, 9, 2, 10], itemId: ["a", "b", "c", "a", "e"], time: [1, 2, 50, 50, 40] }),
  );
});

test("of sessions that end at the same time, the one with the higher id is later", async () => {
  const { test } = await splitLastSessions(columns, 2);
  expect(test.sessionIds).toEqual(Float64Array.of(7, 9));
  const text = { ...columns, sessionId: columns.sessionId.map((id) => (id === 9 ? "é" : `z${id}`)) };
  expect((await splitLastSessions(text, 2)).test.sessionIds).toEqual(PackedText.of(["z7", "é"]));
});

test("the options say how to read", async () => {
  const { train } = await splitLastSessions(columns, 1, { timeUnit: "ms" });
  expect(Math.min(...train.times)).toBe(0.001);
});

test.each([4, 5])("%i sessions of 4 leave none to train on", async (count) => {
  await expectFailure(
    () => splitLastSessions(columns, count),
    "ERR_DATA",
    `Expected more than ${count} sessions but received 4: none to train on`,
  );
});

test.each([0, -1, 1.5, NaN, "10"])("a count of %p is refused", async (count) => {
  await expectFailure(
    () => splitLastSessions(columns, count as number),
    "ERR_ARGUMENT",
    "Expected count to be an integer from 1 to",
  );
});
