import { formatProgress, ProgressMeter } from "../../lib/training/progress";

const native = { steps: 50, events: 1_000, totalEvents: 4_000, loss: 6.123456, seconds: 2 };

test("rates are those of the epoch; the time left covers the epochs to come", () => {
  expect(new ProgressMeter(3).progress(2, native, false)).toEqual({
    epoch: 2,
    epochs: 3,
    step: 50,
    events: 1_000,
    totalEvents: 4_000,
    loss: 6.123456,
    miniBatchesPerSecond: 25,
    eventsPerSecond: 500,
    secondsLeft: 14,
    epochDone: false,
  });
});

test("nothing is left at the end of the last epoch, even when it trained less than all events", () => {
  expect(new ProgressMeter(1).progress(1, native, true)).toMatchObject({ secondsLeft: 0, epochDone: true });
});

test("one line with epoch, loss, rates and time left", () => {
  const progress = new ProgressMeter(10).progress(1, { ...native, steps: 5_000, seconds: 3 }, false);
  expect(formatProgress(progress)).toBe(
    "epoch  1/10   25 %  loss 6.1235  1,667 mini-batches/s  333 events/s  1:57 left",
  );
});

test.each([
  [59.2, "1:00"],
  [3_599, "59:59"],
  [3_725, "1:02:05"],
  [Infinity, "?"],
])("%d seconds left read %s", (secondsLeft, text) => {
  const progress = new ProgressMeter(1).progress(1, native, false);
  expect(formatProgress({ ...progress, secondsLeft })).toContain(`  ${text} left`);
});
