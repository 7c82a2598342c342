export { formatProgress, type TrainProgress } from "./progress";
export { trainEpochs, type EpochReport, type TrainEpochsOptions } from "./train-epochs";
