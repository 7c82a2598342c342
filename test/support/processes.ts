import { spawn } from "node:child_process";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..");
/** The package as built. */
export const PACKAGE = join(ROOT, "dist", "index.js");

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs Node until it ends.
 * @param onStderr - Sees what has come on standard error so far, and may send the process a signal.
 * @param input - Standard input, which else stays open without anything coming.
 * @param environment - Variables besides those of this process.
 */
export function runNode(
  args: readonly string[],
  onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void,
  input?: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...environment } });
    if (input !== undefined) child.stdin.end(input);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      onStderr?.(stderr, (signal) => child.kill(signal));
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs a script that may use `gru4rec`, the package as built. */
export function runScript(script: string, environment?: Readonly<Record<string, string>>): Promise<Outcome> {
  const whole = `const gru4rec = require(${JSON.stringify(PACKAGE)});\n${script}`;
  return runNode(["-e", whole], undefined, undefined, environment);
}

/** The script behind the command `gru4rec`. */
export const CLI = join(ROOT, "dist", "cli", "main.js");

/** Runs the command line. */
export function runCli(
  args: readonly string[],
  ...rest: Parameters<typeof runNode> extends [unknown, ...infer R] ? R : never
) {
  return runNode([CLI, ...args], ...rest);
}
