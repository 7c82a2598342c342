import { z } from "zod";
import { describeValue, type Problem } from "../errors";
import { unknownParameter } from "./nearest";
import { parameterMeta, parameterNames, parameterSchema, type ParameterName } from "./schema";

/** Parameters from anywhere, not yet checked. */
export interface RawConfig {
  readonly values: Readonly<Record<string, unknown>>;
  /** What the caller called a parameter, where that is not our name. */
  readonly names?: Readonly<Partial<Record<ParameterName, string>>>;
  /** Problems found on the way here. */
  readonly problems?: readonly Problem[];
}

// Two names of the author's without a hyperparameter of their own: both say more about another one.
const CONSTRAINED_EMBEDDING = "constrained_embedding";
const ELU_PARAM = "elu_param";

/** Our name of every name that a parameter string may use: the author's, and ours. */
const OUR_NAMES: ReadonlyMap<string, ParameterName> = new Map([
  ...parameterNames.map((name) => [parameterMeta.get(parameterSchema.shape[name])?.author ?? name, name] as const),
  ...parameterNames.map((name) => [name, name] as const),
]);
const KNOWN_NAMES = [...new Set([...OUR_NAMES.keys(), CONSTRAINED_EMBEDDING, ELU_PARAM])];

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function parseNumber(text: string): unknown {
  return NUMBER.test(text) ? Number(text) : text;
}

function parseBoolean(text: string): unknown {
  if (/^(?:true|1)$/i.test(text)) return true;
  return /^(?:false|0)$/i.test(text) ? false : text;
}

/** The value that `text` stands for, or `text` itself, which the schema then refuses. */
function parseValue(schema: z.core.$ZodType, text: string): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly)
    return parseValue(schema.unwrap(), text);
  if (schema instanceof z.ZodBoolean) return parseBoolean(text);
  if (schema instanceof z.ZodArray) return text === "" ? [] : text.split("/").map(parseNumber);
  return schema instanceof z.ZodNumber || schema instanceof z.ZodUnion ? parseNumber(text) : text;
}

/**
 * Reads the author's parameter string, such as `loss=bpr-max,layers=100/100,constrained_embedding=True`. What it leaves
 * out has the default of the author's PyTorch version: ours, with logq 0.
 */
export function parseParameterString(text: string): RawConfig {
  const problems: Problem[] = [];
  const values: Partial<Record<ParameterName, unknown>> = {};
  const names: Partial<Record<ParameterName, string>> = {};
  const seen = new Map<string, string>();

  for (const part of text.trim() === "" ? [] : text.split(",")) {
    const separator = part.indexOf("=");
    const name = part.slice(0, separator).trim();
    if (separator < 0 || name === "") {
      const message = `Expected parameters as name=value,name=value but received ${JSON.stringify(part)}`;
      problems.push({ path: part.trim(), message });
      continue;
    }
    const value = part.slice(separator + 1).trim();
    const ours = OUR_NAMES.get(name);
    if (seen.has(ours ?? name)) {
      problems.push({ path: name, message: `Expected ${name} once but received it twice` });
      continue;
    }
    seen.set(ours ?? name, value);
    if (ours !== undefined) {
      names[ours] = name;
      values[ours] = parseValue(parameterSchema.shape[ours], value);
    } else if (name !== CONSTRAINED_EMBEDDING && name !== ELU_PARAM) {
      problems.push({ path: name, message: unknownParameter(name, KNOWN_NAMES) });
    }
  }

  values.logq ??= 0;
  applyConstrainedEmbedding(seen.get(CONSTRAINED_EMBEDDING), values, problems);
  applyEluParam(seen.get(ELU_PARAM), values, names, problems);
  return { values, names, problems };
}

/** The author's two parameters for what is one here. His embedding is a width, or 0 for none; constrained wins. */
function applyConstrainedEmbedding(
  text: string | undefined,
  values: Partial<Record<ParameterName, unknown>>,
  problems: Problem[],
): void {
  const constrained = text === undefined ? true : parseBoolean(text);
  if (typeof constrained !== "boolean") {
    const message = `Expected ${CONSTRAINED_EMBEDDING} to be True or False but received ${describeValue(text)}`;
    problems.push({ path: CONSTRAINED_EMBEDDING, message });
  }
  const width = values.embedding ?? 0;
  const authors = width === "layersize" || (typeof width === "number" && width >= 0);
  if (authors && constrained === true) values.embedding = "shared";
  else if (width === 0) values.embedding = "none";
}

/** The author's elu_param = a is finalAct elu-a, 0 linear; the cross-entropies, whose finalAct is fixed, ignore it. */
function applyEluParam(
  text: string | undefined,
  values: Partial<Record<ParameterName, unknown>>,
  names: Partial<Record<ParameterName, string>>,
  problems: Problem[],
): void {
  if (text === undefined) return;
  const alpha = parseNumber(text);
  if (typeof alpha !== "number" || alpha < 0) {
    const message = `Expected ${ELU_PARAM} to be a number of at least 0 but received ${describeValue(text)}`;
    problems.push({ path: ELU_PARAM, message });
    return;
  }
  const loss = values.loss ?? "cross-entropy";
  if (loss === "cross-entropy" || loss === "xe_logit") return;
  const finalAct = alpha === 0 ? "linear" : `elu-${alpha}`;
  if (values.finalAct !== undefined && values.finalAct !== finalAct) {
    const message = `Expected ${names.finalAct} to be ${finalAct} with ${ELU_PARAM}=${text} but received ${describeValue(values.finalAct)}`;
    problems.push({ path: names.finalAct!, message });
    return;
  }
  values.finalAct = finalAct;
  names.finalAct ??= ELU_PARAM;
}
