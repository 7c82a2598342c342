import { parseConfig, type Config, type Hyperparameters, type ParsedConfig, type ParameterName } from "../config";
import { ConfigError, expected } from "../errors";

/** What a model cannot change: the shape of its network, and where it computes. */
const FIXED = [
  "layers",
  "embedding",
  "hiddenAct",
  "finalAct",
  "resetAfter",
  "device",
  "threads",
  "cublasPath",
] as const satisfies readonly ParameterName[];

/** Hyperparameters that may change between two trainings of a model. */
export type ChangeableParameters = Omit<Hyperparameters, (typeof FIXED)[number]>;

/**
 * The configuration of a model that is trained on.
 * @param changes - What is left out is as in `current`.
 * @throws {@link ConfigError} with all problems at once, such as a change of what a model cannot change.
 */
export function retrainConfig(current: Config, changes: ChangeableParameters): ParsedConfig {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const base: Partial<Record<ParameterName, unknown>> = { ...current };
  // What follows from another parameter follows it again.
  if ("adapt" in given && given.adapt !== current.adapt) {
    delete base.adaptParams;
    const usual = parseConfig({ adapt: current.adapt }).config.learningRate;
    if (current.learningRate === usual) delete base.learningRate;
  }
  if ("loss" in given && given.loss !== current.loss) delete base.logq;
  const parsed = parseConfig({ ...base, ...given } as Hyperparameters);
  const problems = FIXED.filter((name) => JSON.stringify(parsed.config[name]) !== JSON.stringify(current[name])).map(
    (name) => ({
      path: name,
      message: expected(name, `${JSON.stringify(current[name])} as in the model`, parsed.config[name]),
    }),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  return parsed;
}
