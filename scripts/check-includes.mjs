/**
 * The arrows of native/: which room's headers a room may include (README, "Rooms"). Run by `npm run lint`.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { ExplainedError, isMain, root, runMain } from "./support/run.mjs";

/** Room -> rooms that it may include besides itself. `test` may include everything. */
const arrows = {
  core: [],
  backend: ["core"],
  "backends/cpu": ["core", "backend"],
  "backends/cuda_library": ["core", "backend"],
  "backends/cuda": ["core", "backend", "backends/cuda_library"],
  engine: ["core", "backend"],
  addon: ["core", "backend", "engine"],
  emulator: [],
  gpu_check: ["core", "backend", "engine", "test"],
};

/** The only file outside backends/ that names concrete back ends. */
const registry = "backend/registry.cpp";

/** Results must not depend on the standard library at hand: docs/random.md says where random numbers come from. */
const forbiddenHeaders = ["random"];

/** "backends/cpu/gemm/gemm.h" -> "backends/cpu"; a room's own tests are tests. */
function roomOf(path) {
  const [first, second] = path.split("/");
  if (second === "test") return "test";
  return first === "backends" ? `${first}/${second}` : first;
}

/**
 * @param {ReadonlyMap<string, string>} sources - Path inside native/ -> text.
 * @returns {string[]} One line for each forbidden #include.
 */
export function findViolations(sources) {
  const violations = [];
  for (const [path, text] of sources) {
    const room = roomOf(path);
    if (room === "test") continue;
    const complain = (line, what) => violations.push(`native/${path}:${line}: ${what}`);
    if (arrows[room] === undefined) complain(1, `expected a room from ${Object.keys(arrows).join(", ")}, test`);
    for (const [index, line] of text.split("\n").entries()) {
      const [, quote, header] = /^\s*#\s*include\s*(["<])([^">]+)[">]/.exec(line) ?? [];
      if (quote === "<") {
        if (forbiddenHeaders.includes(header))
          complain(index + 1, `<${header}> depends on the standard library at hand`);
      } else if (quote === '"') {
        const places = [posix.join(posix.dirname(path), header), posix.join("emulator/include", header)];
        const target = roomOf(places.find((place) => sources.has(place)) ?? header);
        const allowed = [room, ...(arrows[room] ?? [])];
        const concrete = path === registry && target.startsWith("backends/");
        if (!allowed.includes(target) && !concrete) {
          complain(index + 1, `expected an #include from ${allowed.join(", ")} but received "${header}"`);
        }
      }
    }
  }
  return violations;
}

/** All C++ and CUDA sources of native/. */
function readSources() {
  const names = readdirSync(join(root, "native"), { recursive: true }).map((name) => name.replaceAll("\\", "/"));
  const files = names.filter((name) => /\.(cpp|h|cu|cuh)$/.test(name)).sort();
  return new Map(files.map((name) => [name, readFileSync(join(root, "native", name), "utf8")]));
}

if (isMain(import.meta.url)) {
  await runMain(() => {
    const violations = findViolations(readSources());
    if (violations.length > 0) throw new ExplainedError(violations.join("\n"));
  });
}
