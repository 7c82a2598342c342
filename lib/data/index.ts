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
export { isLogFile, writeLog } from "./log-file";
export { openRetraining, openTraining } from "./log-windows";
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
export {
  pickReadOptions,
  READ_OPTIONS,
  readEvents,
  type DataInput,
  type FileSource,
  type ReadOptions,
} from "./read-events";
export {
  prepareEvaluation,
  prepareRetraining,
  prepareTraining,
  trainingOrder,
  type EvaluationData,
  type Sessions,
  type TrainingData,
  type TrainingDataInMemory,
} from "./sessions";
export type { ArrowColumn, ArrowField, ArrowTable } from "./sources/arrow-table";
export { checkReadable, listFiles, mayBeDatabase } from "./sources/files";
export { FILE_FORMATS, type ColumnNames, type FileFormat } from "./sources/options";
export type { EventColumns } from "./sources/read-columns";
export type { DatabaseSource, QuerySource, TableSource } from "./sources/database-source";
export type { Event } from "./sources/read-iterable";
export { splitByTime } from "./split-by-time";
export { splitLastSessions } from "./split-last-sessions";
export type { Split } from "./split-sessions";
export { Vocabulary } from "./vocabulary";
export { copyFrom, vocabularyLayout, VocabularyReader, vocabularyTensors } from "./vocabulary-tensors";
