/**
 * The only types of the native addon: what crosses the border between TypeScript and C++. Shapes in brackets.
 * Everything here works on item indices; ids belong to the layers above.
 */

/** Sessions as the engine reads them. Events of session s are items[offsets[s] … offsets[s + 1]), oldest first. */
export interface NativeSessions {
  /** [events] item indices */
  readonly items: Int32Array;
  /** [sessions + 1], ascending; so at most 2^31 - 1 events */
  readonly offsets: Int32Array;
}

/** Items of sessions that the engine reads from a file while it trains on them. */
export interface NativeItemFile {
  readonly path: string;
  /** Bytes of the file; another size is ERR_FILE. */
  readonly size: number;
  /** When the file was written to, in ns since 1970; another time is ERR_FILE. */
  readonly modified: bigint;
  /** Byte at which the items begin, int32 little-endian. */
  readonly position: number;
  /** Most events in memory at a time, twice; a longer session is by itself. */
  readonly window: number;
  /** Items in the file are below this; others are ERR_DATA. */
  readonly itemCount: number;
  /** [sessions + 1], ascending: where the events of each session begin in the file */
  readonly places: Int32Array;
  /** [itemCount] the model's index of each item, -1 = its events are left out; absent = the same. */
  readonly indexOf?: Int32Array;
}

/** Sessions to train on; their offsets count the events that are not left out. */
export interface NativeTrainingSessions {
  readonly items: Int32Array | NativeItemFile;
  readonly offsets: Int32Array;
}

/** An activation: kind and parameters (leaky: alpha; elu: alpha; selu: lambda and alpha). */
export interface NativeActivation {
  readonly kind: "linear" | "relu" | "tanh" | "leaky" | "elu" | "selu" | "softmax" | "softmax_logit";
  readonly alpha?: number;
  readonly lambda?: number;
}

export interface NativeModelSpec {
  readonly items: number;
  /** Hidden units of each layer, the first layer first. */
  readonly layers: readonly number[];
  readonly embedding: "none" | "separate" | "shared";
  /** Width of the embedding in `separate` mode; 0 otherwise. */
  readonly embeddingSize: number;
  readonly hiddenAct: NativeActivation;
  readonly finalAct: NativeActivation;
  readonly resetAfter: boolean;
}

export interface NativeTrainingSpec {
  readonly loss: "cross-entropy" | "xe_logit" | "bpr" | "bpr-max" | "top1" | "top1-max";
  readonly smoothing: number;
  readonly bpreg: number;
  readonly optimiser: "adagrad" | "sgd" | "rmsprop" | "adadelta" | "adam";
  readonly learningRate: number;
  readonly momentum: number;
  readonly lmbd: number;
  /** r of rmsprop and adadelta, beta1 of adam. */
  readonly decay: number;
  /** beta2 of adam. */
  readonly secondDecay: number;
  readonly batchSize: number;
  readonly nSample: number;
  readonly sampleAlpha: number;
  readonly sampleStore: number;
  /** Has no effect with the pairwise losses. */
  readonly logq: number;
  readonly dropoutEmbed: number;
  readonly dropoutHidden: number;
  readonly gradCap: number;
  /** A safe integer, 0 or more. */
  readonly seed: number;
  readonly randomOrder: boolean;
  /** Of the products of training; `auto` = tf32 where the device has it, else float32. */
  readonly precision: "auto" | "float32" | "tf32" | "bf16";
  /** From 0 to 256; `auto` = by how long a step takes. */
  readonly bptt: number;
  readonly stepsPerLaunch: "auto" | number;
}

/** Which device to compute on, and where its libraries are. */
export interface NativeDeviceOptions {
  /** `cpu`, `cuda:1`, `cuda` for the first that can be used, `auto` for it or else the CPU. */
  readonly device: string;
  /** 0 = the CPU quota of the process */
  readonly threads: number;
  /** Path of libgru4rec_cuda.so; empty = there is none. */
  readonly cudaLibrary: string;
  /** A cuBLAS library; empty = look for it, `none` = do without. */
  readonly cublasPath: string;
}

/** A device of this machine; 0 and empty texts = does not apply, or is not known. */
export interface NativeDevice {
  /** `cpu`, `cuda:0` */
  readonly id: string;
  /** Of the CPU its instruction set. */
  readonly name: string;
  /** Memory in bytes. */
  readonly total: number;
  readonly free: number;
  readonly threads: number;
  readonly capabilityMajor: number;
  readonly capabilityMinor: number;
  /** Why it cannot be used; empty = it can. */
  readonly problem: string;
}

