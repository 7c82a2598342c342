/** SQL of a text. */
export const textSql = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** SQL of a name. */
export const nameSql = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** SQL of a list of files. DuckDB would take a path for a pattern; in brackets a character stands for itself. */
export const pathsSql = (paths: readonly string[]): string =>
  `[${paths.map((path) => textSql(path.replaceAll(/[*?[]/g, "[$&]"))).join(", ")}]`;

/** SQL that is true where a text is one of some. */
export const isOneOfSql = (text: string, choices: readonly string[]): string =>
  `${text} IN (${choices.map(textSql).join(", ")})`;
