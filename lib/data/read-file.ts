import { Gru4RecError, reason } from "../errors";
import { findBadRow, readDialect } from "./delimited-text";
import type { EventLog } from "./event-log";
import type * as ReadRows from "./read-rows";

const COLUMNS = ["SessionId", "ItemId", "Time"] as const;

/**
 * Reads a TSV or CSV file with a header and the columns SessionId, ItemId and Time.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_DATA` when it does not hold events.
 */
export async function readFile(path: string): Promise<EventLog> {
  const dialect = await readDialect(path);
  const missing = COLUMNS.filter((name) => !dialect.header.includes(name));
  if (missing.length > 0) {
    const found = dialect.header.join(", ");
    const message = `Expected the columns ${COLUMNS.join(", ")} in ${path} but ${missing.join(", ")} is missing; found: ${found}`;
    throw new Gru4RecError("ERR_DATA", message);
  }
  const [session, item, time] = COLUMNS.map((name) => dialect.header.indexOf(name)) as [number, number, number];

  // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings DuckDB, 40 MB that only files need
  const { readRows } = require("./read-rows") as typeof ReadRows;
  try {
    return await readRows(path, dialect, { session, item, time });
  } catch (error) {
    const bad = await findBadRow(path, dialect, { ids: [session, item], time });
    throw new Gru4RecError("ERR_DATA", `${bad ?? reason(error)} in ${path}`, { cause: error });
  }
}
