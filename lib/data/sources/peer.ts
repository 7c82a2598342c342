import { Gru4RecError, reason } from "../../errors";

/**
 * An optional package, loaded when it is needed.
 * @param purpose - What it is needed for.
 * @throws {@link Gru4RecError} `ERR_FILE` that says what to install.
 */
export function loadPeer(name: string, purpose: string): unknown {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- it may not be there
    return require(name) as unknown;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND";
    const why = isMissing ? `it is not installed: npm install ${name}` : reason(error);
    throw new Gru4RecError("ERR_FILE", `Expected the package ${name} to ${purpose} but ${why}`, { cause: error });
  }
}
