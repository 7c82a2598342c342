import { ConfigError, expected, type Problem } from "../errors";
import { unknownParameter } from "./nearest";
import { parseParameterString, type RawConfig } from "./parameter-string";
import {
  parameterNames,
  parameterSchema,
  type CheckedParameters,
  type Config,
  type Hyperparameters,
  type ParameterName,
} from "./schema";

export interface ParsedConfig {
  readonly config: Config;
  /** Parameters that are allowed but have no effect, one sentence each. */
  readonly warnings: readonly string[];
}

/** Number of decay rates and their defaults. */
const DECAY_RATES: Readonly<Record<Config["adapt"], readonly number[]>> = {
  adagrad: [],
  sgd: [],
  rmsprop: [0.9],
  adadelta: [0.9],
  adam: [0.9, 0.999],
};

function defaultFinalAct(loss: Config["loss"]): string {
  if (loss === "cross-entropy") return "softmax";
  if (loss === "xe_logit") return "softmax_logit";
  return loss === "bpr-max" ? "elu-0.5" : "linear";
}

/**
 * Checks parameters and fills in what is left out.
 * @param parameters - The author's parameter string; `options` win over it.
 * @throws {@link ConfigError} with all problems at once.
 */
export function parseConfig(options: Hyperparameters = {}, parameters?: string): ParsedConfig {
  const fromString = parameters === undefined ? { values: {} } : parseParameterString(parameters);
  return checkConfig({ ...fromString, values: { ...fromString.values, ...withoutUndefined(options) } });
}

function withoutUndefined(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** @throws {@link ConfigError} with all problems at once. */
export function checkConfig({ values, names = {}, problems: earlier = [] }: RawConfig): ParsedConfig {
  const problems = [...earlier];
  const called = (name: ParameterName) => names[name] ?? name;

  for (const name of Object.keys(values)) {
    if (Object.hasOwn(parameterSchema.shape, name)) continue;
    problems.push({ path: name, message: unknownParameter(name, parameterNames) });
  }

  const parsed: Partial<Record<ParameterName, unknown>> = {};
  for (const name of parameterNames) {
    const result = parameterSchema.shape[name].safeParse(values[name]);
    if (result.success) {
      parsed[name] = result.data;
      continue;
    }
    const issue = result.error.issues[0]!;
    const path = called(name) + issue.path.map((key) => `[${String(key)}]`).join("");
    const received = issue.path.reduce<unknown>((value, key) => (value as never)[key], values[name]);
    problems.push({ path, message: expected(path, issue.message, received) });
  }

  const { combinations, warnings } = checkCombinations(parsed as Partial<CheckedParameters>, called);
  problems.push(...combinations);
  if (problems.length > 0) throw new ConfigError(problems);

  const config = parsed as unknown as CheckedParameters;
  return {
    config: {
      ...config,
      finalAct: config.finalAct ?? defaultFinalAct(config.loss),
      logq: config.logq ?? (config.loss === "cross-entropy" ? 1 : 0),
      adaptParams: config.adaptParams ?? [...DECAY_RATES[config.adapt]],
    },
    warnings,
  };
}

/** Parameters that are right on their own but not together. Those that are wrong on their own are undefined here. */
function checkCombinations(
  config: Partial<CheckedParameters>,
  called: (name: ParameterName) => string,
): { combinations: Problem[]; warnings: string[] } {
  const combinations: Problem[] = [];
  const warnings: string[] = [];
  const refuse = (name: ParameterName, what: string, received: unknown) =>
    combinations.push({ path: called(name), message: expected(called(name), what, received) });

  const { loss, finalAct, adapt, adaptParams, learningRate, batchSize, nSample } = config;
  if (loss !== undefined && finalAct !== undefined) {
    const own = defaultFinalAct(loss);
    const wholeRow = loss === "cross-entropy" || loss === "xe_logit";
    if (wholeRow && finalAct !== own) refuse("finalAct", `${own} with loss ${loss}`, finalAct);
    if (!wholeRow && finalAct.startsWith("softmax"))
      refuse("finalAct", `linear, relu, tanh, leaky-s, elu-a or selu-l-a with loss ${loss}`, finalAct);
  }
  if (batchSize === 1 && nSample === 0)
    refuse("batchSize", `at least 2 where ${called("nSample")} is 0, as no negative sample would be left,`, batchSize);
  if (adapt === "adadelta" && learningRate !== undefined && learningRate !== 1)
    refuse("learningRate", "1 with adapt adadelta", learningRate);
  if (adapt !== undefined && adaptParams !== undefined) {
    const rates = DECAY_RATES[adapt].length;
    if (rates === 0 && adaptParams.length > 0)
      warnings.push(`${called("adaptParams")} has no effect with adapt ${adapt}`);
    if (rates > 0 && adaptParams.length !== rates)
      refuse("adaptParams", `a list of ${rates} decay rate${rates > 1 ? "s" : ""} with adapt ${adapt}`, adaptParams);
  }
  if (loss !== undefined && loss !== "cross-entropy" && loss !== "xe_logit") {
    if (config.logq) warnings.push(`${called("logq")} has no effect with loss ${loss}`);
    if (config.smoothing) warnings.push(`${called("smoothing")} has no effect with loss ${loss}`);
  }
  if (config.embedding === "none" && config.dropoutEmbed)
    warnings.push(`${called("dropoutEmbed")} has no effect without an embedding`);
  return { combinations, warnings };
}
