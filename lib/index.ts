export { compare, type CompareOptions, type Comparison } from "./compare";
export {
  parseConfig,
  readConfig,
  type Config,
  type DeviceName,
  type FinalActivation,
  type HiddenActivation,
  type Hyperparameters,
  type ParsedConfig,
} from "./config";
export {
  readEvents,
  splitByTime,
  splitLastSessions,
  writeLog,
  type ColumnNames,
  type DataInput,
  type Event,
  type EventColumns,
  type EventLog,
  type EventTime,
  type IdColumn,
  type IdKind,
  type IdList,
  type IdSequence,
  type ItemId,
  type ReadOptions,
  type SessionId,
  type SessionItems,
  type Split,
  type TimeUnit,
  type Widened,
} from "./data";
export { ConfigError, Gru4RecError, type ErrorCode, type Problem } from "./errors";
export type { BaselineMetrics, EvaluateOptions, Evaluation, ListLengths, Metrics, Ties } from "./evaluation";
export {
  Gru4Rec,
  readModelInfo,
  TrainingError,
  type LoadOptions,
  type ModelInfo,
  type Retraining,
  type RetrainOptions,
  type RunOptions,
  type TensorInfo,
  type ValidationOptions,
} from "./model";
export {
  estimateMemory,
  listDevices,
  type CpuDevice,
  type CublasInfo,
  type CudaDevice,
  type CudaInfo,
  type DeviceList,
  type DeviceMemory,
  type MemoryEstimate,
  type MemoryEstimateOptions,
} from "./native";
export {
  Predictor,
  type ItemLists,
  type NextOptions,
  type PredictOptions,
  type PredictorOptions,
  type RecommendAllOptions,
  type Recommendations,
  type RecommendOptions,
  type SessionRequest,
  type SessionStream,
} from "./prediction";
export { train, type TrainOptions } from "./train";
export {
  formatProgress,
  type EpochReport,
  type TrainingCallbacks,
  type TrainProgress,
  type ValidationMetric,
  type ValidationReport,
  type ValidationSettings,
} from "./training";
