import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parameterNames } from "../../lib/config";
import { Messages } from "../../lib/cli/messages";
import { makeProgram } from "../../lib/cli/program";
import { completionScript, SHELLS } from "../../lib/cli/completion";

const program = makeProgram({ signal: new AbortController().signal, messages: new Messages(process.stderr) });
const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What bash offers behind `words`, the last of which is being typed. */
async function complete(...words: string[]): Promise<string[]> {
  const script = `${completionScript("bash", program)}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gru4rec; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)("bash", ["-c", script, "bash", "gru4rec", ...words]);
  return stdout.split("\n").filter((line) => line !== "");
}

test("bash: commands, options, values and arguments that are names", async () => {
  expect(await complete("tr")).toEqual(["train"]);
  expect(await complete("")).toEqual(expect.arrayContaining(["train", "evaluate", "info", "--version"]));
  expect(await complete("train", "clicks.tsv", "--n-")).toEqual(["--n-epochs", "--n-sample"]);
  expect(await complete("train", "--loss", "bpr")).toEqual(["bpr", "bpr-max"]);
  expect(await complete("evaluate", "--ties", "")).toEqual(["standard", "conservative", "median"]);
  expect(await complete("completion", "z")).toEqual(["zsh"]);
  expect(await complete("info", "--h")).toEqual(["--help"]);
});

test("bash: leaves file names to the shell", async () => {
  expect(await complete("train", "cli")).toEqual([]);
  expect(await complete("train", "--config", "")).toEqual([]);
});

test.each(SHELLS)("%s: has every hyperparameter and command", (shell) => {
  const script = completionScript(shell, program);
  for (const name of parameterNames)
    expect(script).toContain(shell === "fish" ? `-l ${kebab(name)} ` : `--${kebab(name)}`);
  for (const command of program.commands) expect(script).toContain(command.name());
});

test("zsh and fish: texts are quoted", () => {
  expect(completionScript("zsh", program)).toContain(String.raw`'--n-sample[Negative samples of a step, besides the other rows'\'' targets]:value:_files'`);
  expect(completionScript("fish", program)).toContain(String.raw`-l n-sample -d 'Negative samples of a step, besides the other rows\' targets' -r`);
}); // prettier-ignore
