import type { FileHandle } from "node:fs/promises";
import { replaceFile } from "./replace-file";

/** A file that is to be written. */
export interface NewFile {
  readonly path: string;
  /** Writes the content to the empty file that it is given. */
  readonly write: (file: FileHandle) => Promise<void>;
}

/**
 * Writes several files, each as {@link replaceFile} does. None takes its place before all are written.
 * @throws As {@link replaceFile} does.
 */
export async function replaceFiles([first, ...others]: readonly NewFile[]): Promise<void> {
  if (first === undefined) return;
  await replaceFile(first.path, async (file) => {
    await first.write(file);
    await file.sync();
    await replaceFiles(others);
  });
}
