import { InvalidArgumentError, Option, type Command } from "commander";
import { TIES } from "../evaluation";
import { FILE_FORMATS, mayBeDatabase } from "../data";
import { Gru4RecError } from "../errors";
import type { DatabaseSource, FileFormat, ReadOptions, Ties } from "../index";
import type { Messages } from "./messages";

// Options that several commands have, and what they give.

export interface EvaluationFlags {
  readonly k?: readonly number[];
  readonly ties?: Ties;
}

/** How to read click logs. */
export interface DataFlags {
  readonly sessionColumn?: string;
  readonly itemColumn?: string;
  readonly timeColumn?: string;
  readonly timeUnit?: "s" | "ms";
  readonly format?: FileFormat;
  readonly table?: string;
  readonly query?: string;
  readonly skipBadRows?: true;
  readonly memoryLimit?: string;
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

/** What the argument of a click log is. */
export const DATA_ARGUMENT =
  "click log: a CSV, TSV, JSON lines or Parquet file, a folder or pattern of such files, or a DuckDB or SQLite file with --table or --query; - is standard input";

/** Adds what {@link DataFlags} has. */
export function addDataOptions(command: Command): Command {
  return command
    .optionsGroup("Click logs:")
    .option("--session-column <name>", "default: SessionId, else another usual name (the author's -sk)")
    .option("--item-column <name>", "default: ItemId, else another usual name (the author's -ik)")
    .option("--time-column <name>", "default: Time, else another usual name (the author's -tk)")
    .addOption(
      new Option("--time-unit <unit>", "of times that are numbers (default: told by their size)").choices(["s", "ms"]),
    )
    .addOption(
      new Option("--format <format>", "what files hold; csv is TSV, too (default: told by their names)").choices(
        FILE_FORMATS,
      ),
    )
    .addOption(new Option("--table <name>", "table or view of a DuckDB or SQLite file").conflicts(["query", "format"]))
    .addOption(new Option("--query <sql>", "what to read of a DuckDB or SQLite file").conflicts("format"))
    .option("--skip-bad-rows", "leave out rows that are no events, and count them")
    .option("--memory-limit <size>", "memory to read files with, such as 2GB (default: 512MB)");
}

export function readOptions(flags: DataFlags, messages: Messages): ReadOptions {
  const { sessionColumn, itemColumn, timeColumn, timeUnit, format, skipBadRows, memoryLimit } = flags;
  const columns = {
    ...(sessionColumn !== undefined && { sessionId: sessionColumn }),
    ...(itemColumn !== undefined && { itemId: itemColumn }),
    ...(timeColumn !== undefined && { time: timeColumn }),
  };
  const onNote = (note: string) => messages.note(`note: ${note}`);
  return { columns, timeUnit, format, skipBadRows, memoryLimit, onNote };
}

/**
 * A click log by its name on the command line: `-` is standard input; what is no other file by its name is a database
 * where there is a table or query.
 */
export function dataOf(path: string, { table, query }: DataFlags): string | DatabaseSource | NodeJS.ReadStream {
  if (path === "-") return process.stdin;
  if (!mayBeDatabase(path)) return path;
  if (table !== undefined) return { database: path, table };
  return query === undefined ? path : { database: path, query };
}

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` for a table or query of no database, and for standard input twice. */
export function checkInputs(paths: readonly string[], { table, query }: DataFlags): void {
  if (paths.filter((path) => path === "-").length > 1)
    throw new Gru4RecError("ERR_ARGUMENT", "Expected - once: standard input can be read only once");
  if ((table ?? query) === undefined || paths.some((path) => path !== "-" && mayBeDatabase(path))) return;
  const message = `Expected a DuckDB or SQLite file with --${table === undefined ? "query" : "table"} but received ${paths.join(", ")}`;
  throw new Gru4RecError("ERR_ARGUMENT", message);
}
