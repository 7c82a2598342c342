export const ERROR_CODES = [
  "ERR_ARGUMENT",
  "ERR_CONFIG",
  "ERR_DATA",
  "ERR_FILE",
  "ERR_MODEL_FILE",
  "ERR_DEVICE",
  "ERR_OUT_OF_MEMORY",
  "ERR_BUSY",
  "ERR_DISPOSED",
  "ERR_ABORTED",
  "ERR_NOT_FINITE",
] as const;
/** What went wrong, for programs; the message is for people. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One wrong parameter. */
export interface Problem {
  /** The parameter as the caller wrote it. */
  readonly path: string;
  /** What was expected and what was received. */
  readonly message: string;
}

/** The only error that this package throws on purpose. Its message is one line: what was expected, what was received. */
export class Gru4RecError extends Error {
  override readonly name = "Gru4RecError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends Gru4RecError {
  constructor(readonly problems: readonly Problem[]) {
    super("ERR_CONFIG", problems.map((problem) => problem.message).join("; "));
  }
}
