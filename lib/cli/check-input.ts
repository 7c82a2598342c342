import { checkReadable, listFiles } from "../data";
import { dataOf, type DataFlags } from "./options";

/**
 * Finds out before hours of training whether a log that is read after it can be read.
 * @param path - `-` is standard input.
 * @throws {@link Gru4RecError} `ERR_FILE`; `ERR_DATA` for a folder without files.
 */
export async function checkInput(path: string, flags: DataFlags): Promise<void> {
  if (path === "-") return;
  const isFile = typeof dataOf(path, flags) === "string";
  await checkReadable(isFile ? await listFiles(path, flags.format !== undefined) : [{ path, name: path }]);
}
