import { reason } from "../errors";
import type { Messages } from "./messages";

/** Exit codes: 128 and the number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_CODES;

/** Ctrl-C and SIGTERM: the first one stops the command cleanly, the second one ends the process. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #onSignal: (signal: StopSignal) => void;
  /** What to exit with; undefined where no signal came. */
  exitCode: number | undefined;

  constructor(messages: Messages) {
    this.#onSignal = (signal) => {
      const code = EXIT_CODES[signal];
      if (this.exitCode !== undefined) process.exit(code);
      this.exitCode = code;
      messages.note("stopping; once more to leave at once");
      this.#controller.abort();
      process.stdin.destroy(); // a read of it would go on waiting
    };
    for (const signal of Object.keys(EXIT_CODES)) process.on(signal, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the signals their usual meaning back. */
  release(): void {
    for (const signal of Object.keys(EXIT_CODES)) process.removeListener(signal, this.#onSignal);
  }
}

/**
 * Results that cannot be printed end the command: quietly where the reader has seen enough, as in `| head`, as nobody is
 * left to print for; else as a failure. Without a reader of the messages the work goes on.
 */
export function handleOutputErrors(messages: Messages): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    messages.note(`gru4rec: Expected to write to standard output but ${reason(error)}`);
    process.exit(1);
  });
  process.stderr.on("error", () => undefined);
}
