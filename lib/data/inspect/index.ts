export type { Distribution, HistogramBin } from "./distribution";
export { inspect, type DataReport } from "./inspect";
export type { DataWarning } from "./warnings";
