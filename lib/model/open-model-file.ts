import { expected, Gru4RecError, reason, unreadable } from "../errors";
import { FormatError, SafetensorsFile } from "./safetensors";

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` */
export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== "string" || path === "")
    throw new Gru4RecError("ERR_ARGUMENT", expected("path", "the path of a file", path));
}

/**
 * Opens a model file for `read` and closes it.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_MODEL_FILE` when it is no whole model file.
 */
export async function withModelFile<T>(path: string, read: (file: SafetensorsFile) => T | Promise<T>): Promise<T> {
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
    if (error instanceof FormatError) {
      const message = `Expected ${path} to be a gru4rec model file but ${reason(error)}`;
      throw new Gru4RecError("ERR_MODEL_FILE", message, { cause: error });
    }
    throw unreadable(path, error);
  }
}
