import { withSafetensors, type SafetensorsFile } from "../files";

/**
 * Opens a model file for `read` and closes it.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_MODEL_FILE` when it is no whole model file.
 */
export function withModelFile<T>(path: string, read: (file: SafetensorsFile) => T | Promise<T>): Promise<T> {
  return withSafetensors(path, { name: "a gru4rec model file", code: "ERR_MODEL_FILE" }, read);
}