/** What CUDA devices need besides themselves; 0 and empty texts = there is none. */
export interface NativeCuda {
  /** 13000 for CUDA 13.0, likewise the next one. */
  readonly driverVersion: number;
  readonly runtimeVersion: number;
  /** Why no device can be used; empty = one can. */
  readonly problem: string;
  /** As cuBLAS counts: 130002 for 13.0.2. */
  readonly cublasVersion: number;
  readonly cublasPath: string;
  /** Where it was looked for in vain; empty = it was found. */
  readonly cublasProblem: string;
}

export interface NativeDeviceList {
  /** The CPU, then CUDA's by their numbers. */
  readonly devices: readonly NativeDevice[];
  readonly cuda: NativeCuda;
  /** The device that `auto` takes. */
  readonly automatic: string;
}

/** Bytes on the device, and in host memory for copies to it. */
export interface NativeMemoryNeed {
  /** The device that it is for: `auto` has chosen. */
  readonly device: string;
  readonly tables: number;
  readonly optimiserState: number;
  readonly batchBuffers: number;
  readonly sampleStore: number;
  readonly workspace: number;
  readonly staging: number;
}

/** How far an epoch is. */
export interface NativeProgress {
  readonly steps: number;
  /** Pairs of input and target trained so far, the sum of M. */
  readonly events: number;
  readonly totalEvents: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  readonly seconds: number;
}

/** A matrix of a model's state. Those of the optimiser have names that begin with `optimiser.`. */
export interface NativeTensor {
  readonly name: string;
  readonly dtype: "F32" | "I32";
  readonly rows: number;
  readonly cols: number;
}

export type NativeTies = "standard" | "conservative" | "median";

export interface NativeRecommendRequest {
  readonly sessions: NativeSessions;
  readonly k: number;
  /** Ascending, distinct item indices to choose from; absent = all. */
  readonly candidates?: Int32Array;
  /** Row r chooses from candidates[starts[r] … starts[r + 1]), ascending within a row; absent = from all of them. */
  readonly candidateStarts?: Int32Array;
  /** Row r never gets items[starts[r] … starts[r + 1]), ascending within a row. */
  readonly exclusions?: { readonly starts: Int32Array; readonly items: Int32Array };
}

export interface NativeRecommendations {
  /** [sessions * k] item indices, best first, -1 behind the last candidate. */
  readonly items: Int32Array;
  /** [sessions * k] scores after the final activation (a softmax runs over all items). */
  readonly scores: Float32Array;
}

/** The event of each slot of a {@link NativeSlots}. */
export interface NativeSlotEvents {
  /** [slots] item indices; -1 = no event, the slot's session stays where it is. */
  readonly input: Int32Array;
  /** [slots] not 0 = a session begins, from the zero state. */
  readonly starts: Uint8Array;
  /** Columns of the scores, one or more; absent = all items. */
  readonly items?: Int32Array;
}

/** Hidden states of sessions that go on event by event; freed with this object or with the model. */
export interface NativeSlots {
  readonly __nativeSlots: never;
}

/** Which epoch's weights to keep. */
export type NativeSnapshot = "last" | "best";

/** Stops the call that it was given to: the promise rejects with ERR_ABORTED within 100 ms. */
export interface NativeCancellation {
  cancel(): void;
}

/**
 * A model in native memory. Promises settle on the event loop; the work runs on a thread of the model's own. Failures
 * reject with (or, for synchronous methods, throw) an Error that has a `code` of Gru4RecError.
 *
 * Calls of recommend, predict, evaluate, the slots, the training and its snapshots queue in their order. All other calls
 * while anything is under way give ERR_BUSY, any call after dispose ERR_DISPOSED. A session with no event is scored from
 * the zero state.
 */
