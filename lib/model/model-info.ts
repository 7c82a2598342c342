import type { Config } from "../config";
import type { IdKind } from "../data";
import type { EpochReport } from "../training";
import { readDescription } from "./description";
import { withModelFile } from "./open-model-file";
import { countStoredParameters, isOptimiserState } from "./model-file";

/** A tensor of a model file. */
export interface TensorInfo {
  /** Such as `layers.0.gates.weight`. */
  readonly name: string;
  /** A type of the safetensors format, such as `F32`. */
  readonly dtype: string;
  /** Sizes of its dimensions; the last one varies fastest. */
  readonly shape: readonly number[];
}

/** What a model file holds. */
export interface ModelInfo {
  /** Of the file, as it was given. */
  readonly path: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Version of the layout of model files. */
  readonly formatVersion: number;
  /** Version of the package that wrote the file. */
  readonly packageVersion: string;
  /** Number of items that the model knows. */
  readonly items: number;
  /** What the item ids are. */
  readonly itemKind: IdKind;
  /** The effective configuration that it was trained with. */
  readonly config: Config;
  /** What each epoch of training came to. */
  readonly history: readonly EpochReport[];
  /** The epoch that the weights are of; 0 = before the first. */
  readonly epoch: number;
  /** Numbers that training learned, those of the optimiser not counted. */
  readonly parameters: number;
  /** Whether training can go on from the optimiser's state. */
  readonly optimiserState: boolean;
  /** In the order of the file. */
  readonly tensors: readonly TensorInfo[];
}

/**
 * Reads what a model file says of itself: its header only, so the time does not depend on the size of the model.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_MODEL_FILE` when its header is not that of a model
 * file.
 */
export async function readModelInfo(path: string): Promise<ModelInfo> {
  return withModelFile(path, (file) => {
    const description = readDescription(file);
    const tensors = file.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    return {
      path,
      bytes: file.size,
      ...description,
      parameters: countStoredParameters(file.tensors),
      optimiserState: tensors.some(({ name }) => isOptimiserState(name)),
      tensors,
    };
  });
}
