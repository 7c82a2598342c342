import gru4rec = require("gru4rec");

const settings: gru4rec.TrainOptions = { loss: "top1" };
const model: Promise<gru4rec.Gru4Rec<string>> = gru4rec.train<string>("clicks.tsv", settings);
void model.then((trained) => trained.recommend(["a"]));
// @ts-expect-error -- top1
void gru4rec.train("clicks.tsv", { loss: "top-1" });
// @ts-expect-error -- there is no default export
void gru4rec.default;