export interface NativeModel {
  /** All parameters in storage order, then the optimiser's state where there is one. */
  tensors(): NativeTensor[];
  /**
   * Fills `values` (of the tensor's type) with elements from `first` on, in row-major order. Allowed beside the calls that
   * queue; while an epoch is trained it reads weights that change.
   */
  readTensor(name: string, first: number, values: Float32Array | Int32Array): void;
  /** Sets the elements from `first` on. */
  writeTensor(name: string, first: number, values: Float32Array | Int32Array): void;
  /** Makes the optimiser's state, all zero: for one that is read from a file. */
  allocateOptimiser(spec: NativeTrainingSpec): void;
  /** Draws initial weights (docs/random.md). */
  initialise(options: { readonly sigma: number; readonly normal: boolean; readonly seed: number }): Promise<void>;
  /**
   * Begins training: allocates samples and work space, and the optimiser's state unless there is one that suits.
   * @param support - [items] training events of each item, at least 1.
   * @param options - Steps and epochs trained before, so that random numbers go on; whether the optimiser's state is to
   * stay after training.
   */
  prepareTraining(
    spec: NativeTrainingSpec,
    support: Uint32Array,
    options: { readonly steps: number; readonly epochs: number; readonly keepOptimiser: boolean },
  ): Promise<void>;
  /**
   * One epoch over `sessions` in the order given ([sessions], session numbers). Items in a file give the same bits.
   * @param options - `onProgress` is called on the event loop at most ten times a second. When it throws, the epoch
   * stops and the promise rejects with that error. Before a promise rejects, the weights of the snapshot `restore` come
   * back, so that no other call sees those of half an epoch.
   */
  trainEpoch(
    sessions: NativeTrainingSessions,
    order: Int32Array,
    options: {
      readonly learningRate: number;
      readonly onProgress?: ((progress: NativeProgress) => void) | undefined;
      readonly restore?: NativeSnapshot | undefined;
    },
    cancellation: NativeCancellation | undefined,
  ): Promise<NativeProgress>;
  /** Copies the parameters, and the optimiser's state where it is to stay, to host memory. */
  keepWeights(which: NativeSnapshot): Promise<void>;
  /** Brings back what {@link keepWeights} copied. */
  restoreWeights(which: NativeSnapshot): Promise<void>;
  /**
   * Frees what prepareTraining allocated, and the snapshots.
   * @param trained - Whether the model is another than before; else it gets its earlier optimiser's state back.
   */
  finishTraining(trained: boolean): Promise<void>;
  /**
   * Rank of the target for every pair of input and target, in the order of the session-parallel walk.
   * @param candidates - Ascending, distinct; absent = all items. The target always belongs to them.
   */
  evaluate(
    sessions: NativeSessions,
    options: { readonly ties: NativeTies; readonly batchSize: number; readonly candidates?: Int32Array },
    cancellation: NativeCancellation | undefined,
  ): Promise<Float64Array>;
  recommend(
    request: NativeRecommendRequest,
    cancellation: NativeCancellation | undefined,
  ): Promise<NativeRecommendations>;
  /** Scores after the final activation [sessions * columns]; `items` = the columns, absent = all items. */
  predict(
    sessions: NativeSessions,
    items: Int32Array | undefined,
    cancellation: NativeCancellation | undefined,
  ): Promise<Float32Array>;
  /** Slots for that many sessions, all in the zero state. */
  openSlots(slots: number): Promise<NativeSlots>;
  /** One event in every slot; scores of what comes next after the final activation, [slots * columns]. */
  nextInSlots(
    slots: NativeSlots,
    events: NativeSlotEvents,
    cancellation: NativeCancellation | undefined,
  ): Promise<Float32Array>;
  /** Such as "cpu (avx512, 2 threads)". */
  device(): string;
  /** What would make it faster and is not here; `problem` is empty where nothing is missing. */
  missing(): NativeMissing;
  dispose(): void;
}

export interface NativeMissing {
  /** What was looked for where, and what to install. */
  readonly problem: string;
  /** False where the user does without on purpose. */
  readonly wanted: boolean;
}

export interface NativeAddon {
  /** @param training - What is trained next; a model that does not fit with it is refused before its tables are made. */
  readonly Model: new (
    spec: NativeModelSpec,
    options: NativeDeviceOptions,
    training?: NativeTrainingSpec,
  ) => NativeModel;
  readonly Cancellation: new () => NativeCancellation;
  /** `options.device` plays no part. */
  listDevices(options: NativeDeviceOptions): NativeDeviceList;
  /** What a model and its training take. Allocates nothing, and a CUDA device need not be here. */
  estimateMemory(spec: NativeModelSpec, training: NativeTrainingSpec, options: NativeDeviceOptions): NativeMemoryNeed;
}
