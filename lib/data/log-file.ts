import type { FileHandle } from "node:fs/promises";
import { expected, Gru4RecError } from "../errors";
import {
  checkNoOthers,
  checkPath,
  checkTensors,
  FormatError,
  withSafetensors,
  replaceFile,
  writeSafetensorsTo,
  type ExpectedTensor,
  type SafetensorsFile,
  type TensorValues,
} from "../files";
import { checkEventCount, type EventLog } from "./event-log";
import type { IdKind, ItemId } from "./ids";
import { Vocabulary } from "./vocabulary";
import {
  asInt64,
  copyFrom,
  fromInt64,
  vocabularyLayout,
  VocabularyReader,
  vocabularyTensors,
} from "./vocabulary-tensors";

const FORMAT = "gru4rec log";
const VERSION = "1";
const EXTENSION = ".g4r";
const KINDS: readonly string[] = ["number", "bigint", "string"] satisfies IdKind[];

/** Whether a path is that of a prepared log. */
export const isLogFile = (path: string): boolean => path.endsWith(EXTENSION);

/** The tensors of a log besides its item ids. */
const SESSION_IDS = "session_ids";
const layout = (sessions: number, events: number) =>
  [
    { name: SESSION_IDS, dtype: "I64", shape: [sessions] },
    { name: "times", dtype: "F64", shape: [events] },
    { name: "start_times", dtype: "F64", shape: [sessions] },
    { name: "end_times", dtype: "F64", shape: [sessions] },
    { name: "offsets", dtype: "I32", shape: [sessions + 1] },
    { name: "items", dtype: "I32", shape: [events] },
  ] as const;

/**
 * Writes a click log to a file (`.g4r`, a safetensors file) that {@link readEvents} reads many times faster than the log
 * that it came from. Text that identifies sessions is left out: they are numbered from 0, in the order of their ids.
 * @param path - Ends with `.g4r`.
 * @throws {@link Gru4RecError} `ERR_ARGUMENT`; `ERR_FILE` when it cannot be written, an existing file is then what it was.
 */
export async function writeLog(log: EventLog, path: string): Promise<void> {
  checkPath(path);
  if (!isLogFile(path))
    throw new Gru4RecError("ERR_ARGUMENT", expected("path", `a path that ends with ${EXTENSION}`, path));
  await replaceFile(path, (file) => writeLogTo(file, log));
}

/** As {@link writeLog}, to an empty file that is open. @throws What the file system throws. */
export async function writeLogTo(file: FileHandle, log: EventLog): Promise<void> {
  const { itemKind, itemIds, offsets, items, times, startTimes, endTimes } = log;
  const sessions = startTimes.length;
  const sessionKind = log.sessionKind === "string" ? "number" : log.sessionKind;
  const { wide, bytes } = vocabularyTensors(new Vocabulary<ItemId>(itemKind, itemIds));
  const contents: Readonly<Record<string, (first: number, values: TensorValues) => void>> = {
    session_ids: sessionIdReader(log),
    times: copyFrom(times),
    start_times: copyFrom(startTimes),
    end_times: copyFrom(endTimes),
    offsets: copyFrom(offsets),
    items: copyFrom(items),
  };
  const tensors = layout(sessions, items.length).map((tensor) => ({ ...tensor, read: contents[tensor.name]! }));
  const metadata = { format: FORMAT, version: VERSION, itemKind, sessionKind, itemCount: String(itemIds.length) };
  const isWide = ({ dtype }: { dtype: string }) => dtype.endsWith("64");
  await writeSafetensorsTo(file, metadata, [
    ...wide,
    ...tensors.filter(isWide),
    ...tensors.filter((tensor) => !isWide(tensor)),
    ...bytes,
  ]);
}

function sessionIdReader({ sessionKind, sessionIds }: EventLog) {
  if (sessionKind === "number") return asInt64(sessionIds as Float64Array);
  if (sessionKind === "bigint") return copyFrom(sessionIds as BigInt64Array);
  return (first: number, values: TensorValues) => {
    for (let i = 0; i < values.length; ++i) (values as BigInt64Array)[i] = BigInt(first + i);
  };
}

