import type { FileHandle } from "node:fs/promises";
import { mkdir, readdir, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileReason, Gru4RecError } from "../../errors";
import { checkWritable, replaceFiles } from "../../files";
import type { EventLog } from "../event-log";
import { writeLogTo } from "../log-file";
import { writeTsv } from "../write-tsv";
import type { Prepared } from "./prepare";

/** How a part is written, by the ending of its file. */
const WRITERS = { tsv: writeTsv, g4r: writeLogTo } satisfies Readonly<
  Record<string, (file: FileHandle, log: EventLog, signal: AbortSignal | undefined) => Promise<void>>
>;

export type OutputFormat = keyof typeof WRITERS;
export const OUTPUT_FORMATS = Object.keys(WRITERS) as OutputFormat[];

const FILE_NAMES = { train: "train", validation: "valid", test: "test" } as const;
type Part = keyof typeof FILE_NAMES;
const PARTS = Object.keys(FILE_NAMES) as Part[];

/** A folder that takes the parts of a log: `train.tsv`, `valid.tsv`, `test.tsv`, or the same with `.g4r`. */
export class OutputFolder {
  private constructor(
    private readonly folders: readonly string[],
    private readonly format: OutputFormat,
    /** Folders that were not there. */
    private readonly made: readonly string[],
  ) {}

  /**
   * Makes a folder and finds out whether it can take what is going to be written, before hours of work.
   * @param parts - What is going to be written. Files of other parts, which an earlier preparation may have left, are
   * refused: they would hold events of these ones.
   * @param windows - Folders `window-1`, … in it; undefined: none.
   * @throws {@link Gru4RecError} `ERR_FILE`
   */
  static async open(
    path: string,
    parts: readonly Part[],
    format: OutputFormat,
    windows?: number,
  ): Promise<OutputFolder> {
    const folders = windows === undefined ? [path] : Array.from({ length: windows }, (_, i) => join(path, `window-${i + 1}`)); // prettier-ignore
    const made: string[] = [];
    const output = new OutputFolder(folders, format, made);
    try {
      for (const folder of folders) {
        await makeFolder(folder, made);
        const files = await readdir(folder);
        for (const part of PARTS) {
          const name = `${FILE_NAMES[part]}.${format}`;
          if (parts.includes(part)) await checkWritable(join(folder, name));
          else if (files.includes(name))
            throw new Gru4RecError("ERR_FILE", `Expected ${folder} without ${name}, which this preparation does not write: remove it or name another folder`); // prettier-ignore
        }
      }
    } catch (error) {
      await output.discard();
      throw error;
    }
    return output;
  }

  /**
   * Writes everything; no file takes its place before all are written.
   * @param prepared - One for each window.
   * @returns The paths.
   * @throws {@link Gru4RecError} `ERR_FILE`, `ERR_ABORTED`; files that were there are then what they were.
   */
  async write(prepared: readonly Prepared[], signal: AbortSignal | undefined): Promise<string[]> {
    const files = prepared.flatMap((logs, i) =>
      PARTS.flatMap((part) => {
        const log = logs[part];
        const path = join(this.folders[i]!, `${FILE_NAMES[part]}.${this.format}`);
        const write = (file: FileHandle) => WRITERS[this.format](file, log!, signal);
        return log === undefined ? [] : [{ path, write }];
      }),
    );
    await replaceFiles(files);
    return files.map(({ path }) => path);
  }

  /** Removes the folders that were made, where they are empty. */
  async discard(): Promise<void> {
    const innerFirst = [...this.made].sort((a, b) => b.length - a.length);
    for (const folder of innerFirst) await rmdir(folder).catch(() => undefined);
  }
}

/** @param made - Takes the folders that were not there. */
async function makeFolder(path: string, made: string[]): Promise<void> {
  try {
    const inner = resolve(path);
    const outer = await mkdir(inner, { recursive: true });
    for (let folder = inner; outer !== undefined && folder.length >= outer.length; folder = dirname(folder))
      made.push(folder);
  } catch (error) {
    const why = fileReason(error, "there is no such directory");
    throw new Gru4RecError("ERR_FILE", `Expected to write to the folder ${path} but ${why}`, { cause: error });
  }
}
