import { compare, splitByTime, train } from "../lib";
import { circleClicks, SMALL } from "./support/clicks";
import { expectFailure } from "./support/errors";

test("the model and two simple recommenders on the same targets", async () => {
  const { train: trainLog, test: testLog } = await splitByTime(circleClicks({ sessions: 400 }), 500);
  const model = await train(trainLog, { ...SMALL, nEpochs: 10, learningRate: 0.2 });
  const { gru4rec, mostPopular, lastItem } = await compare(model, trainLog, testLog, { k: [1, 20] });
  expect(gru4rec).toEqual(await model.evaluate(testLog, { k: [1, 20] }));
  expect(Object.keys(mostPopular.recall)).toEqual(["1", "20"]);
  // The next item is nearly always the successor; popularity knows nothing of it.
  expect(lastItem.recall[1]).toBeGreaterThan(0.75);
  expect(mostPopular.recall[1]).toBeLessThan(0.2);
  expect(mostPopular.mrr[20]).toBeLessThan(lastItem.mrr[20]!);

  await expectFailure(
    () => compare(model, circleClicks({ items: 5 }), testLog),
    "ERR_DATA",
    "Expected the data that the model was trained on but received 5 items where the model has 30",
  );
  model.dispose();
});
