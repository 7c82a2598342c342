export type { EpochReport, ValidationReport } from "./epoch-report";
export { formatProgress, progressTexts, type TrainProgress } from "./progress";
export { trainEpochs, type TrainEpochsOptions, type TrainingCallbacks, type TrainingOutcome } from "./train-epochs";
export { Validation, type ValidationMetric, type ValidationSettings } from "./validation";
