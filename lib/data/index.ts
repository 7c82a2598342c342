export type { EventLog } from "./event-log";
export { checkId, isId, makeIdList, type IdKind, type IdList, type ItemId, type SessionId } from "./ids";
export {
  indexSetOf,
  indicesOf,
  isList,
  knownIndexSetOf,
  packSessions,
  type PackedSessions,
  type SessionItems,
} from "./item-lists";
export type { EventColumns } from "./read-columns";
export { readEvents, type DataInput } from "./read-events";
export {
  prepareEvaluation,
  prepareTraining,
  trainingOrder,
  type EvaluationData,
  type Sessions,
  type TrainingData,
} from "./sessions";
export { splitByTime, type Split } from "./split-by-time";
export { Vocabulary } from "./vocabulary";
