import { parseConfig, type Config } from "../config";
import { isId, Vocabulary, type IdKind, type ItemId } from "../data";
import { Gru4RecError, reason } from "../errors";
import { callNative, createModel, type NativeModel } from "../native";
import type { EpochReport } from "../training";
import { FormatError, SafetensorsFile, writeSafetensors, type TensorValues, type WritableTensor } from "./safetensors";

/** What a model consists of besides its weights. */
export interface ModelContents<Id extends ItemId = ItemId> {
  readonly config: Config;
  readonly history: readonly EpochReport[];
  /** The epoch that the weights are of. */
  readonly epoch: number;
  readonly vocabulary: Vocabulary<Id>;
  /** [items] events of each item in training */
  readonly support: Uint32Array;
}

/** Where a loaded model computes: as in training, whatever it was trained with. */
export type LoadOptions = Partial<Pick<Config, "device" | "threads">>;

const FORMAT = "gru4rec";
const FORMAT_VERSION = 1;
const ID_KINDS: readonly IdKind[] = ["number", "bigint", "string"];

// Names of the tensors besides those of the native model.
const IDS = "vocabulary.ids";
const TEXT_OFFSETS = "vocabulary.offsets";
const TEXT_BYTES = "vocabulary.bytes";
const SUPPORT = "support";

/** The vocabulary: I64 [items], or for text its UTF-8 bytes end to end and where each begins, I64 [items + 1]. */
function vocabularyTensors({ kind, ids, size }: Vocabulary): WritableTensor[] {
  if (kind !== "string") {
    const values = () => BigInt64Array.from(ids as ArrayLike<number | bigint>, (id) => BigInt(id));
    return [{ name: IDS, dtype: "I64", shape: [size], values }];
  }
  const bytes = Buffer.from((ids as readonly string[]).join(""));
  const offsets = new BigInt64Array(size + 1);
  (ids as readonly string[]).forEach((id, i) => (offsets[i + 1] = offsets[i]! + BigInt(Buffer.byteLength(id))));
  return [
    { name: TEXT_OFFSETS, dtype: "I64", shape: [size + 1], values: () => offsets },
    { name: TEXT_BYTES, dtype: "U8", shape: [bytes.length], values: () => bytes },
  ];
}

/** @throws {@link Gru4RecError} `ERR_FILE` when the file cannot be written; an existing one is then what it was. */
export async function writeModelFile(path: string, native: NativeModel, contents: ModelContents): Promise<void> {
  const { config, history, vocabulary, support } = contents;
  const metadata = {
    format: FORMAT,
    format_version: String(FORMAT_VERSION),
    item_kind: vocabulary.kind,
    items: String(vocabulary.size),
    config: JSON.stringify(config),
    history: JSON.stringify(history),
  };
  const [ids, ...bytes] = vocabularyTensors(vocabulary);
  const weights = callNative(() => native.tensors()).map(({ name, rows, cols }): WritableTensor => {
    const values = () => {
      const elements = new Float32Array(rows * cols);
      callNative(() => native.readTensor(name, 0, elements));
      return elements;
    };
    return { name, dtype: "F32", shape: [rows, cols], values };
  });
  await writeSafetensors(path, metadata, [
    ids!,
    ...weights,
    { name: SUPPORT, dtype: "U32", shape: [vocabulary.size], values: () => support },
    ...bytes,
  ]);
}

/** @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_MODEL_FILE` when it is no whole model file. */
export async function readModelFile(
  path: string,
  options: LoadOptions,
): Promise<{ native: NativeModel; contents: ModelContents }> {
  try {
    const file = await SafetensorsFile.open(path);
    try {
      return await readModel(file, options);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Gru4RecError) throw error;
    if (error instanceof FormatError) {
      const message = `Expected ${path} to be a gru4rec model file but ${reason(error)}`;
      throw new Gru4RecError("ERR_MODEL_FILE", message, { cause: error });
    }
    const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : reason(error);
    throw new Gru4RecError("ERR_FILE", `Expected ${path} to be a readable file but ${why}`, { cause: error });
  }
}

interface Description {
  readonly kind: IdKind;
  readonly items: number;
  readonly config: Config;
  readonly history: readonly EpochReport[];
}

