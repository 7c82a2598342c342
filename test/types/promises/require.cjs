const { train, Gru4RecError } = require("gru4rec");

/** @type {import("gru4rec").TrainOptions} */
const options = { nEpochs: 5, loss: "bpr" };

/** @returns {Promise<string[]>} */
module.exports = async function recommend() {
  const model = await train({ sessionId: [1], itemId: ["a"], time: [1] }, options);
  const { items } = await model.recommend(["a"]);
  return items;
};

/** @param {unknown} error */
module.exports.isOurs = (error) => error instanceof Gru4RecError && error.code === "ERR_ABORTED";

// @ts-expect-error -- bpr
void train("clicks.tsv", { loss: "BPR" });
