import { expected } from "./expected";
import { Gru4RecError } from "./gru4rec-error";
import { unknownName } from "./nearest";

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` where `value` is no integer from `minimum` to `maximum`. */
export function checkInteger(name: string, value: unknown, minimum: number, maximum: number): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum) return;
  throw new Gru4RecError("ERR_ARGUMENT", expected(name, `an integer from ${minimum} to ${maximum}`, value));
}

/** Names of all options of a kind. @param names - One for each, so that the compiler misses one that is left out. */
export function namesOf<Options extends object>(names: Readonly<Record<keyof Options, true>>): readonly string[] {
  return Object.keys(names);
}

/**
 * @param known - Names that an option may have; one that is undefined counts as left out. Absent: its names are checked
 * elsewhere.
 * @param of - The option whose own ones these are.
 * @throws {@link Gru4RecError} `ERR_ARGUMENT` where options are no object, or one has another name.
 */
export function checkOptions(options: unknown, known?: readonly string[], of?: string): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new Gru4RecError("ERR_ARGUMENT", expected(of ?? "options", "an object", options));
  if (known === undefined) return;
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const where = of === undefined ? "" : ` (${of})`;
    throw new Gru4RecError("ERR_ARGUMENT", unknownName("option", name, known) + where);
  }
}
