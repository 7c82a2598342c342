import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import {
  readEvents,
  train,
  TrainingError,
  writeLog,
  type DataInput,
  type Gru4Rec,
  type RetrainOptions,
  type TrainOptions,
} from "../../lib";
import { openRetraining, openTraining, prepareRetraining, prepareTraining, Vocabulary } from "../../lib/data";
import { circleClicks, SMALL } from "../support/clicks";
import { describeEmulated, emulatedEnvironment } from "../support/cuda";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";
import { PACKAGE, runScript } from "../support/processes";

// Training on the events of a file, window by window: as in memory, whatever the window is.
const folder = temporaryFolder();
let files = 0;

async function logFile(data: DataInput): Promise<string> {
  const path = folder.path(`log-${++files}.g4r`);
  await writeLog(await readEvents(data), path);
  return path;
}

const clicks = circleClicks();
/** 200 sessions of 2 to 7 events. */
let path: string;
beforeAll(async () => {
  path = await logFile(clicks);
});
const WINDOWS = [1, 5, 64, 100_000];

/** The bits of a model: losses of its epochs, scores, and the support that answers a session of unknown items. */
async function bitsOf(model: Gru4Rec): Promise<unknown> {
  const { items, scores } = await model.recommend(["nobody"], { k: model.itemCount });
  const losses = model.history.map(({ loss, steps, events }) => [loss, steps, events]);
  const known = model.itemIds();
  const predicted = await model.predict([known.slice(0, 2), known.slice(7, 8)]);
  return { losses, epoch: model.epoch, known, predicted, support: [items, scores] };
}

async function trained(data: DataInput, options: TrainOptions): Promise<unknown> {
  const model = await train(data, { ...SMALL, ...options });
  const bits = await bitsOf(model);
  model.dispose();
  return bits;
}

async function failureOfTraining(training: Promise<Gru4Rec>): Promise<TrainingError> {
  const error: unknown = await training.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TrainingError);
  return error as TrainingError;
}

describe("the same bits as in memory", () => {
  const variants: [string, TrainOptions][] = [
    ["by time", {}],
    ["by session id", { timeSort: false }],
    ["in random order", { trainRandomOrder: true, nEpochs: 4 }],
    ["through 3 steps, with dropout", { bptt: 3, dropoutHidden: 0.2, loss: "bpr-max" }],
    ["with more rows than sessions, without samples", { batchSize: 500, nSample: 0 }],
  ];
  test.each(variants)("%s", async (_, options) => {
    const expected = await trained(path, options);
    for (const window of WINDOWS) expect(await trained(path, { ...options, window })).toEqual(expected);
  });

  test.each([
    ["text", (item: number) => `item ${"é".repeat(item % 3)} ${item}`],
    ["bigints", (item: number) => 2n ** 60n + BigInt(item)],
  ])("with item ids that are %s, and sessions that come out of the order of time", async (_, idOf) => {
    const columns = circleClicks({ idOf });
    const file = await logFile({ ...columns, time: columns.time.map((time) => 1e6 - time) });
    expect(await trained(file, { window: 20 })).toEqual(await trained(file, {}));
  });

  test("with validation data of its own, which chooses the epoch", async () => {
    const validation = { data: circleClicks({ seed: 2 }), patience: 1 };
    const options = { validation, nEpochs: 5, learningRate: 0.4 };
    expect(await trained(path, { ...options, window: 30 })).toEqual(await trained(path, options));
  });

  test("in retraining, where events of unknown items are left out", async () => {
    const more = circleClicks({ seed: 3, items: 45, sessions: 300 }); // a third of its items is unknown
    const file = await logFile(more);
    const retrained = async (options: RetrainOptions) => {
      const model = await train(clicks, { ...SMALL, nEpochs: 1 });
      const { skippedEvents } = await model.retrain(file, { nEpochs: 2, ...options });
      const bits = await bitsOf(model);
      model.dispose();
      return { skippedEvents, bits };
    };
    for (const options of [{}, { trainRandomOrder: true }]) {
      const expected = await retrained(options);
      expect(expected.skippedEvents).toBeGreaterThan(100);
      for (const window of WINDOWS) expect(await retrained({ ...options, window })).toEqual(expected);
    }
  });
});

