import { reason } from "./expected";
import { Gru4RecError } from "./gru4rec-error";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EDQUOT: "the disk quota is used up",
  EISDIR: "it is a directory",
  ENAMETOOLONG: "its name is too long",
  ENOSPC: "no space is left on the disk",
  ENOTDIR: "a part of its path is no directory",
  EPERM: "permission is denied",
  EROFS: "the file system is read-only",
};

/**
 * Why the file system refused, in words that follow "but".
 * @param missing - What ENOENT means here.
 */
export function fileReason(error: unknown, missing: string): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return code === "ENOENT" ? missing : (REASONS[code] ?? reason(error));
}

/** The error of a file that cannot be read. @param name - What messages call it. */
export function unreadable(name: string, error: unknown): Gru4RecError {
  const why = fileReason(error, "there is no such file");
  return new Gru4RecError("ERR_FILE", `Expected ${name} to be a readable file but ${why}`, { cause: error });
}
