import { parseConfig, type DeviceName, type Hyperparameters } from "../config";
import { checkInteger, checkOptions } from "../errors";
import { callNative } from "./call";
import { modelSpec, trainingSpec } from "./create-model";
import { deviceOptions } from "./device-options";
import { loadAddon } from "./load";

const MOST_ITEMS = 2 ** 31 - 1;

/** What is to be trained. */
export interface MemoryEstimateOptions {
  /** Number of items of the click log. */
  readonly items: number;
  /** Where to train; a GPU need not be in this machine. Default: that of the configuration. */
  readonly device?: Hyperparameters["device"];
}

/** Memory that a training takes, in bytes. */
export interface MemoryEstimate {
  /** `cpu`, or the GPU as it was asked for. */
  readonly device: DeviceName;
  /** On the device: all parts together. */
  readonly total: number;
  /** What it goes to. */
  readonly parts: {
    /** The parameters. Less with smaller `layers`, and with `embedding: "shared"`. */
    readonly tables: number;
    /** What the optimiser remembers of each parameter. None with `adapt: "sgd"` and `momentum: 0`. */
    readonly optimiserState: number;
    /** Activations, scores and gradients of a mini-batch. Less with smaller `batchSize`, `nSample` and `layers`. */
    readonly batchBuffers: number;
    /**
     * The tables that negative samples are drawn by, and on the CPU the samples drawn ahead: less with a smaller
     * `sampleStore`. A GPU draws those of a step in the step.
     */
    readonly sampleStore: number;
    /** Work space of the operations. Less with smaller `batchSize`, `nSample` and `layers`. */
    readonly workspace: number;
  };
  /**
   * In the machine's memory besides: a copy of the parameters as they were after the last whole epoch, which several
   * epochs keep, and the buffers of a GPU's copies. On the CPU it comes on top of `total`.
   */
  readonly host: number;
}

/**
 * Says how much memory a training takes before any of it is allocated, exact to two percent. It comes on top of the click
 * log. Validation and recommendations take some more for the time of their calls; on a GPU their work space stays until
 * the model's `dispose()`.
 *
 * Where the device is a GPU, or `auto`, it loads the CUDA back end's library and asks what is there, as `listDevices()`.
 * @example
 * ```js
 * const { total, parts } = estimateMemory({ layers: [512], batchSize: 240 }, { items: 1_000_000, device: "cuda" });
 * ```
 * @throws {@link ConfigError} as `train()`; `ERR_ARGUMENT` for a wrong number of items.
 */
export function estimateMemory(config: Hyperparameters, options: MemoryEstimateOptions): MemoryEstimate {
  checkOptions(options, ["items", "device"]);
  const { items, device } = options;
  checkInteger("items", items, 1, MOST_ITEMS);
  const parsed = parseConfig(device === undefined ? config : { ...config, device }).config;
  const native = callNative(() =>
    loadAddon().estimateMemory(modelSpec(parsed, items), trainingSpec(parsed), deviceOptions(parsed)),
  );
  const { tables, optimiserState, batchBuffers, sampleStore, workspace } = native;
  return {
    device: native.device as DeviceName,
    total: tables + optimiserState + batchBuffers + sampleStore + workspace,
    parts: { tables, optimiserState, batchBuffers, sampleStore, workspace },
    host: (parsed.nEpochs > 1 ? tables : 0) + native.staging,
  };
}
