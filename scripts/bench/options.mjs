import { parseArgs } from "node:util";
import { ExplainedError } from "../support/run.mjs";

/** The parameter set that benchmarks run when none is given. */
export const defaultParameters =
  "layers=100,batch_size=32,dropout_p_embed=0.1,learning_rate=0.1,n_sample=2048,sample_alpha=0.75,logq=1," +
  "loss=cross-entropy,constrained_embedding=True";

/** Options of one benchmark, as node:util's parseArgs describes them; `usage` goes with the message of a wrong one. */
export function parseOptions(args, options, usage) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new ExplainedError(`${error.message}\n\n${usage}`);
  }
}

export function positiveInteger(name, text) {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text))
    throw new ExplainedError(`Expected --${name} to be a positive integer but received ${text}`);
  return Number(text);
}

/** "1,2,3" */
export function positiveIntegers(name, text) {
  return text.split(",").map((part) => positiveInteger(name, part));
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
