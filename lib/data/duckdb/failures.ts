import { tmpdir } from "node:os";
import { Gru4RecError, reason } from "../../errors";
import { DEFAULT_MEMORY_LIMIT } from "./session";

const DISK_IS_FULL = /No space left on device|max_temp_directory_size|Disk quota exceeded/i;
const OUT_OF_MEMORY = "Out of Memory Error";

const messageOf = (error: unknown) => String((error as Partial<Error> | undefined)?.message);

/** Whether DuckDB lacked memory or disk. */
export function isOutOfResources(error: unknown): boolean {
  return messageOf(error).startsWith(OUT_OF_MEMORY) || DISK_IS_FULL.test(messageOf(error));
}

/**
 * The error of what DuckDB lacks memory or disk for, with what to do.
 * @param name - What messages call the data.
 */
export function resourceFailure(error: unknown, name: string, memoryLimit: string | undefined): Gru4RecError {
  const limit = memoryLimit ?? DEFAULT_MEMORY_LIMIT;
  if (DISK_IS_FULL.test(messageOf(error))) {
    const what = `room in ${tmpdir()} for what ${limit} of memory do not hold of ${name}`;
    const remedy =
      "free some, name another folder with the variable TMPDIR, or give a higher memoryLimit (--memory-limit)";
    const message = `Expected ${what} but no space is left on the disk: ${remedy}`;
    return new Gru4RecError("ERR_FILE", message, { cause: error });
  }
  const remedy = 'give a higher memoryLimit, such as "2GB" (--memory-limit)';
  const message = `Expected ${limit} of memory to be enough to read ${name} but they are not: ${remedy}`;
  return new Gru4RecError("ERR_OUT_OF_MEMORY", message, { cause: error });
}

/** Why DuckDB refused, on one line and without the kind of its error. */
export function duckDbReason(error: unknown): string {
  return reason(error).replace(/^[A-Z]\w+( [A-Z]\w+)* Error: /, "");
}
