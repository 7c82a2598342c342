import { train, type TrainOptions, type TrainProgress } from "../lib";
import { circleClicks, SMALL, tsvOf } from "./support/clicks";
import { expectFailure } from "./support/errors";
import { temporaryFolder } from "./support/files";

const clicks = circleClicks();
const folder = temporaryFolder();

/** Weights are not public; scores tell models apart as well. */
async function scoresAfter(options: TrainOptions, data: Parameters<typeof train>[0] = clicks): Promise<Float32Array> {
  const model = await train(data, { ...SMALL, ...options });
  const scores = await model.predict([[1, 2], [7]]);
  model.dispose();
  return scores;
}

test("learns the order of the clicks", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 10, learningRate: 0.2 });
  const { recall } = await model.evaluate(circleClicks({ seed: 2 }), { k: 1 });
  expect(recall[1]).toBeGreaterThan(0.75); // nine in ten steps go to the next item
  model.dispose();
});

test("reports every epoch and progress towards its end", async () => {
  const reports: TrainProgress[] = [];
  const model = await train(clicks, { ...SMALL, onProgress: (progress) => reports.push(progress) });
  const pairs = clicks.time.length - 200;
  expect(model.history.map(({ epoch, events }) => [epoch, events])).toEqual([
    [1, pairs],
    [2, pairs],
    [3, pairs],
  ]);
  const ends = reports.filter(({ epochDone }) => epochDone);
  expect(ends.map(({ epoch, epochs, events, loss }) => [epoch, epochs, events, loss])).toEqual(
    model.history.map(({ epoch, events, loss }) => [epoch, 3, events, loss]),
  );
  expect(model.history[2]!.loss).toBeLessThan(model.history[0]!.loss);
  model.dispose();
});

test("the same seed gives the same bits, another one does not", async () => {
  const first = await scoresAfter({ seed: 5 });
  expect(await scoresAfter({ seed: 5 })).toEqual(first);
  expect(await scoresAfter({ seed: 6 })).not.toEqual(first);
});

test("a file, its columns and the order of its sessions' events give the same bits", async () => {
  const expected = await scoresAfter({});
  expect(await scoresAfter({}, folder.write("clicks.tsv", tsvOf(clicks)))).toEqual(expected);
  const typed = {
    sessionId: Int32Array.from(clicks.sessionId),
    itemId: clicks.itemId,
    time: Float64Array.from(clicks.time),
  };
  expect(await scoresAfter({}, typed)).toEqual(expected);
});

test("the author's parameter string means the same as the options", async () => {
  const parameters =
    "layers=12,batch_size=16,n_sample=24,n_epochs=3,sample_store=10000,threads=1,loss=bpr-max,elu_param=0.5,momentum=0.1," +
    "dropout_p_hidden=0.1,constrained_embedding=False,embedding=8";
  const model = await train(clicks, { parameters });
  expect(await model.predict([[1, 2], [7]])).toEqual(
    await scoresAfter({ loss: "bpr-max", finalAct: "elu-0.5", momentum: 0.1, dropoutHidden: 0.1, embedding: 8 }),
  );
  model.dispose();
});

test("every loss, optimiser and input trains", async () => {
  for (const loss of ["cross-entropy", "xe_logit", "bpr", "bpr-max", "top1", "top1-max"] as const)
    expect((await scoresAfter({ loss, nEpochs: 1 })).every(Number.isFinite)).toBe(true);
  for (const adapt of ["adagrad", "sgd", "rmsprop", "adadelta", "adam"] as const) {
    const learningRate = adapt === "adadelta" ? 1 : 0.01;
    expect((await scoresAfter({ adapt, learningRate, nEpochs: 1 })).every(Number.isFinite)).toBe(true);
  }
  for (const embedding of ["none", "shared", "layersize", 5] as const)
    expect((await scoresAfter({ embedding, layers: [12, 7], nEpochs: 1 })).every(Number.isFinite)).toBe(true);
});

test("timeSort and trainRandomOrder change the order of the sessions", async () => {
  // Later session ids come first in time.
  const reversed = { ...clicks, time: clicks.time.map((time) => 10_000 + (time % 10) - Math.floor(time / 10) * 10) };
  const byTime = await scoresAfter({}, reversed);
  const byId = await scoresAfter({ timeSort: false }, reversed);
  const shuffled = await scoresAfter({ trainRandomOrder: true }, reversed);
  expect(byTime).not.toEqual(byId);
  expect(shuffled).not.toEqual(byId);
  expect(byId).toEqual(await scoresAfter({}, clicks));
  expect(shuffled).toEqual(await scoresAfter({ trainRandomOrder: true, timeSort: false }, reversed));
});

describe("warnings of parameters without effect", () => {
  test("go to onWarning", async () => {
    const warnings: string[] = [];
    await scoresAfter({ loss: "top1", logq: 1, nEpochs: 1, onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual(["logq has no effect with loss top1"]);
  });

  test("else to the process", async () => {
    const emit = jest.spyOn(process, "emitWarning").mockImplementation();
    await scoresAfter({ loss: "top1", logq: 1, nEpochs: 1 });
    expect(emit.mock.calls).toEqual([["logq has no effect with loss top1", "Gru4RecWarning"]]);
    emit.mockRestore();
  });
});

describe("fails", () => {
  test("with all wrong parameters at once, before it reads the data", async () => {
    await expectFailure(
      () => train("/nowhere", { batchSize: 0, momentum: 3 }),
      "ERR_CONFIG",
      /batchSize .* received 0 \(number\); Expected momentum .* received 3 \(number\)$/,
    );
  });

  test("when the loss is no number any more, naming epoch and step", async () => {
    await expectFailure(
      () => train(clicks, { ...SMALL, loss: "bpr-max", learningRate: 1e30 }),
      "ERR_NOT_FINITE",
      /^Expected a finite loss but epoch 1, step \d+ gave/,
    );
  });

  test("without a session of two events", async () => {
    await expectFailure(
      () => train({ sessionId: [1, 2], itemId: [1, 2], time: [1, 2] }),
      "ERR_DATA",
      "Expected a session",
    );
  });

  test.each([null, 5])("with %p for options", async (options) => {
    await expectFailure(() => train(clicks, options as never), "ERR_ARGUMENT", "Expected options to be an object");
  });

  test("with what onProgress throws", async () => {
    const failure = new Error("enough");
    const fail = () => {
      throw failure;
    };
    await expect(train(clicks, { ...SMALL, nEpochs: 5_000, onProgress: fail })).rejects.toBe(failure);
  });
});

describe("an abort", () => {
  test("before the start comes before everything else", async () => {
    await expectFailure(() => train("/nowhere", { signal: AbortSignal.abort() }), "ERR_ABORTED", "aborted");
  });

  test("in the middle of an epoch stops it at once", async () => {
    const many = circleClicks({ sessions: 20_000, items: 2_000 });
    const controller = new AbortController();
    let abortedAt = 0;
    const onProgress = () => {
      abortedAt ||= performance.now();
      controller.abort();
    };
    const training = train(many, {
      ...SMALL,
      layers: [100],
      nSample: 2048,
      nEpochs: 100,
      signal: controller.signal,
      onProgress,
    });
    await expectFailure(() => training, "ERR_ABORTED", /abort/i);
    expect(abortedAt).toBeGreaterThan(0);
    expect(performance.now() - abortedAt).toBeLessThan(1_000); // 100 ms are promised; a busy machine needs room
  });
});
