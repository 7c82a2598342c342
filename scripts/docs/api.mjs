/**
 * The API documentation: `npm run docs` writes docs/api, from what the package exports and the comments there. A public
 * name without a comment and a broken link are errors; with --check nothing is written.
 */
import { setUp } from "../setup.mjs";
import { packageScript, run, runMain } from "../support/run.mjs";

await runMain(async () => {
  await setUp({ only: ["dependencies", "typescript"] });
  const args = process.argv.includes("--check") ? ["--emit", "none"] : [];
  await run(...packageScript("typedoc/bin/typedoc", ...args));
});
