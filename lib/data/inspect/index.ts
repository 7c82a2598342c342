export type { Distribution } from "./distribution";
export { inspect, type DataReport } from "./inspect";
export type { DataWarning } from "./warnings";
