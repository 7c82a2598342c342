import { train, type EpochReport, type Gru4Rec, type TrainOptions, type ValidationOptions } from "../../lib";
import { circleClicks, SMALL } from "../support/clicks";
import { expectFailure } from "../support/errors";

const clicks = circleClicks();
const held = circleClicks({ seed: 2, sessions: 60 });

async function trained(options: TrainOptions): Promise<Gru4Rec> {
  return train(clicks, { ...SMALL, ...options });
}

/** A model that gets worse with every epoch after the third or so: the steps are far too large by then. */
const WORSENING = { nEpochs: 8, learningRate: 0.3, loss: "bpr", adapt: "sgd" } as const;

test("every epoch is measured, and the model has the weights of the best one", async () => {
  const model = await trained({ ...WORSENING, validation: { data: held, metric: "mrr@5" } });
  expect(model.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const values = model.history.map(({ validation }) => validation!.mrr[5]!);
  const best = Math.max(...values);
  expect(model.epoch).toBe(values.indexOf(best) + 1);
  const { mrr, targets } = await model.evaluate(held, { k: 5 });
  expect(mrr[5]).toBe(best);
  expect(model.history[0]!.validation).toMatchObject({ targets });

  // The same training that ends with the best epoch, without any validation, has the same weights.
  const shorter = await trained({ ...WORSENING, nEpochs: model.epoch });
  expect(await model.predict([[1, 2], [7]])).toEqual(await shorter.predict([[1, 2], [7]]));
  model.dispose();
  shorter.dispose();
});

test("patience stops training after so many measurements without a better one", async () => {
  const options = { ...WORSENING, nEpochs: 500, validation: { data: held, metric: "recall@1", patience: 2 } } as const;
  const model = await trained(options);
  expect(model.history.length).toBeLessThan(500);
  expect(model.history.length).toBe(model.epoch + 2);
  const values = model.history.map(({ validation }) => validation!.recall[1]!);
  expect(values[model.epoch - 1]).toBe(Math.max(...values));
  model.dispose();
});

test("`every` measures some epochs, and always the last", async () => {
  const model = await trained({ nEpochs: 5, validation: { data: held, every: 2 } });
  expect(model.history.map(({ validation }) => validation !== undefined)).toEqual([false, true, false, true, true]);
  expect([2, 4, 5]).toContain(model.epoch);
  model.dispose();
});

test("an epoch that onEpoch stops at is measured, too", async () => {
  const validation = { data: held, every: 2 };
  const model = await trained({ nEpochs: 9, validation, onEpoch: ({ epoch }) => (epoch === 3 ? "stop" : undefined) });
  expect(model.history.map(({ validation }) => validation !== undefined)).toEqual([false, true, true]);
  model.dispose();
});

test("with fewer than 20 items the default metric is recall of all", async () => {
  const few = circleClicks({ items: 5 });
  const model = await train(few, { ...SMALL, nEpochs: 1, validation: { lastSessions: 20 } });
  expect(model.history[0]!.validation!.recall).toEqual({ 5: 1 });
  model.dispose();
});

test("a validation changes nothing of the training", async () => {
  const plain = await trained({ nEpochs: 2 });
  const model = await trained({ nEpochs: 2, validation: { data: held } });
  expect(model.history.map(({ loss }) => loss)).toEqual(plain.history.map(({ loss }) => loss));
  model.dispose();
  plain.dispose();
});

test.each<[ValidationOptions, number]>([
  [{ lastSessions: 20 }, 180],
  [{ lastTime: 195 }, 180],
])("%j is taken out of the training data", async (validation, left) => {
  const reports: EpochReport[] = [];
  const model = await trained({ nEpochs: 1, validation, onEpoch: (report) => reports.push(report) });
  // Sessions are numbered by time.
  const pairs = (inPart: (session: number) => boolean) =>
    clicks.sessionId.filter((session, event) => inPart(session) && clicks.sessionId[event - 1] === session).length;
  expect(reports[0]!.events).toBe(pairs((session) => session < left));
  expect(reports[0]!.validation!.targets).toBe(pairs((session) => session >= left));
  model.dispose();
});

test.each<[object, string]>([
  [{}, "Expected validation to have one of data, lastSessions and lastTime but received none of them"],
  [{ lastSessions: 1, lastTime: 2 }, "but received lastSessions and lastTime"],
  [{ lastSessions: 0 }, "Expected validation.lastSessions to be an integer from 1"],
  [{ lastTime: -1 }, "Expected validation.lastTime to be a number of seconds above 0 but received -1 (number)"],
  [
    { lastSessions: 1, metric: "recall" },
    'Expected validation.metric to be recall@k or mrr@k, such as recall@20, but received "recall" (string)',
  ],
  [{ lastSessions: 1, metric: "recall@0" }, "Expected validation.metric to be recall@k"],
  [
    { lastSessions: 1, metric: "mrr@31" },
    'Expected validation.metric to be recall@k or mrr@k with k from 1 to 30 but received "mrr@31" (string)',
  ],
  [{ lastSessions: 1, patiance: 1 }, "Unknown option patiance; did you mean patience? (validation)"],
  [{ lastSessions: 1, every: 0 }, "Expected validation.every to be an integer from 1"],
  [{ lastSessions: 1, patience: 1.5 }, "Expected validation.patience to be an integer from 1"],
  [{ lastSessions: 1, ties: "best" }, "Expected validation.ties to be one of standard, conservative, median"],
])("refuses the validation %j", async (validation, message) => {
  await expectFailure(() => trained({ validation: validation }), "ERR_ARGUMENT", message);
});

test("a validation that is no object is refused, and one that takes all sessions", async () => {
  await expectFailure(() => trained({ validation: 5 as never }), "ERR_ARGUMENT", "Expected validation to be an object");
  await expectFailure(() => trained({ validation: { lastSessions: 200 } }), "ERR_DATA", "to train on");
});
