import {
  compare,
  ConfigError,
  Gru4Rec,
  Gru4RecError,
  parseConfig,
  Predictor,
  train,
  TrainingError,
  type EpochReport,
  type ErrorCode,
  type Problem,
  type TrainProgress,
} from "gru4rec";
import type { Same } from "./same.js";

export async function models(): Promise<void> {
  const model = await train<string>("clicks.tsv", {
    onEpoch: (report) => {
      true satisfies Same<typeof report, EpochReport>;
      true satisfies Same<typeof report.loss, number>;
      const recall: number | undefined = report.validation?.recall[20];
      return recall === undefined || recall > 0.5 ? "stop" : undefined;
    },
    onProgress: (progress) => {
      true satisfies Same<typeof progress, TrainProgress>;
    },
    onWarning: (message) => message.toUpperCase(),
  });
  void train("clicks.tsv", { onEpoch: async () => Promise.resolve("stop") });
  // @ts-expect-error -- a report, not an epoch's number
  void train("clicks.tsv", { onEpoch: (epoch: number) => epoch });
  // @ts-expect-error -- without a measurement there is none
  void train("clicks.tsv", { onEpoch: ({ validation }) => validation.targets });

  // Errors.
  try {
    await train("clicks.tsv", { signal: AbortSignal.timeout(1000) });
  } catch (error) {
    if (error instanceof TrainingError) {
      true satisfies Same<typeof error.code, ErrorCode>;
      error.model satisfies Gru4Rec | undefined;
      // @ts-expect-error -- absent before the first whole epoch
      await error.model.save("stopped.safetensors");
      await error.model?.save("stopped.safetensors");
    }
    if (error instanceof ConfigError) true satisfies Same<typeof error.problems, readonly Problem[]>;
    // @ts-expect-error -- ERR_ABORTED
    if (error instanceof Gru4RecError && error.code === "ERR_ABORT") throw error;
  }

  // Slots that go on.
  const predictor = model.predictor({ batchSize: 2 });
  true satisfies Same<typeof predictor, Predictor<string>>;
  const scores: Float32Array = await predictor.next([1, 2], ["sofa", "lamp"], ["rug"]);
  void scores;
  // @ts-expect-error -- numbers are no items of this model
  void predictor.next([1, 2], [1, 2]);
  // @ts-expect-error -- model.predictor() makes it
  new Predictor();
  // @ts-expect-error -- train() and load() make it
  new Gru4Rec();
  // @ts-expect-error -- inside the package only
  void Gru4Rec.fit;

  // Metrics.
  const { recall, mrr, targets } = await model.evaluate("test.tsv", { k: [5, 20], items: ["a"] });
  true satisfies Same<(typeof recall)[5], number>;
  true satisfies Same<(typeof mrr)[20], number>;
  true satisfies Same<typeof targets, number>;
  const comparison = await compare(model, "train.tsv", "test.tsv");
  true satisfies Same<(typeof comparison.mostPopular.recall)[20], number>;

  // The configuration is plain data, and read-only.
  const { config, warnings } = parseConfig({ loss: "bpr-max" }, "layers=100");
  true satisfies Same<typeof warnings, readonly string[]>;
  true satisfies Same<typeof config.nEpochs, number>;
  true satisfies Same<typeof config.loss, "cross-entropy" | "xe_logit" | "bpr" | "bpr-max" | "top1" | "top1-max">;
  true satisfies Same<typeof model.config, typeof config>;
  true satisfies Same<ReturnType<typeof config.describe>, string>;
  // @ts-expect-error -- read-only
  config.nEpochs = 5;
  // @ts-expect-error -- read-only
  model.history.push();
  // @ts-expect-error -- read-only
  model.epoch = 1;

  const { history, skippedEvents } = await model.retrain("day2.tsv", { nEpochs: 2, keepOptimiserState: true });
  true satisfies Same<typeof history, readonly EpochReport[]>;
  true satisfies Same<typeof skippedEvents, number>;
  await model[Symbol.asyncDispose]();
  model.dispose();
}
