import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Gru4RecError, reason } from "../errors";

/**
 * Finds out before hours of training whether the model can be written.
 * @throws {@link Gru4RecError} `ERR_FILE`
 */
export async function checkOutput(path: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK);
    const existing = await stat(path).catch(() => undefined);
    if (existing?.isDirectory()) throw new Error("it is a directory");
  } catch (error) {
    throw new Gru4RecError("ERR_FILE", `Expected to write ${path} but ${reason(error)}`, { cause: error });
  }
}
