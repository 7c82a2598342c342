import { Argument, type Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion";
import { print } from "../context";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .addHelpText(
      "after",
      `
Examples:
  source <(gru4rec completion bash)                                     # in ~/.bashrc
  source <(gru4rec completion zsh)                                      # in ~/.zshrc, after compinit
  gru4rec completion fish > ~/.config/fish/completions/gru4rec.fish`,
    )
    .action((shell: Shell) => print(completionScript(shell, program)));
}
