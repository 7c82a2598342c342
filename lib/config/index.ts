export { parseActivation, type Activation, type FinalActivation, type HiddenActivation } from "./activation";
export type { Config } from "./config";
export { readConfig, readConfigFile } from "./config-file";
export type { DeviceName } from "./device";
export { describeParameter, type ParameterDescription } from "./describe-parameter";
export { parameterStringSource } from "./parameter-string";
export { parseConfig, parseSources, type ParsedConfig } from "./parse-config";
export { parseParameterText } from "./parse-text";
export {
  parameterNames,
  type ConfigValues,
  type Hyperparameters,
  type ParameterGroup,
  type ParameterName,
} from "./schema";
export { optionsSource, type Source } from "./source";
