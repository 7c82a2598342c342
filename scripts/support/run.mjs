import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A failure that needs no stack trace: the message says what was expected and what was received. */
export class ExplainedError extends Error {}

/** A command that failed; `output` is what it printed. */
export class CommandFailed extends ExplainedError {
  constructor(command, status, output) {
    super(`${command} failed (${status})`);
    this.output = output;
  }
}

/**
 * Runs a command without a shell and waits for its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd] - Default: the project.
 * @param {Record<string, string | undefined>} [options.env] - On top of this process's environment.
 * @param {boolean} [options.show] - Print the output as it comes, too.
 * @param {number} [options.timeoutMs] - The command is killed, and has failed, after this time.
 * @returns {Promise<{ status: number | string, output: string }>} Exit status (or signal) and stdout with stderr.
 */
export function tryRun(command, args, { cwd = root, env = {}, show = false, timeoutMs } = {}) {
  return new Promise((resolve) => {
    // A group of its own where it can be killed as a whole: a make that timed out has children.
    const detached = timeoutMs !== undefined && process.platform !== "win32";
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached,
    });
    let timer;
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => (detached ? process.kill(-child.pid, "SIGKILL") : child.kill("SIGKILL")), timeoutMs);
    }
    let output = "";
    for (const [stream, sink] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        output += text;
        if (show) sink.write(text);
      });
    }
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ status: error.code ?? error.message, output: output + error.message });
    });
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status: status ?? signal, output });
    });
  });
}

/** As tryRun, but a status other than 0 throws CommandFailed. Returns the output. */
export async function run(command, args, options) {
  const { status, output } = await tryRun(command, args, options);
  if (status !== 0) throw new CommandFailed([command, ...args].join(" "), status, output);
  return output;
}

/** Arguments that run a script of an installed package with this Node. */
export function packageScript(path, ...args) {
  return [process.execPath, [fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url)), ...args]];
}

/** Prints a failure, and what a failed command printed. */
export function report(error) {
  if (error instanceof CommandFailed) process.stderr.write(error.output.replace(/\n*$/, "\n"));
  console.error(error instanceof ExplainedError ? error.message : error);
}

/** Runs `main`; a failure is printed without a stack trace and makes the process exit with 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    report(error);
    process.exitCode = 1;
  }
}

/** True when the module `url` is the program that Node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && fileURLToPath(url) === process.argv[1];
}
