import { parseConfig, type Config } from "../config";
import type { IdKind } from "../data";
import { expected, reason } from "../errors";
import { packageVersion } from "../native";
import type { EpochReport } from "../training";
import { FormatError, type SafetensorsFile } from "../files";

/** What the metadata of a model file says. */
export interface Description {
  readonly formatVersion: number;
  /** Version of the package that wrote the file. */
  readonly packageVersion: string;
  readonly itemKind: IdKind;
  readonly items: number;
  /** With the device, the threads and the precision that it was trained with; without the path of cuBLAS. */
  readonly config: Config;
  readonly history: readonly EpochReport[];
  /** The epoch that the weights are of; 0 = before the first. */
  readonly epoch: number;
}

const FORMAT = "gru4rec";
const FORMAT_VERSION = 1;
const ID_KINDS: readonly IdKind[] = ["number", "bigint", "string"];
const REPORT_NUMBERS = ["epoch", "loss", "steps", "events", "seconds", "learningRate"] as const;
/** Objects of numbers, by list length. */
const VALIDATION_METRICS = ["recall", "mrr"] as const;
const VALIDATION_NUMBERS = ["targets", "seconds"] as const;

export function encodeDescription(
  description: Omit<Description, "formatVersion" | "packageVersion">,
): Record<string, string> {
  const { itemKind, items, config, history, epoch } = description;
  return {
    format: FORMAT,
    format_version: String(FORMAT_VERSION),
    package_version: packageVersion(),
    item_kind: itemKind,
    items: String(items),
    config: JSON.stringify({ ...config, cublasPath: undefined }), // a path of this machine
    history: JSON.stringify(history),
    epoch: String(epoch),
  };
}

/** @throws {@link FormatError} where the file is no undamaged model file of a version that is known. */
export function readDescription(file: SafetensorsFile): Description {
  const { metadata } = file;
  if (metadata.format !== FORMAT) throw new FormatError("its metadata does not say that it is one");
  checkVersion(metadata.format_version);
  file.checkHeader();
  const itemKind = ID_KINDS.find((name) => name === metadata.item_kind);
  if (itemKind === undefined) throw new FormatError(`its kind of item ids is ${metadata.item_kind}`);
  const items = Number(metadata.items);
  if (!Number.isSafeInteger(items) || items < 1) throw new FormatError(`its number of items is ${metadata.items}`);
  const config = part("configuration", () => parseConfig(JSON.parse(metadata.config ?? "") as Config).config);
  const history = part("history", () => checkHistory(JSON.parse(metadata.history ?? "")));
  const epoch = Number(metadata.epoch ?? NaN);
  const epochs = history.at(-1)?.epoch ?? 0;
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > epochs)
    throw new FormatError(`its weights are of epoch ${metadata.epoch} of ${epochs}`);
  const packageVersion = metadata.package_version ?? "unknown";
  return { formatVersion: FORMAT_VERSION, packageVersion, itemKind, items, config, history, epoch };
}

function checkVersion(text: string | undefined): void {
  const version = Number(text);
  if (version === FORMAT_VERSION) return;
  const advice = version > FORMAT_VERSION ? "; install a newer gru4rec" : "";
  throw new FormatError(`its format version is ${text} and this package reads ${FORMAT_VERSION}${advice}`);
}

function part<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new FormatError(`its ${name} cannot be read: ${reason(error)}`);
  }
}

/** Refuses what does not have the numbers that reports have; JSON holds no others than finite ones. */
function checkHistory(history: unknown): EpochReport[] {
  if (!Array.isArray(history)) throw new FormatError(expected("history", "a list", history));
  let last = 0;
  history.forEach((report: unknown, i) => {
    const name = `history[${i}]`;
    checkNumbers(name, report, REPORT_NUMBERS);
    const { epoch, validation } = report as EpochReport;
    if (!Number.isInteger(epoch) || epoch <= last)
      throw new FormatError(expected(`${name}.epoch`, `an integer above ${last}`, epoch));
    last = epoch;
    if (validation === undefined) return;
    checkNumbers(`${name}.validation`, validation, VALIDATION_NUMBERS);
    for (const metric of VALIDATION_METRICS) checkNumbers(`${name}.validation.${metric}`, validation[metric]);
  });
  return history as EpochReport[];
}

/** @param keys - Of which each must be a number; default all. */
function checkNumbers(name: string, value: unknown, keys?: readonly string[]): void {
  if (typeof value !== "object" || value === null) throw new FormatError(expected(name, "an object", value));
  for (const key of keys ?? Object.keys(value)) {
    const number = (value as Record<string, unknown>)[key];
    if (typeof number !== "number") throw new FormatError(expected(`${name}.${key}`, "a number", number));
  }
}
