import type { Command } from "commander";
import { bashScript } from "./bash";
import { fishScript } from "./fish";
import { commandWords, type CommandWords } from "./words";
import { zshScript } from "./zsh";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, (program: string, commands: readonly CommandWords[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** A script for a shell that completes the commands of `program` and their options; it starts no process. */
export function completionScript(shell: Shell, program: Command): string {
  return SCRIPTS[shell](program.name(), commandWords(program));
}
