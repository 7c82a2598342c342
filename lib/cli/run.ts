import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { reason } from "../errors";
import { Gru4Rec, Gru4RecError, train, type Ties } from "../index";
import { rewriteAuthorFlags } from "./author-flags";
import { progressPrinter } from "./progress-printer";
import { evaluationText, recommendationNotes, recommendationText, toJson } from "./report";

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const note = (text: string) => process.stderr.write(`${text}\n`);
const print = (text: string) => process.stdout.write(`${text}\n`);

function parseInteger(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Expected an integer.");
  return Number(text);
}

function parseIntegers(text: string): number[] {
  return text.split(",").map(parseInteger);
}

interface TrainFlags {
  readonly output: string;
  readonly test?: string;
  readonly parameters?: string;
  readonly k?: number[];
  readonly ties?: Ties;
  readonly json?: true;
}

type EvaluateFlags = Pick<TrainFlags, "k" | "ties" | "json">;

interface RecommendFlags {
  readonly session: string;
  readonly k?: number;
  readonly json?: true;
}

/** Finds out before hours of training whether the model can be written. */
async function checkOutput(path: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK);
    const existing = await stat(path).catch(() => undefined);
    if (existing?.isDirectory()) throw new Error("it is a directory");
  } catch (error) {
    throw new Gru4RecError("ERR_FILE", `Expected to write ${path} but ${reason(error)}`, { cause: error });
  }
}

async function runTrain(data: string, flags: TrainFlags, signal: AbortSignal): Promise<void> {
  await checkOutput(flags.output);
  const model = await train(data, {
    parameters: flags.parameters ?? "",
    signal,
    onProgress: progressPrinter(process.stderr),
    onWarning: (warning) => note(`warning: ${warning}`),
  });
  await model.save(flags.output);
  note(`${flags.output}: ${model.itemCount} items, trained on ${model.device}`);
  if (flags.test !== undefined) await evaluateAndPrint(model, flags.test, flags, signal);
  model.dispose();
}

async function runEvaluate(path: string, data: string, flags: EvaluateFlags, signal: AbortSignal): Promise<void> {
  const model = await Gru4Rec.load(path);
  await evaluateAndPrint(model, data, flags, signal);
  model.dispose();
}

async function evaluateAndPrint(
  model: Gru4Rec,
  data: string,
  { k, ties, json }: EvaluateFlags,
  signal: AbortSignal,
): Promise<void> {
  const evaluation = await model.evaluate(data, { k, ties, signal });
  print(json ? toJson(evaluation) : evaluationText(evaluation));
}

async function runRecommend(path: string, { session, k, json }: RecommendFlags, signal: AbortSignal): Promise<void> {
  const model = await Gru4Rec.load(path);
  const ids = session.trim() === "" ? [] : session.split(",").map((id) => id.trim());
  const recommendations = await model.recommend(ids, { k, signal });
  if (json) print(toJson(recommendations));
  else {
    print(recommendationText(recommendations));
    recommendationNotes(recommendations).forEach(note);
  }
  model.dispose();
}

function makeProgram(signal: AbortSignal): Command {
  const program = new Command("gru4rec");
  const lengths = () =>
    new Option("--k <lengths>", "list lengths, such as 5,20 (default: 20)").argParser(parseIntegers);
  const ties = () =>
    new Option("--ties <mode>", "rank of a target among items of its score").choices([
      "standard",
      "conservative",
      "median",
    ]);

  program
    .description("Session-based recommendations with GRU4Rec")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "gru4rec: ")) });
  program
    .command("train")
    .description("train a model on a TSV or CSV file with the columns SessionId, ItemId and Time")
    .argument("<data>", "click log")
    .requiredOption("--output <model>", "file to write the model to (the author's -s)")
    .option("--parameters <string>", "the author's parameter string (-ps): loss=bpr-max,layers=100/100,…")
    .option("--test <data>", "click log to evaluate on (the author's -t)")
    .addOption(lengths())
    .addOption(ties())
    .option("--json", "print the evaluation as JSON")
    .action((data: string, flags: TrainFlags) => runTrain(data, flags, signal));
  program
    .command("evaluate")
    .description("measure Recall@k and MRR@k of a model on a click log")
    .argument("<model>", "model file")
    .argument("<data>", "click log")
    .addOption(lengths())
    .addOption(ties())
    .option("--json", "print JSON")
    .action((model: string, data: string, flags: EvaluateFlags) => runEvaluate(model, data, flags, signal));
  program
    .command("recommend")
    .description("rank the items that most likely come next in a session")
    .argument("<model>", "model file")
    .requiredOption("--session <ids>", "item ids, oldest first, with commas between")
    .addOption(new Option("--k <length>", "list length (default: 20)").argParser(parseInteger))
    .option("--json", "print JSON")
    .action((model: string, flags: RecommendFlags) => runRecommend(model, flags, signal));
  return program;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (!(error instanceof Gru4RecError)) return EXIT.failed;
  if (error.code === "ERR_ABORTED") return EXIT.interrupted;
  return error.code === "ERR_CONFIG" || error.code === "ERR_ARGUMENT" ? EXIT.usage : EXIT.failed;
}

/**
 * Runs one command: results go to standard output, everything else to standard error.
 * @param args - Without the names of Node and of the script.
 * @returns The exit code: 0 done, 1 failed, 2 usage or configuration, 130 interrupted.
 */
export async function run(args: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once("SIGINT", interrupt);
  try {
    await makeProgram(interruption.signal).parseAsync(rewriteAuthorFlags(args), { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof CommanderError)) note(`gru4rec: ${reason(error)}`);
    return exitCodeOf(error);
  } finally {
    process.removeListener("SIGINT", interrupt);
  }
}
