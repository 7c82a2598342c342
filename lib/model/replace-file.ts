import { randomBytes } from "node:crypto";
import { open, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Gru4RecError } from "../errors";
import { fileReason } from "./file-reason";

/**
 * Writes a file as a whole: under a temporary name in the same folder, flushed, then renamed. What a link points to is
 * replaced, not the link.
 * @param write - Writes the content to the empty file that it is given.
 * @throws {@link Gru4RecError} `ERR_FILE`, or what `write` threw of that class; a file at `path` is then what it was
 * before and nothing else is left.
 */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    const target = await findTarget(path);
    const folder = dirname(target);
    const temporary = join(folder, `.gru4rec-${randomBytes(6).toString("hex")}.tmp`);
    const file = await open(temporary, "wx");
    try {
      try {
        await write(file);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one that matters
      throw error;
    }
    await syncFolder(folder);
  } catch (error) {
    if (error instanceof Gru4RecError) throw error;
    const message = `Expected to write ${path} but ${fileReason(error, "there is no such directory")}`;
    throw new Gru4RecError("ERR_FILE", message, { cause: error });
  }
}

/** Where the file goes. A directory or a device is refused before anything is written: renaming would replace a device. */
async function findTarget(path: string): Promise<string> {
  let target: string;
  try {
    target = await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return path;
    throw error;
  }
  const stats = await stat(target);
  if (!stats.isFile()) throw new Error(stats.isDirectory() ? "it is a directory" : "it is no regular file");
  return target;
}

/** Makes the new name last. Not every system can, and the file itself is whole and flushed. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
