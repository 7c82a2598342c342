import type { Command } from "commander";
import { readModelInfo } from "../../index";
import { print } from "../context";
import { modelInfoText, toJson } from "../report";

async function run(path: string, { json }: { json?: true }): Promise<void> {
  const info = await readModelInfo(path);
  await print(json ? toJson(info) : modelInfoText(info));
}

export function addInfo(program: Command): void {
  program
    .command("info")
    .description("print what a model file holds")
    .argument("<model>", "model file")
    .option("--json", "print JSON")
    .action(run);
}
