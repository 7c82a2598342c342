import { expected, Gru4RecError } from "../errors";

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` */
export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== "string" || path === "")
    throw new Gru4RecError("ERR_ARGUMENT", expected("path", "the path of a file", path));
}
