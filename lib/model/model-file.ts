import { parseConfig, type Config } from "../config";
import { copyFrom, vocabularyLayout, VocabularyReader, vocabularyTensors, type ItemId, type Vocabulary } from "../data";
import {
  checkPath,
  checkNoOthers,
  checkTensors,
  FormatError,
  writeSafetensors,
  type ExpectedTensor,
  type SafetensorsFile,
  type TensorInfo,
  type WritableTensor,
} from "../files";
import { callNative, createModel, trainingSpec, type NativeModel } from "../native";
import type { EpochReport } from "../training";
import { countParameters } from "./count-parameters";
import { encodeDescription, readDescription, type Description } from "./description";
import { withModelFile } from "./open-model-file";

/** What a model consists of besides its weights. */
export interface ModelContents<Id extends ItemId = ItemId> {
  readonly config: Config;
  readonly history: readonly EpochReport[];
  /** The epoch that the weights are of; 0 = before the first. */
  readonly epoch: number;
  readonly vocabulary: Vocabulary<Id>;
  /** [items] events of each item in training */
  readonly support: Uint32Array;
}

/** Where and how a loaded model computes: as in training, whatever it was trained with. */
export type LoadOptions = Partial<Pick<Config, "device" | "threads" | "precision" | "cublasPath">>;

/** [items], U32: the one tensor that is neither of the native model nor of the vocabulary. */
const SUPPORT = "support";
const OPTIMISER = "optimiser.";

/**
 * Writes a model in pieces: the memory that this takes does not depend on its size.
 * @param options.optimiserState - Whether the optimiser's state is written, where there is one. Default true.
 * @throws {@link Gru4RecError} `ERR_FILE` when the file cannot be written; an existing one is then what it was.
 */
export async function writeModelFile(
  path: string,
  native: NativeModel,
  { config, history, epoch, vocabulary, support }: ModelContents,
  { optimiserState = true }: { readonly optimiserState?: boolean } = {},
): Promise<void> {
  checkPath(path);
  const { kind: itemKind, size: items } = vocabulary;
  const tensors = callNative(() => native.tensors())
    .filter(({ name }) => optimiserState || !isOptimiserState(name))
    .map(({ name, dtype, rows, cols }): WritableTensor => {
      const read: WritableTensor["read"] = (first, values) =>
        callNative(() => native.readTensor(name, first, values as Float32Array | Int32Array));
      return { name, dtype, shape: [rows, cols], read };
    });
  const { wide, bytes } = vocabularyTensors(vocabulary);
  await writeSafetensors(path, encodeDescription({ itemKind, items, config, history, epoch }), [
    ...wide,
    ...tensors,
    { name: SUPPORT, dtype: "U32", shape: [items], read: copyFrom(support) },
    ...bytes,
  ]);
}

/**
 * Reads a model in pieces: besides the model itself the memory that this takes does not depend on its size.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_MODEL_FILE` when it is no whole model file,
 * `ERR_CONFIG` for wrong options.
 */
export async function readModelFile(
  path: string,
  options: LoadOptions,
): Promise<{ native: NativeModel; contents: ModelContents }> {
  const { device, threads, precision, cublasPath } = parseConfig(options).config;
  return withModelFile(path, (file) => {
    const description = readDescription(file);
    const { config } = parseConfig({ ...description.config, device, threads, precision, cublasPath });
    return readModel(file, { ...description, config });
  });
}

async function readModel(
  file: SafetensorsFile,
  { itemKind, items, config, history, epoch }: Description,
): Promise<{ native: NativeModel; contents: ModelContents }> {
  const others: ExpectedTensor[] = [
    ...vocabularyLayout(itemKind, items),
    { name: SUPPORT, dtype: "U32", shape: [items] },
  ];
  checkTensors(file, others);
  // Before memory is taken: a configuration may claim more than the machine has.
  const [needed, held] = [countParameters(config, items), countStoredParameters(file.tensors)];
  if (needed !== held) throw new FormatError(`it holds ${held} parameters where its configuration has ${needed}`);

  const native = createModel(config, items);
  try {
    if (file.tensors.some(({ name }) => isOptimiserState(name)))
      callNative(() => native.allocateOptimiser(trainingSpec(config)));
    const weights = native.tensors().map(({ name, dtype, rows, cols }) => ({ name, dtype, shape: [rows, cols] }));
    checkTensors(file, weights);
    checkNoOthers(file, [...weights, ...others]);

    const weightNames = new Set(weights.map(({ name }) => name));
    const support = new Uint32Array(items);
    const vocabulary = new VocabularyReader(itemKind, items, file.tensors);
    await file.read(({ name }, first, values) => {
      if (weightNames.has(name)) callNative(() => native.writeTensor(name, first, values as Float32Array | Int32Array));
      else if (name === SUPPORT) support.set(values as Uint32Array, first);
      else vocabulary.add(name, first, values);
    });
    return { native, contents: { config, history, epoch, vocabulary: vocabulary.vocabulary(), support } };
  } catch (error) {
    native.dispose();
    throw error;
  }
}

export function isOptimiserState(name: string): boolean {
  return name.startsWith(OPTIMISER);
}

/** Floats of the weights that a file holds. */
export function countStoredParameters(tensors: readonly TensorInfo[]): number {
  return tensors
    .filter(({ name, dtype }) => dtype === "F32" && !isOptimiserState(name))
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
