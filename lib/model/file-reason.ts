import { reason } from "../errors";

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
