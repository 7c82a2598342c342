import { ConfigError, expected, type Problem } from "../errors";
import { AUTHOR_DEFAULTS, readAuthorNotation } from "./author-notation";
import { checkCombinations } from "./combinations";
import { withDescription, type Config } from "./config";
import { dependentDefaults } from "./defaults";
import { parameterStringSource } from "./parameter-string";
import {
  parameterNames,
  parameterSchema,
  type CheckedParameters,
  type Hyperparameters,
  type ParameterName,
} from "./schema";
import { optionsSource, problemOf, type Given, type Source } from "./source";

/** Hyperparameters that passed all checks. */
export interface ParsedConfig {
  /** Every hyperparameter with its value. */
  readonly config: Config;
  /** Parameters that are allowed but have no effect, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Checks hyperparameters without training and fills in what is left out.
 * @param options - As `train()` takes them.
 * @param parameters - The author's parameter string; `options` win over it. What both leave out has the default of his
 * PyTorch version: ours, with logq 0.
 * @throws {@link ConfigError} `ERR_CONFIG` with all problems at once; `ERR_ARGUMENT` where `options` is no object.
 */
export function parseConfig(options: Hyperparameters = {}, parameters?: string): ParsedConfig {
  const fromString = parameters === undefined ? [] : [parameterStringSource(parameters)];
  return parseSources([...fromString, optionsSource(options)]);
}

/**
 * Like {@link parseConfig}.
 * @param sources - Weakest first: file, parameter string, options.
 * @throws {@link ConfigError} with all problems at once.
 */
export function parseSources(sources: readonly Source[]): ParsedConfig {
  const { given, problems: earlier } = mergeSources(sources);
  const defaults: Partial<Record<ParameterName, unknown>> = sources.some(({ author }) => author) ? AUTHOR_DEFAULTS : {};
  const problems: Problem[] = [...earlier];
  const called = (name: ParameterName) => given.get(name)?.name ?? name;
  const place = (name: ParameterName) => given.get(name)?.place;

  const parsed: Partial<Record<ParameterName, unknown>> = {};
  for (const name of parameterNames) {
    const value = given.has(name) ? given.get(name)!.value : defaults[name];
    const result = parameterSchema.shape[name].safeParse(value);
    if (result.success) {
      parsed[name] = result.data;
      continue;
    }
    const issue = result.error.issues[0]!;
    const path = called(name) + issue.path.map((key) => `[${String(key)}]`).join("");
    const received = issue.path.reduce<unknown>((list, key) => (list as never)[key], value);
    problems.push(problemOf(path, expected(path, issue.message, received), place(name)));
  }

  const checked = parsed as Partial<CheckedParameters>;
  const { problems: combinations, warnings } = checkCombinations(checked, called);
  for (const { name, what, received } of combinations)
    problems.push(problemOf(called(name), expected(called(name), what, received), place(name)));
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: fillIn(parsed as unknown as CheckedParameters), warnings };
}

/** One source of all; the author's are read as one, and then stand where the first of them stood. */
export function mergeSources(sources: readonly Source[]): { given: Map<string, Given>; problems: readonly Problem[] } {
  const first = sources.findIndex(({ author }) => author);
  const merged = (parts: readonly Source[]) => new Map(parts.flatMap(({ given }) => [...given]));
  let ours = sources;
  if (first >= 0) {
    const loss = merged(sources).get("loss")?.value;
    const [authors, others] = [true, false].map((whose) =>
      sources.slice(first).filter(({ author }) => author === whose),
    );
    ours = [...sources.slice(0, first), readAuthorNotation(authors!, loss), ...others!];
  }
  return { given: merged(ours), problems: ours.flatMap(({ problems }) => problems) };
}

function fillIn(checked: CheckedParameters): Config {
  const defaults = dependentDefaults(checked);
  return withDescription({
    ...checked,
    finalAct: checked.finalAct ?? defaults.finalAct,
    logq: checked.logq ?? defaults.logq,
    adaptParams: checked.adaptParams ?? defaults.adaptParams,
    learningRate: checked.learningRate ?? defaults.learningRate,
  });
}
