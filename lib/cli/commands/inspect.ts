import type { Command } from "commander";
import { inspect, type DataInput } from "../../index";
import { print, type Context } from "../context";
import { dataReportText } from "../data-report";
import { addColumnOptions, dataOf, readOptions, type ColumnFlags } from "../options";
import { toJson } from "../report";

async function run(data: string, { json, ...flags }: ColumnFlags & { json?: true }, { signal }: Context) {
  const report = await inspect(dataOf(data) as DataInput, { ...readOptions(flags), signal });
  await print(json ? toJson(report) : dataReportText(report));
}

export function addInspect(program: Command, context: Context): void {
  const command = program
    .command("inspect")
    .description("print what is in a click log, and what is probably a mistake in it")
    .argument("<data>", "TSV or CSV file; - is standard input")
    .option("--json", "print JSON");
  addColumnOptions(command).action((data: string, flags: ColumnFlags & { json?: true }) => run(data, flags, context));
}
