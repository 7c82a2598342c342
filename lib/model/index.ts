export { Gru4Rec } from "./gru4rec";
export type { LoadOptions } from "./model-file";
export { readModelInfo, type ModelInfo } from "./model-info";
