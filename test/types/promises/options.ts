import { parseConfig, train, type Gru4Rec, type Hyperparameters, type TrainOptions } from "gru4rec";

declare const model: Gru4Rec<string>;

export const right: TrainOptions = {
  loss: "bpr-max",
  finalAct: "elu-0.5",
  hiddenAct: "selu-1.05-1.67",
  embedding: "layersize",
  layers: [100, 50] as const,
  adapt: "adam",
  adaptParams: [0.9, 0.999],
  device: "cuda:1",
  precision: "tf32",
  parameters: "bpreg=0.5",
  columns: { itemId: "product" },
  timeUnit: "ms",
  validation: { lastSessions: 100, metric: "mrr@5", ties: "median" },
};
export const wide: Hyperparameters = { embedding: 32 };
export const leftOut: TrainOptions = { loss: undefined, validation: undefined, signal: undefined };

// Wrong literals.
// @ts-expect-error -- bpr-max
void train("clicks.tsv", { loss: "bprmax" });
// @ts-expect-error -- shared, layersize, none or a number
void train("clicks.tsv", { embedding: "big" });
// @ts-expect-error -- adam
void train("clicks.tsv", { adapt: "Adam" });
// @ts-expect-error -- softmax is for scores only
void train("clicks.tsv", { hiddenAct: "softmax" });
// @ts-expect-error -- elu-0.5
void train("clicks.tsv", { finalAct: "elu-half" });
// @ts-expect-error -- auto, cpu, cuda or cuda:1
void train("clicks.tsv", { device: "gpu" });
// @ts-expect-error -- s or ms
void train("clicks.tsv", { timeUnit: "seconds" });
// @ts-expect-error -- a number behind the @
void train("clicks.tsv", { validation: { lastTime: 86_400, metric: "recall@x" } });
// @ts-expect-error -- recall or mrr
void train("clicks.tsv", { validation: { lastTime: 86_400, metric: "ndcg@20" } });
// @ts-expect-error -- standard, conservative or median
void model.evaluate("clicks.tsv", { ties: "random" });

// Wrong types.
// @ts-expect-error -- text is parsed in a parameter string only
void train("clicks.tsv", { batchSize: "100" });
// @ts-expect-error -- a list
void train("clicks.tsv", { layers: 100 });
// @ts-expect-error -- true or false
void train("clicks.tsv", { timeSort: 1 });
// @ts-expect-error -- null is no value
void train("clicks.tsv", { seed: null });
// @ts-expect-error -- a number
void model.recommend(["a"], { k: "20" });

// Unknown options.
// @ts-expect-error -- loss
void train("clicks.tsv", { los: "bpr-max" });
// @ts-expect-error -- the author's names are for parameter strings
void train("clicks.tsv", { n_epochs: 5 });
// @ts-expect-error -- patience
void train("clicks.tsv", { validation: { lastTime: 86_400, patient: 3 } });
// @ts-expect-error -- itemId
void train("clicks.tsv", { columns: { item: "product" } });
// @ts-expect-error -- nEpochs
parseConfig({ epochs: 5 });
// @ts-expect-error -- the shape of a network stays
void model.retrain("clicks.tsv", { layers: [50] });
// @ts-expect-error -- k
void model.recommend(["a"], { top: 5 });
// @ts-expect-error -- k
void model.evaluate("clicks.tsv", { ks: [5] });
