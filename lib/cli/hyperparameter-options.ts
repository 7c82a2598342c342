import { Option, type Command } from "commander";
import {
  describeParameter,
  optionsSource,
  parameterNames,
  parameterStringSource,
  parseParameterText,
  parseSources,
  readConfigFile,
  type Hyperparameters,
  type ParameterDescription,
  type ParameterName,
  type ParsedConfig,
} from "../config";
import type { LoadOptions } from "../index";

/** Hyperparameters by our names, and where else they come from. */
export interface ConfigFlags extends Hyperparameters {
  readonly config?: string;
  readonly parameters?: string;
}

/** `--n-epochs` of nEpochs. */
function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function makeOptions(parameter: ParameterDescription): Option[] {
  const { name, boolean, choices, doc, type, default: byDefault } = parameter;
  const flag = flagOf(name);
  if (!boolean) {
    const option = new Option(`${flag} <${choices ? "name" : "value"}>`, `${doc} (${type}; default: ${byDefault})`);
    if (choices) option.argChoices = [...choices]; // for the completion; the schema checks
    return [option.argParser((text) => parseParameterText(name, text))];
  }
  const off = `--no-${flag.slice(2)}`;
  return [
    new Option(flag, `${doc} (default: ${byDefault}${byDefault === "true" ? `; ${off} turns it off` : ""})`),
    new Option(off).hideHelp(),
  ];
}

/** Adds a flag for every hyperparameter, in groups, or for those named. */
export function addHyperparameterOptions(command: Command, names: readonly ParameterName[] = parameterNames): Command {
  for (const name of names) {
    const parameter = describeParameter(name);
    command.optionsGroup(`${parameter.group}:`);
    for (const option of makeOptions(parameter)) command.addOption(option);
  }
  return command;
}

/** Adds what {@link ConfigFlags} has. */
export function addConfigOptions(command: Command): Command {
  command
    .optionsGroup("Hyperparameters; flags win over the string, the string over the file:")
    .option("--config <file>", "JSON, also with comments, or the author's parameter file (the author's -pf)")
    .option("--parameters <string>", "the author's parameter string: loss=bpr-max,layers=100/100,… (the author's -ps)");
  return addHyperparameterOptions(command);
}

function flagsSource(flags: Hyperparameters, names: readonly ParameterName[] = parameterNames) {
  return optionsSource(Object.fromEntries(names.map((name) => [name, flags[name]])), flagOf);
}

/** @throws {@link ConfigError} with all problems of all sources; `ERR_FILE`. */
export async function readConfiguration({ config, parameters, ...flags }: ConfigFlags): Promise<ParsedConfig> {
  return parseSources([
    ...(config === undefined ? [] : [await readConfigFile(config)]),
    ...(parameters === undefined ? [] : [parameterStringSource(parameters)]),
    flagsSource(flags),
  ]);
}

/** The hyperparameters that say where a loaded model computes. */
export const PLACE: readonly ParameterName[] = ["threads", "device", "cublasPath"];

/** @throws {@link ConfigError} */
export function readPlace(flags: Hyperparameters): LoadOptions {
  const { threads, device, cublasPath } = parseSources([flagsSource(flags, PLACE)]).config;
  return { threads, device, cublasPath };
}