/**
 * Reads a file of {@link writeLog}.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_DATA` when it is no whole log.
 */
export async function readLog(path: string): Promise<EventLog> {
  return withSafetensors(path, LOG_KIND, read);
}

/** What kind a log's file is of. */
export const LOG_KIND = { name: "a prepared click log", code: "ERR_DATA" } as const;

/** What the header of a log says. @throws {@link FormatError} where it is none. */
export function readLayout(file: SafetensorsFile) {
  const ids = readMetadata(file);
  const sizeOf = (name: string) => file.tensors.find((tensor) => tensor.name === name)?.shape[0] ?? 0;
  const [sessions, events] = [sizeOf(SESSION_IDS), sizeOf("items")];
  const expected: ExpectedTensor[] = [...layout(sessions, events), ...vocabularyLayout(ids.itemKind, ids.itemCount)];
  checkTensors(file, expected);
  checkNoOthers(file, expected);
  checkEventCount(events);
  return { ...ids, sessions, events };
}

async function read(file: SafetensorsFile): Promise<EventLog> {
  const { itemKind, sessionKind, itemCount, sessions, events } = readLayout(file);
  const ids = sessionKind === "bigint" ? new BigInt64Array(sessions) : new Float64Array(sessions);
  const arrays = {
    times: new Float64Array(events),
    start_times: new Float64Array(sessions),
    end_times: new Float64Array(sessions),
    offsets: new Int32Array(sessions + 1),
    items: new Int32Array(events),
  };
  const vocabulary = new VocabularyReader(itemKind, itemCount, file.tensors);
  await file.read(({ name }, first, values) => {
    if (name === SESSION_IDS) fromInt64(values, ids, first);
    else if (name === "items") checkItems(values as Int32Array, itemCount);
    else if (name === "times") checkTimes(values as Float64Array);
    else if (!Object.hasOwn(arrays, name)) vocabulary.add(name, first, values);
  }, arrays);
  checkOffsets(arrays.offsets, events);
  return {
    itemKind,
    itemIds: vocabulary.vocabulary().ids,
    sessionKind,
    sessionIds: ids,
    offsets: arrays.offsets,
    items: arrays.items,
    times: arrays.times,
    startTimes: arrays.start_times,
    endTimes: arrays.end_times,
  };
}

function readMetadata({ metadata }: SafetensorsFile) {
  const { format, version, itemKind, sessionKind } = metadata;
  if (format !== FORMAT) throw new FormatError(`its format is ${format ?? "not stated"} where ${FORMAT} belongs`);
  if (version !== VERSION) throw new FormatError(`its version is ${version} where this package reads ${VERSION}`);
  const itemCount = Number(metadata.itemCount);
  if (!Number.isSafeInteger(itemCount) || itemCount < 0) throw new FormatError("it does not say how many items it has");
  for (const kind of [itemKind, sessionKind])
    if (!KINDS.includes(kind!)) throw new FormatError(`its ids are ${kind} where ${KINDS.join(", ")} is known`);
  return { itemKind: itemKind as IdKind, sessionKind: sessionKind as IdKind, itemCount };
}

// The engine relies on what these check: a file is not trusted because its checksum is right. They count, as loops without
// a way out are the fastest.

/** @param offsets - Where sessions of so many `events` begin. */
export function checkOffsets(offsets: Int32Array, events: number): void {
  let fit = 0;
  for (let s = 0; s + 1 < offsets.length; ++s) if (offsets[s + 1]! > offsets[s]!) ++fit;
  if (offsets[0] !== 0 || offsets.at(-1) !== events || fit !== offsets.length - 1)
    throw new FormatError("the offsets of its sessions do not fit its events");
}

export function checkItems(items: Int32Array, itemCount: number): void {
  let fit = 0;
  for (let event = 0; event < items.length; ++event) if (items[event]! >>> 0 < itemCount) ++fit;
  if (fit !== items.length) throw new FormatError("it has events of items that it does not name");
}

export function checkTimes(times: Float64Array): void {
  let fit = 0;
  for (let event = 0; event < times.length; ++event) if (times[event]! >= 0 && times[event]! < Infinity) ++fit;
  if (fit !== times.length) throw new FormatError("it has times that are none");
}
