/**
 * All checks of the source: `npm run lint`; `npm run format` (--fix) repairs what can be repaired.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setUp } from "./setup.mjs";
import { packageScript, root, runMain, tryRun } from "./support/run.mjs";

const fix = process.argv.includes("--fix");

const cppFiles = readdirSync(join(root, "native"), { recursive: true })
  .filter((name) => /\.(cpp|h|cu|cuh)$/.test(name))
  .sort()
  .map((name) => `native/${name}`);

const formatting = {
  prettier: packageScript("prettier/bin/prettier.cjs", fix ? "--write" : "--check", "--log-level=warn", "."),
  "clang-format": packageScript(
    "clang-format/index.js",
    "--style=file",
    ...(fix ? ["-i"] : ["--dry-run", "-Werror"]),
    ...cppFiles,
  ),
};

const rules = {
  eslint: packageScript("eslint/bin/eslint.js", "--max-warnings=0", "."),
  "arrows of lib": packageScript(
    "dependency-cruiser/bin/dependency-cruise.mjs",
    "--config=.dependency-cruiser.cjs",
    "lib",
  ),
  "includes of native": [process.execPath, ["scripts/check-includes.mjs"]],
  "the arrow checks can fail": [process.execPath, ["scripts/check-arrows-bite.mjs"]],
};

await runMain(async () => {
  await setUp({ dependenciesOnly: true });
  let failed = 0;
  for (const [name, [command, args]] of Object.entries(fix ? formatting : { ...formatting, ...rules })) {
    const start = performance.now();
    const { status, output } = await tryRun(command, args);
    console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    if (status !== 0) {
      process.stdout.write(output);
      ++failed;
    }
  }
  if (failed > 0) process.exitCode = 1;
});
