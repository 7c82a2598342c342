export type { EventLog } from "./event-log";
export type { EventTime, TimeUnit } from "./event-times";
export {
  checkId,
  isId,
  makeIdList,
  type IdColumn,
  type IdKind,
  type IdList,
  type IdSequence,
  type ItemId,
  type SessionId,
  type Widened,
} from "./ids";
export { inspect, type DataReport, type DataWarning, type Distribution, type HistogramBin } from "./inspect";
export {
  indexSetOf,
  indicesOf,
  isList,
  knownIndexSetOf,
  packSessions,
  type PackedSessions,
  type SessionItems,
} from "./item-lists";
export { writeLog } from "./log-file";
export { PackedText } from "./packed-text";
export {
  OUTPUT_FORMATS,
  OutputFolder,
  prepare,
  prepareWindows,
  RECIPE_NAMES,
  type DataCounts,
  type HoldOut,
  type OutputFormat,
  type Prepared,
  type PreparedPart,
  type PrepareOptions,
  type PrepareReport,
  type PrepareStep,
  type PublishedCounts,
  type RecipeName,
  type Straddling,
  type WindowOptions,
} from "./prepare";
export type { EventColumns } from "./read-columns";
export { readEvents, type DataInput, type ReadOptions } from "./read-events";
export type { ColumnNames } from "./read-file";
export type { Event } from "./read-iterable";
export {
  prepareEvaluation,
  prepareRetraining,
  prepareTraining,
  trainingOrder,
  type EvaluationData,
  type Sessions,
  type TrainingData,
} from "./sessions";
export { splitByTime } from "./split-by-time";
export { splitLastSessions } from "./split-last-sessions";
export type { Split } from "./split-sessions";
export { Vocabulary } from "./vocabulary";
export { copyFrom, vocabularyLayout, VocabularyReader, vocabularyTensors } from "./vocabulary-tensors";
