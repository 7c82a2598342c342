import { fstatSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { Option } from "commander";
import type { Hyperparameters } from "../../config";
import { checkInteger } from "../../errors";
import { Gru4Rec } from "../../index";
import { LARGEST_BATCH_SIZE } from "../../prediction";
import { print, type Context } from "../context";
import { addHyperparameterOptions, PLACE, readPlace } from "../hyperparameter-options";
import { parseInteger } from "../options";
import { recommendationNotes, recommendationText, toJson } from "../report";

interface RecommendFlags extends Hyperparameters {
  readonly session: string;
  readonly k?: number;
  readonly items?: readonly string[];
  readonly exclude?: readonly string[];
  readonly excludeSeen?: true;
  readonly sessionsAtOnce?: number;
  readonly json?: true;
}

function parseIds(text: string): string[] {
  return text.trim() === "" ? [] : text.split(",").map((id) => id.trim());
}

/** A session of every line of standard input. */
async function* readSessions(): AsyncGenerator<string[]> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) yield parseIds(line);
}

async function run(path: string, flags: RecommendFlags, { signal, messages }: Context): Promise<void> {
  const { session, k, items, exclude, excludeSeen, sessionsAtOnce, json } = flags;
  if (sessionsAtOnce !== undefined) checkInteger("--sessions-at-once", sessionsAtOnce, 1, LARGEST_BATCH_SIZE);
  const model = await Gru4Rec.load(path, readPlace(flags));
  const options = { k, items, exclude, excludeSeen, signal };
  if (session === "-") {
    const batchSize = sessionsAtOnce ?? (fstatSync(process.stdin.fd).isFile() ? undefined : 1);
    for await (const list of model.recommendAll(readSessions(), { ...options, batchSize })) await print(toJson(list));
  } else {
    const list = await model.recommend(parseIds(session), options);
    await print(json ? toJson(list) : recommendationText(list));
    if (!json) recommendationNotes(list).forEach((note) => messages.note(note));
  }
  model.dispose();
}

export function addRecommend(program: Command, context: Context): void {
  const command = program
    .command("recommend")
    .description("rank the items that most likely come next in a session")
    .argument("<model>", "model file")
    .requiredOption(
      "--session <ids>",
      "item ids, oldest first, with commas between; - reads a session from every line of standard input and prints JSON for each",
    )
    .addOption(new Option("--k <length>", "list length (default: 20)").argParser(parseInteger))
    .addOption(new Option("--items <ids>", "rank only these").argParser(parseIds))
    .addOption(new Option("--exclude <ids>", "never these").argParser(parseIds))
    .option("--exclude-seen", "no item of the session itself")
    .addOption(
      new Option(
        "--sessions-at-once <n>",
        "with --session -, sessions that are ranked together (default: 512 of a file, 1 of a pipe, which may want its answer)",
      ).argParser(parseInteger),
    )
    .option("--json", "print JSON");
  addHyperparameterOptions(command, PLACE);
  command
    .addHelpText(
      "after",
      `
Examples:
  gru4rec recommend shop.safetensors --session 12,7,351 --k 10 --exclude-seen
  gru4rec recommend shop.safetensors --session - < sessions.txt > lists.jsonl`,
    )
    .action((model: string, flags: RecommendFlags) => run(model, flags, context));
}
