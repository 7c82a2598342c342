export { Gru4Rec, TrainingError, type Retraining, type RetrainOptions } from "./gru4rec";
export type { LoadOptions } from "./model-file";
export { readModelInfo, type ModelInfo, type TensorInfo } from "./model-info";
export { readTrainingRun, takeRunOptions, warn, type RunOptions, type ValidationOptions } from "./training-run";