describe("what is kept of the file", () => {
  test("is what preparing the log gives, but for the items", async () => {
    const { sessions, ...expected } = prepareTraining(await readEvents(path));
    const opened = await openTraining(path, 7, undefined);
    expect({ ...opened, sessions: 0, vocabulary: opened.vocabulary.ids }).toEqual({
      ...expected,
      sessions: 0,
      vocabulary: expected.vocabulary.ids,
    });
    expect(opened.sessions.offsets).toEqual(sessions.offsets);
    const items = opened.sessions.items as Exclude<typeof opened.sessions.items, Int32Array>;
    expect(items).toMatchObject({
      path,
      window: 7,
      size: statSync(path).size,
      itemCount: 30,
      places: sessions.offsets,
    });
    const bytes = readFileSync(path);
    const stored = Int32Array.from(sessions.items, (_, i) => bytes.readInt32LE(items.position + 4 * i));
    expect(stored).toEqual(sessions.items);
  });

  test("is the same of a log that is read in many pieces, some within a session", async () => {
    const long = [3, 600_000, 2, 1, 300_000, 5];
    const sessionId = long.flatMap((events, session) => new Array<number>(events).fill(session));
    const itemId = sessionId.map((_, event) => (event * 7919) % 101);
    const log = await readEvents({ sessionId, itemId, time: sessionId.map((_, event) => 1e9 - (event % 1000)) });
    const file = folder.path("pieces.g4r");
    await writeLog(log, file);
    const { support, startTimes } = await openTraining(file, 7, undefined);
    expect(startTimes).toEqual(log.startTimes);
    expect(support).toEqual(prepareTraining(log).support);
    const known = new Vocabulary(
      "number",
      Float64Array.from({ length: 50 }, (_, i) => 2 * i),
    );
    const opened = await openRetraining(file, 7, known, undefined);
    const count = (s: number) =>
      itemId.filter((item, e) => sessionId[e] === s && known.indexOf(item) !== undefined).length;
    const counts = long.map((_, s) => count(s));
    expect([...opened.sessions.offsets]).toEqual([
      0,
      ...counts.map((_, s) => counts.slice(0, s + 1).reduce((a, b) => a + b)),
    ]);
  });

  test("for other items is the support of those, and how many events have none", async () => {
    const known = new Vocabulary("number", Float64Array.of(1000, 7, 3, 29));
    const expected = prepareRetraining(await readEvents(path), known);
    const { sessions, startTimes, ...opened } = await openRetraining(path, 7, known, undefined);
    expect(expected).toMatchObject(opened);
    expect(sessions.offsets).toHaveLength(201);
    expect(sessions.offsets.at(-1)).toBe(expected.support.reduce((sum, events) => sum + events));
    expect(startTimes).toEqual((await readEvents(path)).startTimes);
  });
});

