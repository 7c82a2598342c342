export { compare, type CompareOptions, type Comparison } from "./compare";
export {
  parseConfig,
  readConfig,
  type Config,
  type FinalActivation,
  type HiddenActivation,
  type Hyperparameters,
  type ParsedConfig,
} from "./config";
export {
  readEvents,
  splitByTime,
  splitLastSessions,
  type ColumnNames,
  type DataInput,
  type Event,
  type EventColumns,
  type EventLog,
  type EventTime,
  type ItemId,
  type ReadOptions,
  type SessionId,
  type SessionItems,
  type Split,
  type TimeUnit,
} from "./data";
export { ConfigError, Gru4RecError, type ErrorCode, type Problem } from "./errors";
export type { BaselineMetrics, EvaluateOptions, Evaluation, ListLengths, Metrics, Ties } from "./evaluation";
export {
  Gru4Rec,
  TrainingError,
  type LoadOptions,
  type Retraining,
  type RetrainOptions,
  type RunOptions,
  type ValidationOptions,
} from "./model";
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
