import { z } from "zod";
import { innerType } from "./describe-parameter";
import { parameterSchema, type ParameterName } from "./schema";

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** The number that `text` is, or `text` itself. */
export function parseNumber(text: string): unknown {
  return NUMBER.test(text) ? Number(text) : text;
}

/** The truth value that `text` is, or `text` itself. */
export function parseBoolean(text: string): unknown {
  if (/^(?:true|1)$/i.test(text)) return true;
  return /^(?:false|0)$/i.test(text) ? false : text;
}

/**
 * The value of a parameter that `text` stands for: `100/50` is a list, `1e-3` a number, `True` or `1` true. A text that
 * stands for none comes back as it is, and the schema refuses it.
 */
export function parseParameterText(name: ParameterName, text: string): unknown {
  const type = innerType(parameterSchema.shape[name]);
  if (type instanceof z.ZodBoolean) return parseBoolean(text);
  if (type instanceof z.ZodArray) return text === "" ? [] : text.split("/").map(parseNumber);
  return type instanceof z.ZodNumber || type instanceof z.ZodUnion ? parseNumber(text) : text;
}
