import type { Command } from "commander";
import { inspect, type DataInput } from "../../index";
import { print, type Context } from "../context";
import { dataReportText } from "../data-report";
import { addDataOptions, checkInputs, DATA_ARGUMENT, dataOf, readOptions, type DataFlags } from "../options";
import { toJson } from "../report";

interface InspectFlags extends DataFlags {
  readonly json?: true;
}

async function run(data: string, flags: InspectFlags, { signal, messages }: Context) {
  checkInputs([data], flags);
  const report = await inspect(dataOf(data, flags) as DataInput, { ...readOptions(flags, messages), signal });
  await print(flags.json ? toJson(report) : dataReportText(report));
}

export function addInspect(program: Command, context: Context): void {
  const command = program
    .command("inspect")
    .description("print what is in a click log, and what is probably a mistake in it")
    .argument("<data>", DATA_ARGUMENT)
    .option("--json", "print JSON");
  addDataOptions(command).action((data: string, flags: InspectFlags) => run(data, flags, context));
}
