import { Gru4RecError, reason, unreadable, type ErrorCode } from "../errors";
import { checkPath } from "./check-path";
import { FormatError, SafetensorsFile } from "./safetensors";

/** What a file should be, and the error where it is not. */
export interface FileKind {
  /** Such as "a gru4rec model file". */
  readonly name: string;
  readonly code: ErrorCode;
}

/**
 * Opens a safetensors file for `read` and closes it.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, the error of its kind when it is no whole file of that.
 */
export async function withSafetensors<T>(
  path: string,
  { name, code }: FileKind,
  read: (file: SafetensorsFile) => T | Promise<T>,
): Promise<T> {
  checkPath(path);
  try {
    const file = await SafetensorsFile.open(path);
    try {
      return await read(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Gru4RecError) throw error;
    if (error instanceof FormatError)
      throw new Gru4RecError(code, `Expected ${path} to be ${name} but ${reason(error)}`, { cause: error });
    throw unreadable(path, error);
  }
}
