import { Option, type Command } from "commander";
import { parameterNames, parseConfig, type ParsedConfig } from "../../config";
import { Gru4RecError, reason } from "../../errors";
import {
  Gru4Rec,
  train,
  TrainingError,
  type DataInput,
  type ValidationMetric,
  type ValidationOptions,
} from "../../index";
import { checkWritable } from "../../files";
import { checkInput } from "../check-input";
import type { Context } from "../context";
import { addConfigOptions, PLACE, readConfiguration, readPlace, type ConfigFlags } from "../hyperparameter-options";
import {
  addDataOptions,
  addEvaluationOptions,
  checkInputs,
  DATA_ARGUMENT,
  dataOf,
  parseInteger,
  parseNumber,
  readOptions,
} from "../options";
import { progressView } from "../progress";
import { evaluateAndPrint, type EvaluateFlags } from "./evaluate";

const appendPath = (path: string, paths?: readonly string[]) => [...(paths ?? []), path];

interface TrainFlags extends ConfigFlags, EvaluateFlags {
  readonly output?: string;
  readonly test?: readonly string[];
  readonly loadModel?: true;
  readonly optimiserState?: true;
  readonly window?: number;
  readonly validation?: string;
  readonly validationSessions?: number;
  readonly validationTime?: number;
  readonly metric?: ValidationMetric;
  readonly every?: number;
  readonly patience?: number;
}

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` for flags that do not go together. */
function checkFlags(data: string, flags: TrainFlags): void {
  const { output, test = [], validation, validationSessions, validationTime } = flags;
  const refuse = (message: string) => {
    throw new Gru4RecError("ERR_ARGUMENT", message);
  };
  if (flags.loadModel && test.length === 0) refuse("Expected --test with --load-model, which evaluates only");
  if (output === undefined && test.length === 0)
    refuse("Expected --output or --test: without both, nothing would be left of the training");
  if (flags.logPrimaryMetric && test.length === 0) refuse("Expected --test with --log-primary-metric");
  if ((validation ?? validationSessions ?? validationTime) === undefined) {
    for (const name of ["metric", "every", "patience"] as const) {
      if (flags[name] === undefined) continue;
      refuse(`Expected --validation, --validation-sessions or --validation-time with --${name}`);
    }
  }
  const inputs = [...(flags.loadModel ? [] : [data]), ...(validation === undefined ? [] : [validation]), ...test];
  checkInputs(inputs, flags);
}

function validationOf(flags: TrainFlags): ValidationOptions | undefined {
  const { validation: path, validationSessions: lastSessions, validationTime: lastTime } = flags;
  if ((path ?? lastSessions ?? lastTime) === undefined) return undefined;
  const { metric, every, patience, ties } = flags;
  const data = path === undefined ? undefined : (dataOf(path, flags) as DataInput);
  return { data, lastSessions, lastTime, metric, every, patience, ties };
}

async function trainModel(
  data: string,
  flags: TrainFlags,
  { config, warnings }: ParsedConfig,
  context: Context,
): Promise<Gru4Rec> {
  const { signal, messages } = context;
  warnings.forEach((warning) => messages.note(`warning: ${warning}`));
  const said = parseConfig(config).warnings; // above, under the names that the user wrote
  const view = progressView(messages);
  return train(dataOf(data, flags) as DataInput, {
    ...config,
    ...readOptions(flags, messages),
    validation: validationOf(flags),
    keepOptimiserState: flags.optimiserState,
    window: flags.window,
    signal,
    onProgress: (progress) => view.onProgress(progress),
    onEpoch: (report) => view.onEpoch(report),
    onWarning: (warning) => {
      if (!said.includes(warning)) messages.note(`warning: ${warning}`);
    },
  });
}

async function save(model: Gru4Rec, path: string, { messages }: Context): Promise<void> {
  await model.save(path);
  messages.note(`${path}: ${model.itemCount} items, epoch ${model.epoch}, trained on ${model.device}`);
}

async function run(data: string, flags: TrainFlags, context: Context): Promise<void> {
  const { output, test = [] } = flags;
  checkFlags(data, flags);
  if (test.length > 0 && flags.ties === undefined)
    context.messages.note(
      "note: ties count against the model (conservative); the author's tool has them count for it, which is --ties standard",
    );
  let model: Gru4Rec;
  if (flags.loadModel) model = await Gru4Rec.load(data, readPlace(flags));
  else {
    const parsed = await readConfiguration(flags);
    for (const path of [...test, ...(flags.validation === undefined ? [] : [flags.validation])])
      await checkInput(path, flags);
    if (output !== undefined) await checkWritable(output);
    try {
      model = await trainModel(data, flags, parsed, context);
    } catch (error) {
      const stopped = error instanceof TrainingError ? (error as TrainingError).model : undefined;
      if (stopped !== undefined && output !== undefined)
        await save(stopped, output, context).catch((why: unknown) => context.messages.note(`gru4rec: ${reason(why)}`));
      throw error;
    }
    if (output !== undefined) await save(model, output, context);
  }
  await evaluateAndPrint(model, test, flags, context);
  model.dispose();
}

/** Flags that say nothing where nothing is trained. */
const OF_TRAINING = [
  ...[
    "output",
    "optimiserState",
    "window",
    "config",
    "parameters",
    "validation",
    "validationSessions",
    "validationTime",
  ],
  ...parameterNames.filter((name) => !PLACE.includes(name)),
];

const EXAMPLES = `
Examples:
  gru4rec train clicks.tsv --output shop.safetensors --loss bpr-max --layers 100/50 --n-epochs 5
  gru4rec train clicks.tsv --output shop.safetensors --config shop.jsonc --validation-time 86400 --patience 3
  gru4rec train "clicks/2026-*.parquet" --output shop.safetensors --session-column visit
  gru4rec train shop.duckdb --query "FROM clicks WHERE ts > '2026-01-01'" --output shop.safetensors
  gru4rec train clicks.g4r --window 10000000 --output shop.safetensors
  ssh shop cat clicks.tsv.gz | gru4rec train - --output shop.safetensors

