import type { Command } from "commander";
import { print, type Context } from "../context";
import { addConfigOptions, readConfiguration, type ConfigFlags } from "../hyperparameter-options";
import { toJson } from "../report";

async function run({ json, ...flags }: ConfigFlags & { json?: true }, { messages }: Context): Promise<void> {
  const { config, warnings } = await readConfiguration(flags);
  warnings.forEach((warning) => messages.note(`warning: ${warning}`));
  await print(json ? toJson(config) : config.describe());
}

export function addConfig(program: Command, context: Context): void {
  const command = program
    .command("config")
    .description("check hyperparameters and print what they come to; * marks what is not the default")
    .option("--json", "print JSON, which --config can read");
  addConfigOptions(command)
    .addHelpText("after", "\nExample:\n  gru4rec config --parameters loss=bpr-max,layers=100/100 --json > shop.json")
    .action((flags: ConfigFlags & { json?: true }) => run(flags, context));
}
