export { parseActivation, type Activation } from "./activation";
export { parseConfig, type ParsedConfig } from "./parse-config";
export { parseParameterString } from "./parameter-string";
export {
  parameterMeta,
  parameterNames,
  parameterSchema,
  type Config,
  type Hyperparameters,
  type ParameterName,
} from "./schema";