As in the author's tool:
  gru4rec train clicks.tsv -ps loss=bpr-max,layers=100/100 -t test.tsv -m 5 20 -e standard -s shop.safetensors
  gru4rec train shop.safetensors -l -t test1.tsv test2.tsv -lpm

Ctrl-C stops training and keeps the last whole epoch; a second one leaves at once.`;

export function addTrain(program: Command, context: Context): void {
  const command = program
    .command("train")
    .description("train a model on a click log with the columns SessionId, ItemId and Time, or of other usual names")
    .argument("<data>", DATA_ARGUMENT)
    .option("--output <model>", "file to write the model to (the author's -s)")
    .addOption(
      new Option(
        "--window <events>",
        "leave a prepared log (.g4r) in its file, with so many events in memory at a time, twice",
      ).argParser(parseInteger),
    )
    .option("--optimiser-state", "keep the optimiser's state in the model, to go on training from it")
    .addOption(
      new Option("--load-model", "<data> is a model: train nothing, evaluate it on --test (the author's -l)").conflicts(
        OF_TRAINING,
      ),
    )
    .optionsGroup("Evaluation:")
    .option("--test <data>", "click log to evaluate on; may be repeated (the author's -t)", appendPath);
  addEvaluationOptions(command)
    .option("--json", "print evaluations as JSON, one a line")
    .addOption(
      new Option(
        "--log-primary-metric",
        "print PRIMARY METRIC: and recall at the first list length on the first --test (the author's -lpm)",
      ).conflicts("json"),
    )
    .optionsGroup("Validation, which chooses the epoch of the model:")
    .addOption(
      new Option("--validation <data>", "click log to validate on").conflicts(["validationSessions", "validationTime"]),
    )
    .addOption(
      new Option("--validation-sessions <n>", "validate on so many last sessions of the data")
        .argParser(parseInteger)
        .conflicts("validationTime"),
    )
    .addOption(
      new Option("--validation-time <seconds>", "validate on the sessions that end in so many last seconds").argParser(
        parseNumber,
      ),
    )
    .option("--metric <metric>", "recall@k or mrr@k (default: recall@20)")
    .addOption(new Option("--every <n>", "epochs between two measurements (default: 1)").argParser(parseInteger))
    .addOption(
      new Option("--patience <n>", "measurements without a better one after which to stop (default: never)").argParser(
        parseInteger,
      ),
    );
  addDataOptions(command);
  addConfigOptions(command)
    .addHelpText("after", EXAMPLES)
    .action((data: string, flags: TrainFlags) => run(data, flags, context));
}
