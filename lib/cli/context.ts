import { once } from "node:events";
import type { Messages } from "./messages";

/** What every command has. */
export interface Context {
  /** Comes with Ctrl-C. */
  readonly signal: AbortSignal;
  readonly messages: Messages;
}

/** Prints a result; waits where the reader is slower. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, "drain");
}
