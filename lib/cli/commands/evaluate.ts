import { Gru4Rec, type DataInput } from "../../index";
import { print, type Context } from "../context";
import { addHyperparameterOptions, PLACE, readPlace } from "../hyperparameter-options";
import {
  addDataOptions,
  addEvaluationOptions,
  checkInputs,
  DATA_ARGUMENT,
  dataOf,
  readOptions,
  type DataFlags,
  type EvaluationFlags,
} from "../options";
import { evaluationText, primaryMetricText, toJson } from "../report";
import type { Command } from "commander";
import type { Hyperparameters } from "../../config";

export interface EvaluateFlags extends EvaluationFlags, DataFlags {
  readonly json?: true;
  readonly logPrimaryMetric?: true;
}

/** Measures a model on a click log and prints the result. */
export async function evaluateAndPrint(
  model: Gru4Rec,
  paths: readonly string[],
  flags: EvaluateFlags,
  { signal, messages }: Context,
): Promise<void> {
  const { k, ties } = flags;
  for (const [i, path] of paths.entries()) {
    const options = { k, ties, signal, ...readOptions(flags, messages) };
    const evaluation = await model.evaluate(dataOf(path, flags) as DataInput, options);
    if (flags.json) await print(toJson(evaluation));
    else await print((paths.length > 1 ? `${path}:\n` : "") + evaluationText(evaluation));
    const [first] = k ?? Object.keys(evaluation.recall).map(Number);
    if (flags.logPrimaryMetric && i === 0) await print(primaryMetricText(evaluation, first!));
  }
}

async function run(path: string, data: string, flags: EvaluateFlags & Hyperparameters, context: Context) {
  checkInputs([data], flags);
  const model = await Gru4Rec.load(path, readPlace(flags));
  await evaluateAndPrint(model, [data], flags, context);
  model.dispose();
}

export function addEvaluate(program: Command, context: Context): void {
  const command = program
    .command("evaluate")
    .description("measure Recall@k and MRR@k of a model on a click log")
    .argument("<model>", "model file")
    .argument("<data>", DATA_ARGUMENT);
  addEvaluationOptions(command).option("--json", "print JSON");
  addDataOptions(command);
  addHyperparameterOptions(command, PLACE);
  command
    .addHelpText("after", "\nExample:\n  gru4rec evaluate shop.safetensors test.tsv --k 5,20 --json")
    .action((model: string, data: string, flags: EvaluateFlags & Hyperparameters) => run(model, data, flags, context));
}
