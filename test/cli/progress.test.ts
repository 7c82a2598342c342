import { Messages } from "../../lib/cli/messages";
import { ProgressBar, ProgressLines, progressView } from "../../lib/cli/progress";
import type { EpochReport, TrainProgress } from "../../lib";

/** A stream that remembers what was written. */
function fakeStream(settings: Partial<NodeJS.WriteStream> = {}) {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  const stream = { isTTY: false, hasColors: () => false, write, ...settings } as unknown as NodeJS.WriteStream;
  return { messages: new Messages(stream), written };
}

const half: TrainProgress = {
  epoch: 1,
  epochs: 2,
  step: 5,
  events: 50,
  totalEvents: 100,
  loss: 1.5,
  miniBatchesPerSecond: 10,
  eventsPerSecond: 100,
  secondsLeft: 2,
  epochDone: false,
};
const done: TrainProgress = { ...half, step: 10, events: 100, epochDone: true };
const report: EpochReport = { epoch: 1, loss: 1.5, steps: 10, events: 100, seconds: 1, learningRate: 0.05 };
const validation = { recall: { 20: 0.5 }, mrr: { 20: 0.25 }, targets: 4, seconds: 1 };
const HALF = "epoch 1/2   50 %  loss 1.5000  10 mini-batches/s  100 events/s  0:02 left";
const DONE = HALF.replace(" 50", "100");

test("lines: one an epoch, with its validation; within an epoch one a minute", () => {
  const { messages, written } = fakeStream();
  let now = 0;
  const view = new ProgressLines(messages, () => now);
  for (now = 0; now <= 150_000; now += 100) view.onProgress(half);
  view.onProgress(done);
  view.onEpoch(report);
  view.onProgress(half);
  view.onProgress(done);
  view.onEpoch({ ...report, validation });
  expect(written).toEqual([`${HALF}\n`, `${HALF}\n`, `${DONE}\n`, `${DONE}  recall@20 0.500000  mrr@20 0.250000\n`]);
});

test("bar: one line redrawn in its place; the line of an epoch stays", () => {
  const { messages, written } = fakeStream({ columns: 200 });
  const view = new ProgressBar(messages);
  view.onProgress(half);
  view.onProgress(done);
  view.onEpoch({ ...report, validation });
  view.onProgress(half);
  messages.note("stopping");
  expect(written).toEqual([
    `\r\x1b[K${"█".repeat(15)}${"░".repeat(15)}  ${HALF}`,
    `\r\x1b[K${"█".repeat(30)}  ${DONE}`,
    `\r\x1b[K${DONE}  recall@20 0.500000  mrr@20 0.250000\n`,
    `\r\x1b[K${"█".repeat(15)}${"░".repeat(15)}  ${HALF}`,
    "\r\x1b[Kstopping\n",
  ]);
});

test.each([1, 5, 9, 10, 20, 40, 80, HALF.length, HALF.length + 11, 500])(
  "bar: never as wide as a terminal of %d columns",
  (columns) => {
    const { messages, written } = fakeStream({ columns });
    new ProgressBar(messages).onProgress(half);
    expect(written[0]!.replace("\r\x1b[K", "").length).toBeLessThan(columns);
  },
);

test.each([
  [15, "epoch 1/2"],
  [20, "████░░░░  epoch 1/2"],
  [40, "████░░░░  epoch 1/2   50 %  loss 1.5000"],
  [60, "█████████░░░░░░░░  epoch 1/2   50 %  loss 1.5000  0:02 left"],
  [80, "████████████░░░░░░░░░░░  epoch 1/2   50 %  loss 1.5000  100 events/s  0:02 left"],
])("bar: %d columns have a bar and whole parts, the most important ones", (columns, line) => {
  const { messages, written } = fakeStream({ columns });
  new ProgressBar(messages).onProgress(half);
  expect(written).toEqual([`\r\x1b[K${line}`]);
});

test("bar: colours where the terminal has them, which NO_COLOR denies", () => {
  for (const colours of [true, false]) {
    const { messages, written } = fakeStream({ columns: 200, hasColors: () => colours });
    new ProgressBar(messages).onProgress(half);
    expect(written[0]!.includes("\x1b[36m")).toBe(colours);
  }
});

test("a bar on a terminal that can redraw, else lines", () => {
  const term = process.env.TERM;
  process.env.TERM = "xterm";
  expect(progressView(fakeStream({ isTTY: true }).messages)).toBeInstanceOf(ProgressBar);
  expect(progressView(fakeStream().messages)).toBeInstanceOf(ProgressLines);
  process.env.TERM = "dumb";
  expect(progressView(fakeStream({ isTTY: true }).messages)).toBeInstanceOf(ProgressLines);
  if (term === undefined) delete process.env.TERM;
  else process.env.TERM = term;
});
