import { randomBytes } from "node:crypto";
import { open, readlink, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { fileReason, Gru4RecError } from "../errors";

/**
 * Writes a file as a whole: under a temporary name in the same folder, flushed, then renamed. What a link points to is
 * replaced, not the link.
 * @param write - Writes the content to the empty file that it is given.
 * @throws {@link Gru4RecError} `ERR_FILE`, or what `write` threw of that class; a file at `path` is then what it was
 * before and nothing else is left.
 */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    const { target, mode } = await findTarget(path);
    const folder = dirname(target);
    const temporary = temporaryBeside(target);
    const file = await open(temporary, "wx");
    try {
      try {
        if (mode !== undefined) await file.chmod(mode);
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
    throw refusal(path, error);
  }
}

/**
 * Finds out whether {@link replaceFile} can write to `path`, by way of an empty file that is removed again.
 * @throws {@link Gru4RecError} `ERR_FILE`
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    const { target } = await findTarget(path);
    const temporary = temporaryBeside(target);
    await (await open(temporary, "wx")).close();
    await rm(temporary);
  } catch (error) {
    throw refusal(path, error);
  }
}

function refusal(path: string, error: unknown): Gru4RecError {
  if (error instanceof Gru4RecError) return error;
  const message = `Expected to write ${path} but ${fileReason(error, "there is no such directory")}`;
  return new Gru4RecError("ERR_FILE", message, { cause: error });
}

function temporaryBeside(target: string): string {
  return join(dirname(target), `.gru4rec-${randomBytes(6).toString("hex")}.tmp`);
}

/**
 * Where the file goes, and the mode of what is there. A directory or a device is refused before anything is written:
 * renaming would replace a device.
 */
async function findTarget(path: string): Promise<{ target: string; mode?: number }> {
  if (path === "" || path.endsWith("/") || path.endsWith(sep)) throw new Error("it names no file");
  let target: string;
  try {
    target = await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const link = await readlink(path).catch(() => undefined); // to a file that is not there
    return link === undefined ? { target: path } : findTarget(resolve(await realpath(dirname(path)), link));
  }
  const stats = await stat(target);
  if (!stats.isFile()) throw new Error(stats.isDirectory() ? "it is a directory" : "it is no regular file");
  return { target, mode: stats.mode & 0o7777 };
}

/** Makes the new name last. Not every system can, and the file itself is whole and flushed. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
