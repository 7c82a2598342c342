import { describeValue, type Problem } from "../errors";
import { isCrossEntropy } from "./defaults";
import { authorName } from "./describe-parameter";
import { parseBoolean, parseNumber, parseParameterText } from "./parse-text";
import { parameterNames, parameterSchema, type ParameterName } from "./schema";
import { collect, problemOf, type Given, type Source } from "./source";

// What is particular to the author's parameter strings and files, wherever they were read from.

/** What the author's PyTorch version has as default where ours is another. */
export const AUTHOR_DEFAULTS = { logq: 0 } as const;

// Two names of the author's without a hyperparameter of their own: both say more about another one.
const CONSTRAINED_EMBEDDING = "constrained_embedding";
const ELU_PARAM = "elu_param";
const OWN_NAMES: readonly string[] = [CONSTRAINED_EMBEDDING, ELU_PARAM];

/** Our name of every name that the author's notation may use: his, and ours. */
const OUR_NAMES: ReadonlyMap<string, ParameterName> = new Map([
  ...parameterNames.map((name) => [authorName(name), name] as const),
  ...parameterNames.map((name) => [name, name] as const),
]);
const KNOWN_NAMES = [...new Set([...OUR_NAMES.keys(), ...OWN_NAMES])];

/** Parameters in the author's notation. */
export function authorSource(entries: readonly Given[]): Source {
  const keyOf = (name: string) => OUR_NAMES.get(name) ?? (OWN_NAMES.includes(name) ? name : undefined);
  return collect(entries, true, keyOf, KNOWN_NAMES);
}

/** The value that a text of the author's stands for, or the text itself. */
export function parseAuthorText(name: string, text: string): unknown {
  if (name === CONSTRAINED_EMBEDDING) return parseBoolean(text);
  if (name === ELU_PARAM) return parseNumber(text);
  const ours = OUR_NAMES.get(name);
  return ours === undefined ? text : parseParameterText(ours, text);
}

/**
 * Reads the author's sources as one of ours.
 * @param sources - In his notation; later ones win.
 * @param loss - That of all sources together, his and others.
 */
export function readAuthorNotation(sources: readonly Source[], loss: unknown): Source {
  const given = new Map(sources.flatMap((source) => [...source.given]));
  const problems = sources.flatMap((source) => source.problems);
  applyConstrainedEmbedding(given, problems);
  applyEluParam(given, loss, problems);
  OWN_NAMES.forEach((name) => given.delete(name));
  return { author: false, given, problems };
}

/** His embedding is a width, or 0 for none; constrained, which is his default, wins over it. */
function applyConstrainedEmbedding(given: Map<string, Given>, problems: Problem[]): void {
  const constrained = given.get(CONSTRAINED_EMBEDDING);
  const embedding = given.get("embedding");
  const first = embedding ?? constrained;
  if (first === undefined) return;
  const isConstrained = constrained?.value ?? true;
  if (constrained !== undefined && typeof isConstrained !== "boolean") {
    const message = `Expected ${CONSTRAINED_EMBEDDING} to be True or False but received ${describeValue(isConstrained)}`;
    problems.push(problemOf(CONSTRAINED_EMBEDDING, message, constrained.place));
    return;
  }
  const width = embedding?.value ?? 0;
  const authors = width === "layersize" || (typeof width === "number" && width >= 0);
  if (authors && isConstrained === true) given.set("embedding", { ...first, value: "shared" });
  else if (width === 0) given.set("embedding", { ...first, value: "none" });
}

/** His elu_param = a is finalAct elu-a, 0 linear; the cross-entropies, whose finalAct is fixed, ignore it. */
function applyEluParam(given: Map<string, Given>, loss: unknown, problems: Problem[]): void {
  const eluParam = given.get(ELU_PARAM);
  if (eluParam === undefined) return;
  const { value: alpha, place } = eluParam;
  if (typeof alpha !== "number" || !Number.isFinite(alpha) || alpha < 0) {
    const message = `Expected ${ELU_PARAM} to be a number of at least 0 but received ${describeValue(alpha)}`;
    problems.push(problemOf(ELU_PARAM, message, place));
    return;
  }
  const result = parameterSchema.shape.loss.safeParse(loss);
  if (!result.success || isCrossEntropy(result.data)) return;
  const finalAct = alpha === 0 ? "linear" : `elu-${toDecimal(alpha)}`;
  const own = given.get("finalAct");
  if (own !== undefined && own.value !== finalAct) {
    const message = `Expected ${own.name} to be ${finalAct} with ${ELU_PARAM} ${alpha} but received ${describeValue(own.value)}`;
    problems.push(problemOf(own.name, message, own.place));
    return;
  }
  given.set("finalAct", { ...(own ?? eluParam), value: finalAct });
}

/** Without an exponent, which the name of an activation cannot have. */
function toDecimal(value: number): string {
  return String(value).includes("e") ? value.toFixed(20).replace(/\.?0+$/, "") : String(value);
}
