import { readFileSync } from "node:fs";
import { join } from "node:path";

/** This file is two folders below the package, as source and as built. */
export const PACKAGE_ROOT = join(__dirname, "..", "..");

export function packageVersion(): string {
  const manifest = readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
