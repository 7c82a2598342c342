import { InvalidArgumentError, Option, type Command } from "commander";
import { TIES } from "../evaluation";
import type { ReadOptions, Ties } from "../index";

// Options that several commands have, and what they give.

export interface EvaluationFlags {
  readonly k?: readonly number[];
  readonly ties?: Ties;
}

export interface ColumnFlags {
  readonly sessionColumn?: string;
  readonly itemColumn?: string;
  readonly timeColumn?: string;
  readonly timeUnit?: "s" | "ms";
}

export function parseInteger(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Expected an integer.");
  return Number(text);
}

export function parseNumber(text: string): number {
  const number = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(number)) throw new InvalidArgumentError("Expected a number.");
  return number;
}

function parseIntegers(text: string): number[] {
  return text.split(",").map(parseInteger);
}

/** Adds what {@link EvaluationFlags} has. */
export function addEvaluationOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--k <lengths>", "list lengths, such as 5,20 (default: 20; the author's -m)").argParser(parseIntegers),
    )
    .addOption(
      new Option(
        "--ties <mode>",
        "rank of a target among items of its score (default: conservative; the author's -e)",
      ).choices(TIES),
    );
}

/** Adds what {@link ColumnFlags} has. */
export function addColumnOptions(command: Command): Command {
  return command
    .optionsGroup("Columns of click logs:")
    .option("--session-column <name>", "default: SessionId (the author's -sk)")
    .option("--item-column <name>", "default: ItemId (the author's -ik)")
    .option("--time-column <name>", "default: Time (the author's -tk)")
    .addOption(
      new Option("--time-unit <unit>", "of times that are numbers (default: told by their size)").choices(["s", "ms"]),
    );
}

export function readOptions({ sessionColumn, itemColumn, timeColumn, timeUnit }: ColumnFlags): ReadOptions {
  const columns = {
    ...(sessionColumn !== undefined && { sessionId: sessionColumn }),
    ...(itemColumn !== undefined && { itemId: itemColumn }),
    ...(timeColumn !== undefined && { time: timeColumn }),
  };
  return { columns, timeUnit };
}

/** A click log by its name on the command line: `-` is standard input. */
export function dataOf(path: string): string | NodeJS.ReadStream {
  return path === "-" ? process.stdin : path;
}