function readDescription(metadata: Readonly<Record<string, string>>, options: LoadOptions): Description {
  if (metadata.format !== FORMAT) throw new FormatError("its metadata does not say that it is one");
  const version = Number(metadata.format_version);
  if (version !== FORMAT_VERSION)
    throw new FormatError(`its format version is ${metadata.format_version} and this package reads ${FORMAT_VERSION}`);
  const kind = ID_KINDS.find((name) => name === metadata.item_kind);
  if (kind === undefined) throw new FormatError(`its kind of item ids is ${metadata.item_kind}`);
  const items = Number(metadata.items);
  if (!Number.isSafeInteger(items) || items < 1) throw new FormatError(`its number of items is ${metadata.items}`);
  try {
    const stored = JSON.parse(metadata.config ?? "") as Config;
    const history = JSON.parse(metadata.history ?? "") as EpochReport[];
    const { config } = parseConfig({ ...stored, device: "auto", threads: 0, ...options });
    return { kind, items, config, history };
  } catch (error) {
    throw new FormatError(`its configuration cannot be read: ${reason(error)}`);
  }
}

async function readModel(
  file: SafetensorsFile,
  options: LoadOptions,
): Promise<{ native: NativeModel; contents: ModelContents }> {
  const { kind, items, config, history } = readDescription(file.metadata, options);
  const native = createModel(config, items);
  try {
    const weights = native.tensors();
    const idTensors = kind === "string" ? [TEXT_OFFSETS, TEXT_BYTES] : [IDS];
    checkTensors(file, [...weights.map(({ name }) => name), SUPPORT, ...idTensors], items, weights);

    const weightNames = new Set(weights.map(({ name }) => name));
    const others = new Map<string, TensorValues>();
    await file.read(({ name }, values) => {
      if (weightNames.has(name)) callNative(() => native.writeTensor(name, 0, values as Float32Array));
      else others.set(name, values);
    });
    const vocabulary = readVocabulary(kind, others);
    return {
      native,
      contents: { config, history, epoch: history.length, vocabulary, support: others.get(SUPPORT) as Uint32Array },
    };
  } catch (error) {
    native.dispose();
    throw error;
  }
}

/** Whether the file has the tensors `names` and no others, each of its type and shape. */
function checkTensors(
  file: SafetensorsFile,
  names: readonly string[],
  items: number,
  weights: ReturnType<NativeModel["tensors"]>,
): void {
  const known: Record<string, { dtype: string; shape?: readonly number[] }> = {
    [IDS]: { dtype: "I64", shape: [items] },
    [TEXT_OFFSETS]: { dtype: "I64", shape: [items + 1] },
    [TEXT_BYTES]: { dtype: "U8" },
    [SUPPORT]: { dtype: "U32", shape: [items] },
  };
  for (const { name, rows, cols } of weights) known[name] = { dtype: "F32", shape: [rows, cols] };
  for (const name of names) {
    const tensor = file.tensors.find((candidate) => candidate.name === name);
    if (tensor === undefined) throw new FormatError(`it has no tensor ${name}`);
    const { dtype, shape = tensor.shape } = known[name]!;
    if (tensor.dtype !== dtype || String(tensor.shape) !== String(shape))
      throw new FormatError(
        `tensor ${name} is ${tensor.dtype} [${tensor.shape.join(", ")}] where ${dtype} [${shape.join(", ")}] belongs`,
      );
  }
  const stranger = file.tensors.find(({ name }) => !names.includes(name));
  if (stranger !== undefined)
    throw new FormatError(`it has a tensor ${stranger.name}, which its configuration does not`);
}

function readVocabulary(kind: IdKind, tensors: ReadonlyMap<string, TensorValues>): Vocabulary {
  if (kind === "bigint") return new Vocabulary(kind, tensors.get(IDS) as BigInt64Array);
  if (kind === "number") {
    const ids = Float64Array.from(tensors.get(IDS) as BigInt64Array, Number);
    if (!ids.every(isId)) throw new FormatError("its item ids are beyond the safe integers");
    return new Vocabulary(kind, ids);
  }
  const bytes = tensors.get(TEXT_BYTES) as Uint8Array;
  const offsets = Float64Array.from(tensors.get(TEXT_OFFSETS) as BigInt64Array, Number);
  if (
    offsets[0] !== 0 ||
    offsets.at(-1) !== bytes.length ||
    offsets.some((offset, i) => offset < (offsets[i - 1] ?? 0))
  )
    throw new FormatError("the offsets of its item ids do not fit their bytes");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const ids = Array.from(offsets.subarray(1), (end, i) => text.toString("utf8", offsets[i], end));
  return new Vocabulary(kind, ids);
}
