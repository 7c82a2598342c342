import type { Command } from "commander";
import { listDevices } from "../../index";
import { print } from "../context";
import { deviceListText, toJson } from "../report";

async function run({ json, cublasPath }: { json?: true; cublasPath?: string }): Promise<void> {
  const list = listDevices({ cublasPath });
  await print(json ? toJson(list) : deviceListText(list));
}

export function addDevices(program: Command): void {
  program
    .command("devices")
    .description("list what there is to compute on, and why the rest cannot be used")
    .option("--cublas-path <path>", "the cuBLAS library of a GPU, auto or none (default: auto)")
    .option("--json", "print JSON")
    .action(run);
}
