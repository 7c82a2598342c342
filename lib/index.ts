export { compare, type CompareOptions, type Comparison } from "./compare";
export type { Config, Hyperparameters } from "./config";
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
export { Gru4Rec, readModelInfo, type LoadOptions, type ModelInfo } from "./model";
export type { PredictOptions, Recommendations, RecommendOptions } from "./prediction";
export { train, type TrainOptions } from "./train";
export { formatProgress, type EpochReport, type TrainProgress } from "./training";
