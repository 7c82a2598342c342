import { withDuckDb } from "./session";
import { textSql } from "./sql";

/** The files that match a pattern with `*`, `**`, `?` or `[…]`, in any order. */
export async function filesMatching(pattern: string): Promise<string[]> {
  return withDuckDb({ memoryLimit: undefined, signal: undefined }, async (connection) => {
    const reader = await connection.runAndReadAll(`SELECT file FROM glob(${textSql(pattern)})`);
    return reader.getRows().map(([file]) => file as string);
  });
}
