import { PackedText, readEvents, splitByTime } from "../../lib/data";
import { expectFailure } from "../support/errors";

const columns = {
  sessionId: ["old", "late", "old", "edge", "late", "edge", "new"],
  itemId: ["a", "b", "c", "d", "e", "a", "b"],
  time: [1, 2, 3, 4, 95, 90, 100],
};

test("test sessions are those whose last event is in the final seconds; the others train", async () => {
  const { train, test } = await splitByTime(columns, 10);
  expect(train).toEqual(
    await readEvents({ sessionId: ["old", "old", "edge", "edge"], itemId: ["a", "c", "d", "a"], time: [1, 3, 4, 90] }),
  );
  expect(test).toEqual(
    await readEvents({ sessionId: ["late", "late", "new"], itemId: ["b", "e", "b"], time: [2, 95, 100] }),
  );
});

test("an event just inside the final seconds makes a test session", async () => {
  const { train } = await splitByTime(columns, 10.5);
  expect(train.sessionIds).toEqual(PackedText.of(["old"]));
});

test("an empty training part is refused", async () => {
  await expectFailure(
    () => splitByTime(columns, 98),
    "ERR_DATA",
    "Expected sessions that end before the last 98 seconds",
  );
});

test.each([0, -1, NaN, "10"])("%p seconds are refused", async (seconds) => {
  await expectFailure(
    () => splitByTime(columns, seconds as number),
    "ERR_ARGUMENT",
    "Expected seconds to be a number above 0",
  );
});
