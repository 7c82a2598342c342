import { stat } from "node:fs/promises";
import { join } from "node:path";
import { aborted, Gru4RecError, reason, unreadable } from "../../errors";
import type { EventLog } from "../event-log";
import type * as ReadRawRelation from "./read-raw-relation";
import type { RecipeName } from "./recipe-plans";

/** The files of each data set, in the order in which they are read. */
const FILES: Readonly<Record<RecipeName, readonly string[]>> = {
  rsc15: ["yoochoose-clicks.dat"],
  yoochoose: ["yoochoose-clicks.dat", "yoochoose-test.dat"],
  retailrocket: ["events.csv"],
  diginetica: ["train-item-views.csv"],
  rees46: ["2019-Oct.csv", "2019-Nov.csv"],
  coveo: ["release_10_23_2020.csv"],
};

export interface ReadRawOptions {
  /** See DuckDbOptions. */
  readonly memoryLimit?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The file of this name in a folder, or packed by gzip. */
async function findIn(folder: string, name: string): Promise<string> {
  for (const candidate of [join(folder, name), join(folder, `${name}.gz`)]) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isFile()) return candidate;
  }
  throw new Gru4RecError("ERR_FILE", `Expected ${name} (or ${name}.gz) in ${folder} but there is no such file`);
}

/** @param path - Of the folder, or of the file where there is one. */
async function filesOf(recipe: RecipeName, path: string): Promise<string[]> {
  const names = FILES[recipe];
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (stats.isDirectory()) return Promise.all(names.map((name) => findIn(path, name)));
  if (names.length === 1) return [path];
  const message = `Expected ${path} to be the folder with ${names.join(" and ")} for the recipe ${recipe} but it is a file`;
  throw new Gru4RecError("ERR_FILE", message);
}

/**
 * Reads a public data set as its publisher distributes it; for recipes that look at types of events, those of other types
 * have no item.
 * @throws {@link Gru4RecError} `ERR_FILE`, `ERR_DATA`
 */
export async function readRaw(recipe: RecipeName, path: string, options: ReadRawOptions): Promise<EventLog> {
  const { memoryLimit, signal } = options;
  if (signal?.aborted) throw aborted(signal);
  const files = await filesOf(recipe, path);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings DuckDB, 40 MB that only files need
  const { readRawRelation } = require("./read-raw-relation") as typeof ReadRawRelation;
  try {
    return await readRawRelation(recipe, files, { memoryLimit, signal });
  } catch (error) {
    if (signal?.aborted) throw aborted(signal);
    if (error instanceof Gru4RecError) throw error;
    throw new Gru4RecError("ERR_DATA", `${reason(error)} in ${files.join(", ")}`, { cause: error });
  }
}
