import { Gru4RecError, train, TrainingError, type EpochReport, type Gru4Rec, type TrainOptions } from "../../lib";
import { circleClicks, SMALL } from "../support/clicks";

const clicks = circleClicks();
const PROBES = [[1, 2], [7]];

/** What a training that must not come to its end rejects with. */
async function failureOf(options: TrainOptions): Promise<unknown> {
  try {
    await train(clicks, { ...SMALL, ...options });
  } catch (error) {
    return error;
  }
  throw new Error("the training came to its end");
}

async function expectModelAfter(epochs: number, model: Gru4Rec, options: TrainOptions = {}): Promise<void> {
  const whole = await train(clicks, { ...SMALL, ...options, nEpochs: epochs });
  expect(model.history.map(({ loss }) => loss)).toEqual(whole.history.map(({ loss }) => loss));
  expect(model.epoch).toBe(epochs);
  expect(await model.predict(PROBES)).toEqual(await whole.predict(PROBES));
  whole.dispose();
}

describe("onEpoch", () => {
  test("gets the report of every epoch, and training waits for its promise", async () => {
    const reports: EpochReport[] = [];
    let waiting = false;
    const model = await train(clicks, {
      ...SMALL,
      onProgress: () => expect(waiting).toBe(false),
      onEpoch: async (report) => {
        waiting = true;
        await new Promise((resolve) => setTimeout(resolve, 20));
        waiting = false;
        reports.push(report);
      },
    });
    expect(reports).toEqual(model.history);
    expect(reports.map(({ epoch, learningRate }) => [epoch, learningRate])).toEqual([
      [1, 0.05],
      [2, 0.05],
      [3, 0.05],
    ]);
    model.dispose();
  });

  test.each<[string, TrainOptions["onEpoch"]]>([
    ["at once", ({ epoch }) => (epoch === 2 ? "stop" : undefined)],
    ["later", ({ epoch }) => Promise.resolve(epoch === 2 ? "stop" : undefined)],
  ])("ends training with 'stop' said %s", async (_, onEpoch) => {
    const model = await train(clicks, { ...SMALL, nEpochs: 1000, ...(onEpoch && { onEpoch }) });
    await expectModelAfter(2, model);
    model.dispose();
  });

  test.each(["onEpoch", "onProgress"] as const)("what %s throws stops training and comes as it is", async (name) => {
    const failure = new Error("enough");
    const fail = () => {
      throw failure;
    };
    expect(await failureOf({ nEpochs: 1000, [name]: fail })).toBe(failure);
  });

  test("what its promise rejects with, too, even where it is one of ours", async () => {
    const failure = new Gru4RecError("ERR_ARGUMENT", "mine");
    expect(await failureOf({ nEpochs: 1000, onEpoch: () => Promise.reject(failure) })).toBe(failure);
  });
});

describe("an abort", () => {
  /** Aborts in the middle of the epoch behind `after`. */
  async function abortAfter(after: number, options: TrainOptions = {}): Promise<TrainingError<number>> {
    const controller = new AbortController();
    const large = { ...options, nEpochs: 1_000_000, signal: controller.signal };
    const error = await failureOf({
      ...large,
      onEpoch: ({ epoch }) => {
        if (epoch === after) setTimeout(() => controller.abort(), 3);
      },
    });
    expect(error).toBeInstanceOf(TrainingError);
    expect(error).toMatchObject({ code: "ERR_ABORTED" });
    return error as TrainingError<number>;
  }

  test("leaves the model of the last whole epoch", async () => {
    const { model } = await abortAfter(3);
    expect(model!.epoch).toBeGreaterThanOrEqual(3);
    await expectModelAfter(model!.epoch, model!);
    model!.dispose();
  });

  test("the last whole epoch, not the best one, with a validation", async () => {
    const validation = { lastSessions: 40, metric: "recall@1" } as const;
    const { model } = await abortAfter(4, { validation });
    const { epoch, history } = model!;
    expect(epoch).toBe(history.length);
    const all: Float32Array[] = [];
    const again = await train(clicks, { ...SMALL, nEpochs: epoch, validation });
    expect(again.history.map(({ loss }) => loss)).toEqual(history.map(({ loss }) => loss));
    all.push(await model!.predict(PROBES));
    if (again.epoch === epoch) expect(await again.predict(PROBES)).toEqual(all[0]);
    model!.dispose();
    again.dispose();
  });

  test("does not wait for what onEpoch promises", async () => {
    const controller = new AbortController();
    const onEpoch = () => {
      controller.abort();
      return new Promise(() => undefined);
    };
    const error = await failureOf({ nEpochs: 5, signal: controller.signal, onEpoch });
    expect(error).toMatchObject({ code: "ERR_ABORTED", model: { epoch: 1 } });
    (error as TrainingError).model!.dispose();
  });

  test("before the end of the first epoch leaves none", async () => {
    const controller = new AbortController();
    const many = circleClicks({ sessions: 20_000, items: 2_000 });
    const training = train(many, {
      ...SMALL,
      layers: [100],
      nSample: 2048,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    const error = await training.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TrainingError);
    expect((error as TrainingError).model).toBeUndefined();
  });
});

test("a loss that is no number any more leaves the model of the last whole epoch", async () => {
  // The learning rate grows by the optimiser's own doing: momentum near 1 with sgd and squared scores diverges.
  const options = {
    loss: "bpr-max",
    adapt: "sgd",
    learningRate: 0.6,
    momentum: 0.9,
    finalAct: "linear",
    bpreg: 5,
  } as const;
  const error = await failureOf({ ...options, nEpochs: 100_000 });
  expect(error).toBeInstanceOf(TrainingError);
  expect(error).toMatchObject({ code: "ERR_NOT_FINITE" });
  const { model, message } = error as TrainingError;
  const epoch = Number(/epoch (\d+),/.exec(message)![1]);
  if (epoch === 1) expect(model).toBeUndefined();
  else {
    expect(model!.epoch).toBe(epoch - 1);
    expect((await model!.predict(PROBES)).every(Number.isFinite)).toBe(true);
    model!.dispose();
  }
}, 30_000);

test("learningRateDecay shrinks the step from epoch to epoch", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 3, learningRate: 0.2, learningRateDecay: 0.5 });
  expect(model.history.map(({ learningRate }) => learningRate)).toEqual([0.2, 0.1, 0.05]);
  const constant = await train(clicks, { ...SMALL, nEpochs: 3, learningRate: 0.2 });
  expect(model.history[0]!.loss).toBe(constant.history[0]!.loss);
  expect(model.history[1]!.loss).not.toBe(constant.history[1]!.loss);
  model.dispose();
  constant.dispose();
});
