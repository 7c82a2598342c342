/** A table or view of a DuckDB or SQLite file. */
export interface TableSource {
  /** Path of the file. */
  readonly database: string;
  /** Name of the table or view, in another schema than the usual one `schema.table`. */
  readonly table: string;
}

/** What a query finds in a DuckDB or SQLite file. */
export interface QuerySource {
  /** Path of the file. */
  readonly database: string;
  /** SQL of the kind of the database, which is opened for reading only. */
  readonly query: string;
}

/** A log in a DuckDB or SQLite file. SQLite takes the package `better-sqlite3`. */
export type DatabaseSource = TableSource | QuerySource;
