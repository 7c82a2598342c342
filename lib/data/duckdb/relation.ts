/** How a column holds its ids: integers of 64 bits, text, or text that means integers where all of it can. */
export type IdColumnType = "integer" | "text" | "text or integer";

/** How a column holds its times: numbers, timestamps, or text that is numbers or ISO 8601. */
export type TimeColumnType = "number" | "timestamp" | "text";

/** Events as a table that DuckDB can read, again and again and each time in one order. */
export interface Relation {
  /** SQL of the rows. */
  readonly from: string;
  /** SQL of each column, and what it holds. */
  readonly session: { readonly sql: string; readonly type: IdColumnType };
  readonly item: { readonly sql: string; readonly type: IdColumnType };
  readonly time: { readonly sql: string; readonly type: TimeColumnType };
  /** SQL that is true for the events whose items count; the others have none. Default: all. */
  readonly wanted?: string | undefined;
}

/** SQL that is true for wanted rows and false for all others. */
export const wantedSql = ({ wanted }: Pick<Relation, "wanted">): string =>
  wanted === undefined ? "true" : `coalesce(${wanted}, false)`;

/** SQL that is true where an id is there. */
export const isIdSql = (id: string, type: IdColumnType): string =>
  type === "integer" ? `${id} IS NOT NULL` : `coalesce(${id}, '') <> ''`;

/** SQL that is true where a text is a 64-bit integer, written as integers are. */
export const isIntegerTextSql = (id: string): string => `coalesce(TRY_CAST(${id} AS BIGINT)::VARCHAR = ${id}, false)`;

/**
 * SQL of a 64-bit key: an integer itself, or a hash of text that differs from that of other texts as a rule.
 * @param salt - Another one gives texts other hashes.
 */
export const keySql = (id: string, read: "integer" | "text", salt: number): string =>
  read === "integer" ? `TRY_CAST(${id} AS BIGINT)` : `hash(${salt === 0 ? id : `${id} || '${salt}'`})`;

const CLOCK = "([01]\\d|2[0-3]):[0-5]\\d";
const ISO_8601 = `\\d{4}-\\d\\d-\\d\\d([T ]${CLOCK}(:[0-5]\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d(:?[0-5]\\d)?)?)?`;
/** What DuckDB's own reading of timestamps understands as `parseIsoTime` does. */
const PLAIN_ISO_8601 = `\\d{4}-\\d\\d-\\d\\d([T ]${CLOCK}:[0-5]\\d(\\.\\d{1,6})?Z?)?`;

/** SQL of the Unix seconds of a timestamp: of the whole ones and the rest, as both are exact in a double. */
const secondsSql = (timestamp: string) =>
  `(epoch_us(${timestamp}) // 1000000 + (epoch_us(${timestamp}) % 1000000) / 1e6)`;

/** SQL of the Unix seconds of ISO 8601 text, as `parseIsoTime` has them; null where it is none. */
function isoSql(time: string): string {
  const matches = (pattern: string) => `regexp_full_match(${time}, '${pattern}')`;
  const part = (pattern: string, group: number) =>
    `coalesce(TRY_CAST(regexp_extract(${time}, '${pattern}', ${group}) AS DOUBLE), 0)`;
  const clock = `${part("[T ](\\d\\d)", 1)} * 3600 + ${part(":(\\d\\d)", 1)} * 60 + ${part(":\\d\\d:([\\d.]+)", 1)}`;
  const zone = "[T ].*([+-])(\\d\\d):?(\\d\\d)?$";
  const sign = `CASE regexp_extract(${time}, '${zone}', 1) WHEN '-' THEN -1 ELSE 1 END`;
  const offset = `${sign} * (${part(zone, 2)} * 3600 + ${part(zone, 3)} * 60)`;
  return (
    `CASE WHEN ${matches(PLAIN_ISO_8601)} THEN ${secondsSql(`TRY_CAST(${time} AS TIMESTAMP)`)} ` +
    `WHEN ${matches(ISO_8601)} THEN epoch(TRY_CAST(left(${time}, 10) AS DATE)) + ${clock} - ${offset} END`
  );
}

/** SQL of a time as a double: seconds of timestamps and ISO text, the number itself of others; null where it is none. */
export function timeSql(time: string, type: TimeColumnType | "ISO 8601"): string {
  switch (type) {
    case "number":
      return `${time}::DOUBLE`;
    case "text":
      return `TRY_CAST(${time} AS DOUBLE)`;
    case "timestamp":
      return secondsSql(time);
    case "ISO 8601":
      return isoSql(time);
  }
}
