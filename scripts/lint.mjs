/**
 * All checks of the source: `npm run lint`; `npm run format` (--fix) repairs what can be repaired.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setUp } from "./setup.mjs";
import { runChecks } from "./support/checks.mjs";
import { isMain, packageScript, root, run, runMain } from "./support/run.mjs";

/** The commands by name. */
function checks(fix) {
  const cppFiles = readdirSync(join(root, "native"), { recursive: true })
    .filter((name) => /\.(cpp|h|cu|cuh)$/.test(name))
    .sort()
    .map((name) => `native/${name}`);
  const clangFormat = fix ? ["-i"] : ["--dry-run", "-Werror"];
  const formatting = {
    prettier: packageScript("prettier/bin/prettier.cjs", fix ? "--write" : "--check", "--log-level=warn", "."),
    "clang-format": packageScript("clang-format/index.js", "--style=file", ...clangFormat, ...cppFiles),
  };
  if (fix) return formatting;
  const cruiser = "dependency-cruiser/bin/dependency-cruise.mjs";
  return {
    ...formatting,
    eslint: packageScript("eslint/bin/eslint.js", "--max-warnings=0", "."),
    "arrows of lib": packageScript(cruiser, "--config=.dependency-cruiser.cjs", "lib"),
    "includes of native": [process.execPath, ["scripts/check-includes.mjs"]],
    "the arrow checks can fail": [process.execPath, ["scripts/check-arrows-bite.mjs"]],
    package: [process.execPath, ["scripts/check-package.mjs"]],
    "public names are documented": [process.execPath, ["scripts/docs/api.mjs", "--check"]],
  };
}

/** Runs the checks, or the repairs with `fix`, one after the other. @returns counts of checks */
export async function lint({ fix = false } = {}) {
  return runChecks(
    Object.fromEntries(Object.entries(checks(fix)).map(([name, command]) => [name, () => run(...command)])),
  );
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    await setUp({ only: ["dependencies"] });
    const { failed } = await lint({ fix: process.argv.includes("--fix") });
    if (failed > 0) process.exitCode = 1;
  });
}
