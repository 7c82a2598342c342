import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { unreadable } from "../errors";
import { AUTHOR_DEFAULTS, authorSource } from "./author-notation";
import { readJsonFile } from "./json-file";
import { mergeSources, parseSources } from "./parse-config";
import { readPythonFile } from "./python-file";
import type { Hyperparameters } from "./schema";
import { ourSource, syntaxError, type Source } from "./source";

/** Bytes; far above any configuration. What is larger is some other file. */
const LARGEST_FILE = 1 << 16;

async function readText(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    // A stream, as a shell's <(…) is no regular file.
    for await (const chunk of createReadStream(path, { end: LARGEST_FILE })) chunks.push(chunk as Buffer);
  } catch (error) {
    throw unreadable(path, error);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length > LARGEST_FILE) throw syntaxError(path, "a configuration of at most 64 KiB", "a larger file");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw syntaxError(path, "text in UTF-8", "other bytes");
  }
}

/**
 * Reads a configuration file: JSON, also with comments, where its name ends in .json or .jsonc; else the author's
 * parameter file, Python that assigns a dict of literals and is never executed.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_CONFIG` with the place of what is wrong in it.
 * Whether the parameters are right says {@link parseSources}.
 */
export async function readConfigFile(path: string): Promise<Source> {
  const text = await readText(path);
  const json = [".json", ".jsonc"].includes(extname(path).toLowerCase());
  return json ? ourSource(readJsonFile(path, text)) : authorSource(readPythonFile(path, text));
}

/**
 * Reads and checks a configuration file, for `train(data, { ...(await readConfig("params.py")), nEpochs: 5 })`.
 * @param path - JSON, also with comments and trailing commas, with the names of {@link Hyperparameters}; or, where it
 * does not end in .json or .jsonc, the author's parameter file. That is Python which assigns a dict of literals to
 * `gru4rec_params`; it is parsed, never executed. What it leaves out has the default of his PyTorch version: logq is 0.
 * @returns The hyperparameters that the file gives.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_CONFIG` with all wrong parameters at once.
 */
export async function readConfig(path: string): Promise<Hyperparameters> {
  const source = await readConfigFile(path);
  parseSources([source]);
  const values = Object.fromEntries([...mergeSources([source]).given].map(([name, { value }]) => [name, value]));
  return source.author ? { ...AUTHOR_DEFAULTS, ...values } : values;
}
