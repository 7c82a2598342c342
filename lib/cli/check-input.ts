import { access, constants, stat } from "node:fs/promises";
import { unreadable } from "../errors";

/**
 * Finds out before hours of training whether a log that is read after it can be read.
 * @param path - `-` is standard input.
 * @throws {@link Gru4RecError} `ERR_FILE`
 */
export async function checkInput(path: string): Promise<void> {
  if (path === "-") return;
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isDirectory()) throw new Error("it is a directory");
  } catch (error) {
    throw unreadable(path, error);
  }
}
