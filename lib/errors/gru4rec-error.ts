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
/**
 * What went wrong, for programs; the message is for people.
 *
 * - `ERR_ARGUMENT`: an argument or option of a call
 * - `ERR_CONFIG`: hyperparameters, as a {@link ConfigError}
 * - `ERR_DATA`: a click log that does not hold events, or too few
 * - `ERR_FILE`: a file that cannot be read or written
 * - `ERR_MODEL_FILE`: a file that is no whole model
 * - `ERR_DEVICE`: the native addon or the device is not there
 * - `ERR_OUT_OF_MEMORY`
 * - `ERR_BUSY`: another call on the model is under way
 * - `ERR_DISPOSED`: the model was disposed of
 * - `ERR_ABORTED`: the signal stopped the call
 * - `ERR_NOT_FINITE`: a loss or score is no number any more
 */
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
  /** Always "Gru4RecError". */
  override readonly name = "Gru4RecError";

  constructor(
    /** What went wrong, for programs. */
    readonly code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends Gru4RecError {
  constructor(
    /** One for each wrong parameter. */
    readonly problems: readonly Problem[],
  ) {
    super("ERR_CONFIG", problems.map((problem) => problem.message).join("; "));
  }
}
