import { z } from "zod";
import { parameterMeta, parameterSchema, type ParameterGroup, type ParameterMeta, type ParameterName } from "./schema";

/** A hyperparameter as help and documentation show it. */
export interface ParameterDescription {
  readonly name: ParameterName;
  /** Name in the author's parameter strings and files; absent where he has none. */
  readonly author?: string;
  readonly group: ParameterGroup;
  readonly doc: string;
  /** Type and range, such as "an integer from 1 to 1024". */
  readonly type: string;
  /** The default, as {@link formatValue} writes it or in words. */
  readonly default: string;
  readonly boolean: boolean;
  /** All values, where they are names. */
  readonly choices?: readonly string[];
}

/** The type behind what says that a value may be left out. */
export function innerType(schema: z.core.$ZodType): z.core.$ZodType {
  const wrapped = schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly;
  return wrapped ? innerType(schema.unwrap()) : schema;
}

function metaOf(name: ParameterName): ParameterMeta {
  const meta = parameterMeta.get(parameterSchema.shape[name]);
  if (meta === undefined) throw new Error(`${name} is not documented`);
  return meta;
}

/** The parameter's name in the author's notations, which is ours where he has none. */
export function authorName(name: ParameterName): string {
  return metaOf(name).author ?? name;
}

export function describeParameter(name: ParameterName): ParameterDescription {
  const { byDefault, ...meta } = metaOf(name);
  const schema = parameterSchema.shape[name];
  const inner = innerType(schema);
  return {
    name,
    ...meta,
    // Null is no parameter's value, so the schema says what is.
    type: schema.safeParse(null).error!.issues[0]!.message,
    default: byDefault ?? formatValue(schema.parse(undefined)),
    boolean: inner instanceof z.ZodBoolean,
    ...(inner instanceof z.ZodEnum && { choices: inner.options as string[] }),
  };
}

/** A value as parameter strings and flags have it: lists with slashes between. An empty list is "none". */
export function formatValue(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  return value.length === 0 ? "none" : value.join("/");
}
