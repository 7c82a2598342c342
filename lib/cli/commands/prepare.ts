import { InvalidArgumentError, Option, type Command } from "commander";
import { OUTPUT_FORMATS, OutputFolder, RECIPE_NAMES, type OutputFormat } from "../../data";
import { Gru4RecError } from "../../errors";
import {
  prepare,
  prepareWindows,
  type DataInput,
  type EventTime,
  type HoldOut,
  type PrepareOptions,
  type RecipeName,
  type Straddling,
} from "../../index";
import { print, type Context } from "../context";
import { prepareReportText } from "../data-report";
import type { Messages } from "../messages";
import {
  addDataOptions,
  checkInputs,
  DATA_ARGUMENT,
  dataOf,
  parseInteger,
  parseNumber,
  readOptions,
  type DataFlags,
} from "../options";
import { toJson } from "../report";

interface PrepareFlags extends DataFlags {
  readonly output: string;
  readonly outputFormat: OutputFormat;
  readonly json?: true;
  readonly recipe?: RecipeName;
  readonly recentFraction?: number;
  readonly from?: EventTime;
  readonly to?: EventTime;
  readonly sessionGap?: number;
  readonly eventTypes?: readonly string[];
  readonly eventTypeColumn?: string;
  readonly removeRepeats?: true;
  readonly minItemSupport?: number;
  readonly minSessionLength?: number;
  readonly untilStable?: true;
  readonly removeUnknownItems?: true;
  readonly testTime?: number;
  readonly testSessions?: number;
  readonly testFraction?: number;
  readonly testEnd?: EventTime;
  readonly validation?: true;
  readonly validationTime?: number;
  readonly validationSessions?: number;
  readonly validationFraction?: number;
  readonly by?: "start" | "end";
  readonly straddling?: Straddling;
  readonly windows?: number;
  readonly windowLength?: number;
  readonly memoryLimit?: string;
}

/** A number, or one divided by another, such as 1/64. */
function parseFraction(text: string): number {
  const parts = text.split("/");
  if (parts.length > 2) throw new InvalidArgumentError("Expected a fraction such as 1/64.");
  const [numerator = 0, denominator = 1] = parts.map(parseNumber);
  return numerator / denominator;
}

/** Unix seconds, or ISO 8601 text. */
const parseTime = (text: string): EventTime => (/^[\d.]+$/.test(text) ? parseNumber(text) : text);

const anyOf = (...values: unknown[]) => values.some((value) => value !== undefined);

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` for flags that do not go together. */
function optionsOf(flags: PrepareFlags, messages: Messages): PrepareOptions {
  const { by, straddling, testTime, testSessions, testFraction, testEnd, recipe, eventTypeColumn } = flags;
  const { validationTime, validationSessions, validationFraction } = flags;
  const test: HoldOut | undefined = anyOf(testTime, testSessions, testFraction, testEnd)
    ? { lastTime: testTime, lastSessions: testSessions, lastFraction: testFraction, end: testEnd, by, straddling }
    : undefined;
  const validation: HoldOut | undefined = anyOf(validationTime, validationSessions, validationFraction)
    ? {
        lastTime: validationTime,
        lastSessions: validationSessions,
        lastFraction: validationFraction,
        by,
        straddling,
      }
    : undefined;
  if (test === undefined && validation === undefined && anyOf(by, straddling))
    throw new Gru4RecError("ERR_ARGUMENT", "Expected a test or validation part with --by and --straddling");
  const { columns, ...reading } = readOptions(flags, messages);
  const names = { ...columns, ...(eventTypeColumn !== undefined && { eventType: eventTypeColumn }) };
  const { from, to, sessionGap, eventTypes, removeRepeats, minItemSupport, minSessionLength, untilStable } = flags;
  return {
    ...(Object.keys(names).length > 0 && { columns: names }),
    ...reading,
    ...{ recipe, recentFraction: flags.recentFraction, from, to, sessionGap, eventTypes, removeRepeats },
    ...{ minItemSupport, minSessionLength, untilStable, removeUnknownItems: flags.removeUnknownItems, test },
    memoryLimit: flags.memoryLimit,
    validation: validation ?? flags.validation,
  };
}

async function run(data: string, flags: PrepareFlags, { signal, messages }: Context): Promise<void> {
  const { output, outputFormat, windows, windowLength, recipe } = flags;
  const options = { ...optionsOf(flags, messages), signal };
  if (windowLength !== undefined && windows === undefined)
    throw new Gru4RecError("ERR_ARGUMENT", "Expected --windows with --window-length");
  if (recipe === undefined) checkInputs([data], flags);
  const parts = [
    "train" as const,
    ...(options.validation === undefined ? [] : ["validation" as const]),
    ...(options.test === undefined && recipe === undefined ? [] : ["test" as const]),
  ];
  const folder = await OutputFolder.open(output, parts, outputFormat, windows);
  try {
    const input = recipe === undefined ? (dataOf(data, flags) as DataInput) : data;
    const prepared =
      windows === undefined
        ? [await prepare(input, options)]
        : await prepareWindows(input, { ...options, windows: { count: windows, length: windowLength } });
    const paths = await folder.write(prepared, signal);
    paths.forEach((path) => messages.note(path));
    const reports = prepared.map(({ report }) => report);
    if (flags.json) await print(toJson(windows === undefined ? reports[0] : reports));
    else await print(reports.map((report, i) => (windows === undefined ? "" : `window ${i + 1}\n`) + prepareReportText(report)).join("\n\n")); // prettier-ignore
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

const EXAMPLES = `
Examples:
  gru4rec prepare clicks.tsv --output shop --session-gap 3600 --session-column UserId --remove-repeats \\
    --min-item-support 5 --min-session-length 2 --until-stable --test-time 86400 --by start --straddling cut
  gru4rec prepare yoochoose-clicks.dat --recipe rsc15 --recent-fraction 1/64 --output rsc15-64
  gru4rec prepare retailrocket --recipe retailrocket --validation --output prepared --json

