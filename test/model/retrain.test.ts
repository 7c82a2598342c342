import { readFileSync } from "node:fs";
import { Gru4Rec, train, TrainingError } from "../../lib";
import { circleClicks, SMALL } from "../support/clicks";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

const folder = temporaryFolder();
const clicks = circleClicks() as { sessionId: number[]; itemId: number[]; time: number[] };
const more = circleClicks({ seed: 3 });
const PROBES = [[1, 2], [7]];

test.each(["adagrad", "sgd", "rmsprop", "adadelta", "adam"] as const)(
  "with the optimiser's state, through a file, goes on as if training had never stopped (%s)",
  async (adapt) => {
    const options = {
      ...SMALL,
      adapt,
      ...(adapt !== "adadelta" && { learningRate: 0.02 }),
      momentum: 0.3,
      dropoutHidden: 0.2,
      trainRandomOrder: true,
    } as const;
    const whole = await train(clicks, { ...options, nEpochs: 5 });
    const first = await train(clicks, { ...options, nEpochs: 2, keepOptimiserState: true });
    const path = folder.path(adapt);
    await first.save(path);
    first.dispose();

    const second = await Gru4Rec.load<number>(path, { threads: 1 });
    const { history, skippedEvents } = await second.retrain(clicks, { nEpochs: 3 });
    expect(history.map(({ epoch, loss }) => [epoch, loss])).toEqual(
      whole.history.slice(2).map(({ epoch, loss }) => [epoch, loss]),
    );
    expect(second.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
    expect([second.epoch, skippedEvents]).toEqual([5, 0]);
    expect(await second.predict(PROBES)).toEqual(await whole.predict(PROBES));
    second.dispose();
    whole.dispose();
  },
);

test("without the optimiser's state it begins anew from the weights", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 2 });
  const whole = await train(clicks, { ...SMALL, nEpochs: 3 });
  await model.retrain(clicks, { nEpochs: 1 });
  expect(await model.predict(PROBES)).not.toEqual(await whole.predict(PROBES));
  expect(model.history).toHaveLength(3);
  expect(model.config.nEpochs).toBe(1);
  model.dispose();
  whole.dispose();
});

test("learns from other clicks; unknown items are counted; the support is that of the new data", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 1 });
  const { recall: before } = await model.evaluate(more, { k: 1 });
  const log = {
    sessionId: [...more.sessionId, 900, 900, 900],
    itemId: [...(more.itemId as number[]), 999, 7, 998],
    time: [...more.time, 1, 2, 3],
  };
  const { skippedEvents } = await model.retrain(log, { nEpochs: 10, learningRate: 0.2 });
  expect(skippedEvents).toBe(2);
  const { recall: after } = await model.evaluate(more, { k: 1 });
  expect(after[1]).toBeGreaterThan(before[1]!);
  const support = (item: number) => log.itemId.filter((id) => id === item).length;
  const { items, scores } = await model.recommend([12345]);
  expect(scores).toEqual(items.map((item) => support(item)));
  model.dispose();
});

test.each<[object, string]>([
  [{ layers: [13] }, "Expected layers to be [12] as in the model but received [13] (array)"],
  [{ resetAfter: true }, "Expected resetAfter to be false as in the model"],
  [{ batchSize: 0 }, "Expected batchSize to be an integer from 1"],
  [{ nEpoch: 1 }, "Unknown parameter nEpoch; did you mean nEpochs?"],
])("refuses %j", async (options, message) => {
  const model = await train(clicks, { ...SMALL, nEpochs: 1 });
  await expectFailure(() => model.retrain(clicks, options), "ERR_CONFIG", message);
  model.dispose();
});

test("what follows from the optimiser or the loss follows it again", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 1, loss: "top1" });
  await model.retrain(clicks, { nEpochs: 1, adapt: "adam", loss: "bpr", learningRate: 0.01 });
  expect(model.config).toMatchObject({ adapt: "adam", adaptParams: [0.9, 0.999], loss: "bpr", layers: [12] });
  model.dispose();
});

