import { Gru4RecError } from "../../errors";
import type { ColumnNames, SourceOptions } from "./options";

type Role = keyof ColumnNames;

/** The columns of an event; that of its type where types matter. */
export type ChosenColumns = Omit<ColumnNames, "eventType"> & { readonly eventType: string | undefined };

/** The name of the public data sets, which wins over the others, and other usual ones in small letters. */
const USUAL_NAMES: Readonly<Record<Role, readonly [string, ...string[]]>> = {
  sessionId: ["SessionId", "session_id", "session", "sessionid", "visit_id", "visitid", "visit", "user_session"],
  itemId: ["ItemId", "item_id", "item", "itemid", "product_id", "productid", "product", "sku", "article_id"],
  time: ["Time", "timestamp", "time", "event_time", "eventtime", "ts", "datetime", "created_at"],
  eventType: ["EventType", "event_type", "eventtype", "event", "action", "type"],
};

/** The options of the command line that say the same. */
const FLAGS: Readonly<Record<Role, string>> = {
  sessionId: "--session-column",
  itemId: "--item-column",
  time: "--time-column",
  eventType: "--event-type-column",
};

/**
 * Finds the columns of an event: those that are given; else those named SessionId, ItemId, Time and EventType; else the only ones
 * of another usual name, whether in capital or small letters, which is noted.
 * @param found - Names of all columns.
 * @param name - What messages call the data.
 * @throws {@link Gru4RecError} `ERR_DATA` where a column is missing, or several could be meant.
 */
export function chooseColumns(
  found: readonly string[],
  name: string,
  { columns: given, eventTypes, note }: SourceOptions,
): ChosenColumns {
  const roles: Role[] = ["sessionId", "itemId", "time"];
  if (eventTypes !== undefined) roles.push("eventType");
  const taken = Object.values(given);
  const candidates = (role: Role): readonly string[] => {
    const [standard, ...usual] = USUAL_NAMES[role];
    const wanted = given[role] ?? standard;
    if (given[role] !== undefined || found.includes(wanted)) return found.includes(wanted) ? [wanted] : [];
    return usual.flatMap((known) =>
      found.filter((column) => !taken.includes(column) && column.toLowerCase() === known),
    );
  };
  const chosen = Object.fromEntries(roles.map((role) => [role, candidates(role)])) as Record<Role, readonly string[]>;
  for (const role of roles) {
    if (chosen[role].length < 2) continue;
    const list = chosen[role].join(" or ");
    const message = `Expected one column for ${role} in ${name} but ${list} could be meant; ${optionFor([role])} says which`;
    throw new Gru4RecError("ERR_DATA", message);
  }
  const names = Object.fromEntries(
    roles.map((role) => [role, chosen[role][0] ?? given[role] ?? USUAL_NAMES[role][0]]),
  ) as Record<Role, string>;
  const missing = roles.filter((role) => chosen[role].length === 0);
  if (missing.length > 0) throw missingColumns(found, names, roles, missing, name);
  const guessed = roles.filter((role) => given[role] === undefined && names[role] !== USUAL_NAMES[role][0]);
  if (guessed.length > 0) {
    const list = guessed.map((role) => `${role} is ${names[role]}`).join(", ");
    note(`columns of ${name} told by their names: ${list}`);
  }
  return { ...names, eventType: eventTypes && names.eventType };
}

function optionFor(roles: readonly Role[]): string {
  const flags = roles.map((role) => `${FLAGS[role]} …`).join(" ");
  return `the option columns: { ${roles.map((role) => `${role}: "…"`).join(", ")} } (${flags})`;
}

function missingColumns(
  found: readonly string[],
  names: ColumnNames,
  roles: readonly Role[],
  missing: readonly Role[],
  name: string,
): Gru4RecError {
  const list = (some: readonly Role[]) => some.map((role) => names[role]).join(", ");
  const message =
    `Expected the columns ${list(roles)} in ${name} but ${list(missing)} ${missing.length > 1 ? "are" : "is"} missing; ` +
    `found: ${found.join(", ")}; ${optionFor(missing)} gives other names`;
  return new Gru4RecError("ERR_DATA", message);
}
