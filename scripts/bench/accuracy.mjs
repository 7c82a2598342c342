import { ExplainedError } from "../support/run.mjs";
import { defaultParameters, median, parseOptions, positiveInteger, positiveIntegers } from "./options.mjs";

const usage = `npm run bench -- accuracy --train FILE --test FILE [options]
  --train FILE         click log to train on
  --test FILE          click log whose next items are predicted
  --parameters STRING  the author's parameter string (default: ${defaultParameters})
  --seeds A,B,C        one training each (default 1,2,3)
  --epochs N           default 10
  --k N                length of the lists (default 20)
  --json               print JSON`;

const string = { type: "string" };
const options = {
  train: string,
  test: string,
  parameters: { ...string, default: defaultParameters },
  seeds: { ...string, default: "1,2,3" },
  epochs: { ...string, default: "10" },
  k: { ...string, default: "20" },
  json: { type: "boolean", default: false },
};

/** Recall@k and MRR@k on unseen sessions, trained with several seeds. Ties count against the model. */
export async function benchAccuracy(args) {
  const { train: trainFile, test: testFile, parameters, seeds, epochs, k, json } = parseOptions(args, options, usage);
  if (trainFile === undefined || testFile === undefined)
    throw new ExplainedError(`Expected --train and --test\n\n${usage}`);
  const length = positiveInteger("k", k);
  const { readEvents, train, Gru4RecError } = await import("../../dist/index.js");
  const runs = [];
  try {
    const [trainLog, testLog] = await Promise.all([readEvents(trainFile), readEvents(testFile)]);
    for (const seed of positiveIntegers("seeds", seeds)) {
      const model = await train(trainLog, { parameters, seed, nEpochs: positiveInteger("epochs", epochs) });
      const { recall, mrr, targets } = await model.evaluate(testLog, { k: [length], ties: "conservative" });
      const run = { seed, recall: recall[length], mrr: mrr[length], targets, loss: model.history.at(-1).loss };
      if (!json) {
        const metrics = `Recall@${k} ${run.recall.toFixed(4)}  MRR@${k} ${run.mrr.toFixed(4)}`;
        console.log(`seed ${seed}  loss ${run.loss.toFixed(4)}  ${metrics}  on ${targets} targets`);
      }
      runs.push(run);
      model.dispose();
    }
  } catch (error) {
    throw error instanceof Gru4RecError ? new ExplainedError(`${error.code}: ${error.message}`) : error;
  }
  const medians = { recall: median(runs.map(({ recall }) => recall)), mrr: median(runs.map(({ mrr }) => mrr)) };
  if (json) console.log(JSON.stringify({ parameters, runs, median: medians }));
  else console.log(`median  Recall@${k} ${medians.recall.toFixed(4)}  MRR@${k} ${medians.mrr.toFixed(4)}`);
}
