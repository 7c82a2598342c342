export type { DataCounts } from "./draft";
export type { HoldOut, PrepareOptions } from "./options";
export { OUTPUT_FORMATS, OutputFolder, type OutputFormat } from "./output-folder";
export type { Straddling } from "./plan";
export { prepare, prepareWindows, type Prepared, type WindowOptions } from "./prepare";
export type { PublishedCounts } from "./published";
export { RECIPE_NAMES, type RecipeName } from "./recipe-plans";
export type { PreparedPart, PrepareReport, PrepareStep } from "./run-plan";
