import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./run.mjs";

/** Files under `path` (itself, if it is a file), in a fixed order. */
function filesUnder(path, skip) {
  if (skip.includes(path) || !existsSync(join(root, path))) return [];
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesUnder(`${path}/${name}`, skip));
}

/**
 * A digest of the names and contents of all files that a step reads.
 * @param {object} inputs
 * @param {readonly string[]} inputs.paths - Files and folders, relative to the project.
 * @param {readonly string[]} [inputs.skip] - Folders left out.
 * @param {readonly string[]} [inputs.values] - Whatever else the result depends on.
 */
export function digest({ paths, skip = [], values = [] }) {
  const hash = createHash("sha256").update(JSON.stringify(values));
  for (const path of paths.flatMap((each) => filesUnder(each, skip))) {
    const content = readFileSync(join(root, path));
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/** True when the step that wrote `file` read inputs other than those of `current`, or never ran. */
export function isStale(file, current) {
  const path = join(root, file);
  return !existsSync(path) || readFileSync(path, "utf8") !== current;
}

export function writeStamp(file, current) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), current);
}
