import { CommanderError } from "commander";
import { reason } from "../errors";
import { ConfigError, Gru4RecError } from "../index";
import { rewriteAuthorFlags } from "./author-flags";
import { Messages } from "./messages";
import { makeProgram } from "./program";
import { handleOutputErrors, Interruption } from "./signals";

const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** What to say of an error, one line for each problem; commander has said its own. */
function linesOf(error: unknown): readonly string[] {
  if (error instanceof CommanderError) return [];
  return error instanceof ConfigError ? error.problems.map(({ message }) => message) : [reason(error)];
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const usage = error instanceof Gru4RecError && (error.code === "ERR_CONFIG" || error.code === "ERR_ARGUMENT");
  return usage ? EXIT.usage : EXIT.failed;
}

/**
 * Runs one command: results go to standard output, everything else to standard error.
 * @param args - Without the names of Node and of the script.
 * @returns The exit code: 0 done, 1 failed, 2 usage or configuration, 130 interrupted (143 by SIGTERM).
 */
export async function run(args: readonly string[]): Promise<number> {
  const messages = new Messages(process.stderr);
  handleOutputErrors(messages);
  const interruption = new Interruption(messages);
  const { signal } = interruption;
  try {
    await makeProgram({ signal, messages }).parseAsync(rewriteAuthorFlags(args), { from: "user" });
    return EXIT.done;
  } catch (error) {
    const stopped =
      interruption.exitCode !== undefined && error instanceof Gru4RecError && error.code === "ERR_ABORTED";
    if (!stopped) for (const line of linesOf(error)) messages.note(`gru4rec: ${line}`);
    return interruption.exitCode ?? exitCodeOf(error);
  } finally {
    interruption.release();
  }
}