test("while it runs, training, saving and disposing are refused; recommendations come between epochs", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 1 });
  const busy = async () => {
    const calls = [() => model.retrain(clicks), () => model.save(folder.path("busy")), () => model.dispose()];
    for (const call of calls) await expectFailure(call, "ERR_BUSY", "being trained");
  };
  const inside = async () => {
    await busy();
    expect((await model.recommend([1, 2], { k: 3 })).items).toHaveLength(3);
  };
  const running = model.retrain(clicks, { nEpochs: 30, onEpoch: inside });
  await busy();
  const lists = await Promise.all(Array.from({ length: 50 }, () => model.recommend([3])));
  expect(lists).toHaveLength(50);
  await running;
  expect(model.history).toHaveLength(31);
  model.dispose();
});

test("while another call is under way it is refused", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 1 });
  const running = model.recommend(Array.from({ length: 5_000 }, () => [1, 2, 3]));
  await expectFailure(() => model.retrain(clicks), "ERR_BUSY", /./);
  await running;
  model.dispose();
});

test("an abort leaves the weights of the last whole epoch, or those from before", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 2 });
  const before = await model.predict(PROBES);
  const many = circleClicks({ sessions: 20_000 }) as typeof clicks;
  for (const whole of [0, 1]) {
    const controller = new AbortController();
    let progress = 0;
    const failure = await model
      .retrain(many, {
        nEpochs: 50,
        nSample: 2048,
        signal: controller.signal,
        onProgress: ({ epoch, epochDone }) => {
          if (epoch === 3 + whole && !epochDone && ++progress > 0) controller.abort();
        },
      })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TrainingError);
    expect((failure as TrainingError).model).toBe(model);
    expect(model.history).toHaveLength(2 + whole);
    expect(model.epoch).toBe(2 + whole);
    if (whole === 0) expect(await model.predict(PROBES)).toEqual(before);
  }
  model.dispose();
});

test("stopped in its first epoch, with another optimiser, it leaves the model as it was, to be saved and loaded", async () => {
  const many = circleClicks({ sessions: 20_000 }) as typeof clicks;
  for (const kept of [false, true]) {
    const model = await train(clicks, { ...SMALL, nEpochs: 1, keepOptimiserState: kept });
    const path = folder.path(`stopped ${kept}`);
    await model.save(path);
    const before = readFileSync(path);
    const controller = new AbortController();
    const options = { nEpochs: 2, adapt: "adam", nSample: 2048, keepOptimiserState: true } as const;
    const retraining = model.retrain(many, {
      ...options,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expectFailure(() => retraining, "ERR_ABORTED", /./);
    await expectFailure(() => model.retrain(clicks, { batchSize: 2_000_000_000 }), "ERR_CONFIG", /./);
    await model.save(path);
    expect(readFileSync(path)).toEqual(before);
    model.dispose();
  }
});

test("a recommendation asked for in an epoch that is stopped comes from the weights before it", async () => {
  const many = circleClicks({ sessions: 20_000 }) as typeof clicks;
  const model = await train(clicks, { ...SMALL, nEpochs: 1 });
  const before = await model.predict(PROBES);
  const controller = new AbortController();
  let meanwhile: Promise<Float32Array> | undefined;
  const onProgress = () => {
    meanwhile ??= model.predict(PROBES);
    controller.abort();
  };
  const retraining = model.retrain(many, { nEpochs: 2, nSample: 2048, signal: controller.signal, onProgress });
  await expectFailure(() => retraining, "ERR_ABORTED", /./);
  expect(await meanwhile).toEqual(before);
  model.dispose();
});

test("a model that serves while its new clicks are read is trained all the same", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 1 });
  const retraining = model.retrain(clicks, { nEpochs: 1 });
  const sessions = Array.from({ length: 2_000 }, () => [1, 2, 3]);
  const serving = Promise.all(Array.from({ length: 5 }, () => model.recommend(sessions)));
  await retraining;
  await serving;
  expect(model.history).toHaveLength(2);
  model.dispose();
});

test("another optimiser brings its own usual learning rate", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 1 });
  await model.retrain(clicks, { nEpochs: 1, adapt: "adadelta" });
  expect(model.config.learningRate).toBe(1);
  await model.retrain(clicks, { nEpochs: 1, adapt: "adagrad" });
  expect(model.config.learningRate).toBe(0.05);
  model.dispose();
});

test("after dispose it is refused", async () => {
  const model = await train(clicks, { ...SMALL, nEpochs: 1 });
  model.dispose();
  await expectFailure(() => model.retrain(clicks), "ERR_DISPOSED", /./);
});
