import { ConfigError, Gru4RecError, type ErrorCode, type Problem } from "../../lib/errors";

/** The error that `call` throws or rejects with, after checking that it is one line of a Gru4RecError. */
export async function failureOf(call: () => unknown): Promise<Gru4RecError> {
  let result: unknown;
  try {
    result = await call();
  } catch (error) {
    if (!(error instanceof Gru4RecError)) throw error;
    expect(error.message).not.toContain("\n");
    return error;
  }
  throw new Error(`Expected a Gru4RecError but the call gave ${String(result)}`);
}

/** Checks that `call` fails with this code and a message of this text or pattern. */
export async function expectFailure(call: () => unknown, code: ErrorCode, message: string | RegExp): Promise<void> {
  const error = await failureOf(call);
  if (typeof message === "string") expect(error.message).toContain(message);
  else expect(error.message).toMatch(message);
  expect(error.code).toBe(code);
}

/** The problems of the ConfigError that `call` throws. */
export async function problemsOf(call: () => unknown): Promise<readonly Problem[]> {
  const error = await failureOf(call);
  if (!(error instanceof ConfigError)) throw error;
  expect(error.message).toBe(error.problems.map(({ message }) => message).join("; "));
  return error.problems;
}