It writes train.tsv, and valid.tsv and test.tsv where they are asked for, and prints what each step removed. With
--output-format g4r they are read many times faster, by this package alone.`;

export function addPrepare(program: Command, context: Context): void {
  const seconds = (flag: string, doc: string) => new Option(`${flag} <seconds>`, doc).argParser(parseNumber);
  const count = (flag: string, doc: string) => new Option(`${flag} <n>`, doc).argParser(parseInteger);
  const fraction = (flag: string, doc: string) => new Option(`${flag} <fraction>`, doc).argParser(parseFraction);
  const time = (flag: string, doc: string) => new Option(`${flag} <time>`, doc).argParser(parseTime);
  const command = program
    .command("prepare")
    .description("make sessions of a click log, filter it, and hold a test and a validation part out")
    .argument("<data>", `${DATA_ARGUMENT}; with --recipe the raw file or its folder`)
    .requiredOption("--output <folder>", "folder to write train.tsv, valid.tsv and test.tsv to")
    .addOption(
      new Option("--output-format <format>", "of the files that are written").choices(OUTPUT_FORMATS).default("tsv"),
    )
    .option("--json", "print the report as JSON")
    .optionsGroup("Public data sets, as the literature prepares them:")
    .addOption(new Option("--recipe <name>", "from the files of the publisher").choices(RECIPE_NAMES))
    .addOption(fraction("--recent-fraction", "train on so many of the last sessions, such as 1/64"))
    .optionsGroup("Events and sessions:")
    .addOption(time("--from", "leave events from here on: Unix seconds or ISO 8601"))
    .addOption(time("--to", "leave events before this: Unix seconds or ISO 8601"))
    .addOption(seconds("--session-gap", "the session column holds users: cut where they rest for longer"))
    .addOption(
      new Option(
        "--event-types <types>",
        "leave events of these types, such as view,click; others count for gaps",
      ).argParser((text) => text.split(",")),
    )
    .option("--remove-repeats", "remove events of the same item as the one before")
    .optionsGroup("Filters:")
    .addOption(count("--min-item-support", "remove items of fewer events (default: 1)"))
    .addOption(count("--min-session-length", "remove sessions of fewer events (default: 1)"))
    .option("--until-stable", "filter sessions and items in turn until nothing changes (default: each once)")
    .optionsGroup("Test and validation:")
    .addOption(
      seconds("--test-time", "test on the sessions of so many last seconds").conflicts([
        "testSessions",
        "testFraction",
      ]),
    ) // prettier-ignore
    .addOption(count("--test-sessions", "test on so many last sessions").conflicts("testFraction"))
    .addOption(fraction("--test-fraction", "test on this share of the sessions, the last ones"))
    .addOption(time("--test-end", "where the time of the test ends (default: the last event)"))
    .option("--validation", "validate as it is tested, once more on what remains")
    .addOption(
      seconds("--validation-time", "validate on the remaining sessions of so many last seconds").conflicts([
        "validationSessions",
        "validationFraction",
      ]),
    ) // prettier-ignore
    .addOption(
      count("--validation-sessions", "validate on so many last sessions that remain").conflicts("validationFraction"),
    )
    .addOption(fraction("--validation-fraction", "validate on this share of the sessions that remain"))
    .addOption(
      new Option("--by <event>", "which event says when a session is (default: end)").choices(["start", "end"]),
    ) // prettier-ignore
    .addOption(
      new Option(
        "--straddling <how>",
        "sessions on both sides of the border are cut, dropped or kept whole (default: keep)",
      ).choices(["cut", "drop", "keep"]),
    )
    .option("--remove-unknown-items", "remove items that training does not have from test and validation")
    .addOption(count("--windows", "prepare in so many windows of time, each in a folder of its own"))
    .addOption(seconds("--window-length", "of each (default: so that each begins where the one before ends)"));
  addDataOptions(command)
    .option("--event-type-column <name>", "default: EventType, else another usual name")
    .addHelpText("after", EXAMPLES)
    .action((data: string, flags: PrepareFlags) => run(data, flags, context));
}