describe("refuses", () => {
  const given: [string, () => Parameters<typeof train>, string][] = [
    ["another file", () => ["clicks.tsv", { window: 5 }], 'Expected data with window to be the path of a prepared log (.g4r) but received "clicks.tsv" (string)'],
    ["data in memory", () => [clicks, { window: 5 }], "Expected data with window to be the path of a prepared log (.g4r) but received Object (object)"],
    ["several files", () => [{ paths: [path] }, { window: 5 }], "Expected data with window to be the path of a prepared log (.g4r)"],
    ["no event at a time", () => [path, { window: 0 }], "Expected window to be an integer from 1 to 2147483647 but received 0 (number)"],
    ["half an event", () => [path, { window: 1.5 }], "Expected window to be an integer from 1 to 2147483647 but received 1.5"],
    ["to split the log by time", () => [path, { window: 5, validation: { lastTime: 5 } }], "Expected validation.data with window, as the log is not split, but received lastTime: prepare() splits it"],
    ["to split the log by sessions", () => [path, { window: 5, validation: { lastSessions: 5 } }], "Expected validation.data with window, as the log is not split, but received lastSessions"],
  ]; // prettier-ignore
  test.each(given)("%s", async (_, args, message) => {
    await expectFailure(() => train(...args()), "ERR_ARGUMENT", message);
  });

  test("a file that is not there, cut short or damaged", async () => {
    const options = { ...SMALL, window: 5 };
    await expectFailure(() => train(folder.path("no.g4r"), options), "ERR_FILE", "there is no such file");
    const damaged = await logFile(circleClicks({ idOf: (item) => `i${item}` }));
    const bytes = readFileSync(damaged);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(damaged, bytes);
    await expectFailure(() => train(damaged, options), "ERR_DATA", "to be a prepared click log but its content is");
    writeFileSync(damaged, bytes.subarray(0, -3));
    await expectFailure(() => train(damaged, options), "ERR_DATA", "to be a prepared click log but it should have");
  });

  test("a log without a session of two events, or of two known ones", async () => {
    const single = await logFile({ sessionId: [1, 2, 3], itemId: [1, 2, 3], time: [1, 2, 3] });
    const message = "Expected a session with two events or more but received 3 events in 3 sessions";
    await expectFailure(() => train(single, { ...SMALL, window: 5 }), "ERR_DATA", message);
    const unknown = await logFile({ sessionId: [1, 1, 2, 2], itemId: [1, 99, 98, 97], time: [1, 2, 3, 4] });
    const model = await train(clicks, { ...SMALL, nEpochs: 1 });
    const other = "two events or more of items that the model knows but received 4 events in 2 sessions";
    await expectFailure(() => model.retrain(unknown, { window: 5 }), "ERR_DATA", other);
    model.dispose();
  });
});

describe("a file that changes while it is trained on", () => {
  const changes: [string, (file: string) => void, string][] = [
    ["cut", (file) => truncateSync(file, statSync(file).size - 8), "bytes where it had"],
    ["written to", (file) => appendFileSync(file, "more"), "bytes where it had"],
    ["replaced by one of its size", (file) => utimesSync(file, new Date(), new Date(1e12)), "it was written to or replaced"],
    ["removed", (file) => rmSync(file), "to be a readable file but there is no such file"],
  ]; // prettier-ignore
  test.each(changes)(
    "%s: an error with its path, and the model of the last whole epoch",
    async (_, change, message) => {
      const file = await logFile(clicks);
      const options = { ...SMALL, window: 50, nEpochs: 3 };
      const training = train(file, { ...options, onEpoch: ({ epoch }) => (epoch === 2 ? change(file) : undefined) });
      const failure = await failureOfTraining(training);
      expect([failure.code, failure.message]).toEqual(["ERR_FILE", expect.stringContaining(message)]);
      expect(failure.message).toContain(`Expected ${file} to `);
      expect(await bitsOf(failure.model!)).toEqual(await trained(path, { nEpochs: 2 }));
      failure.model!.dispose();
    },
  );
});

describe("an abort", () => {
  test("while the file is opened", async () => {
    const controller = new AbortController();
    const training = train(path, { ...SMALL, window: 5, signal: controller.signal });
    controller.abort();
    await expectFailure(() => training, "ERR_ABORTED", "aborted");
  });

  test("while it is trained on; then it can be trained on again", async () => {
    const controller = new AbortController();
    const options = { ...SMALL, window: 5, nEpochs: 100_000, signal: controller.signal };
    const training = train(path, {
      ...options,
      onEpoch: ({ epoch }) => (epoch === 3 ? controller.abort() : undefined),
    });
    const failure = await failureOfTraining(training);
    expect([failure.code, failure.model!.epoch]).toEqual(["ERR_ABORTED", 3]);
    await failure.model!.retrain(path, { window: 5, nEpochs: 1 });
    expect(failure.model!.epoch).toBe(4);
    failure.model!.dispose();
  });
});

