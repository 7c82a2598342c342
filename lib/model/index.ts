export { Gru4Rec, TrainingError, type Retraining, type RetrainOptions } from "./gru4rec";
export type { LoadOptions } from "./model-file";
export { readTrainingRun, takeRunOptions, warn, type RunOptions, type ValidationOptions } from "./training-run";