const finishes = { code: 0, stdout: "finished\n", stderr: "" };

test("a worker thread may end in the middle of it", async () => {
  const outcome = await runScript(`
    const { Worker } = require("node:worker_threads");
    const source = \`
      const { parentPort, workerData } = require("node:worker_threads");
      const gru4rec = require(\${JSON.stringify(${JSON.stringify(PACKAGE)})});
      const onEpoch = () => parentPort.postMessage("epoch");
      gru4rec.train(workerData, { layers: [8], nSample: 8, nEpochs: 1_000_000, window: 3, device: "cpu", onEpoch });
    \`;
    const end = async () => {
      const worker = new Worker(source, { eval: true, workerData: ${JSON.stringify(path)} });
      await new Promise((resolve) => worker.once("message", resolve));
      await worker.terminate();
    };
    Promise.all([end(), end()]).then(() => console.log("finished"));
  `);
  expect(outcome).toMatchObject(finishes);
}, 30_000);

describeEmulated("on the emulated GPU", () => {
  test("the same bits as in memory, for any window", async () => {
    const outcome = await runScript(
      `
      const assert = require("node:assert");
      const path = ${JSON.stringify(path)};
      const small = { layers: [8], batchSize: 16, nSample: 16, nEpochs: 2, device: "cuda", bptt: 2 };
      (async () => {
        for (const options of [{}, { trainRandomOrder: true }]) {
          const scores = async (window) => {
            const model = await gru4rec.train(path, { ...small, ...options, window });
            const scores = await model.predict([[1, 2], [7]]);
            model.dispose();
            return Buffer.from(scores.buffer);
          };
          const expected = await scores(undefined);
          for (const window of [1, 64, 100_000]) assert.ok(expected.equals(await scores(window)), "window " + window);
        }
        console.log("finished");
      })();
      `,
      emulatedEnvironment(),
    );
    expect(outcome).toMatchObject(finishes);
  }, 120_000);
});

describe("memory", () => {
  const EVENTS = 4_000_000;
  const LENGTH = 4;

  /** Largest resident memory of a process that trains an epoch on `file`, in MB. */
  async function peakOf(file: string, options: TrainOptions): Promise<number> {
    const { stdout, stderr } = await runScript(`
      const options = { layers: [1], batchSize: 1000, nSample: 0, nEpochs: 1, device: "cpu", threads: 1 };
      gru4rec.train(${JSON.stringify(file)}, { ...options, ...${JSON.stringify(options)} }).then(async (model) => {
        model.dispose();
        const { peakBytes } = await import("./scripts/support/memory.mjs");
        console.log(peakBytes() / 1e6);
      });
    `);
    expect(stderr).toBe("");
    return Number(stdout);
  }

  test("does not hold the events of the log", async () => {
    const file = folder.path("large.g4r");
    const sessions = EVENTS / LENGTH;
    const startTimes = new Float64Array(sessions).map((_, s) => s);
    await writeLog(
      {
        itemKind: "number",
        itemIds: new Float64Array(500).map((_, item) => item),
        sessionKind: "number",
        sessionIds: startTimes,
        offsets: new Int32Array(sessions + 1).map((_, s) => s * LENGTH),
        items: new Int32Array(EVENTS).map((_, event) => (event * 7919) % 500),
        times: new Float64Array(EVENTS).map((_, event) => Math.floor(event / LENGTH)),
        startTimes,
        endTimes: startTimes,
      },
      file,
    );
    const whole = await peakOf(file, {});
    const windowed = await peakOf(file, { window: 100_000 });
    expect(whole - windowed).toBeGreaterThan(((4 + 8) * EVENTS) / 1e6 - 8); // its items and times, or nearly
  }, 120_000);
});
