/**
 * Writes the documentation of the hyperparameters into the built types, where editors and `npm run docs` find it: the
 * compiler takes their types from the schema, but not what the schema says of them. Run by the build, after tsc.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ExplainedError, root, runMain } from "./support/run.mjs";

/** The comment of a hyperparameter. */
function commentOn({ doc, type, default: byDefault, author }) {
  const names = author === undefined ? "" : ` The author's name: \`${author}\`.`;
  return `/** ${doc} Expects ${type}. Default: ${byDefault}.${names} */`;
}

await runMain(() => {
  const { describeParameter, parameterNames } = createRequire(import.meta.url)(join(root, "dist/config/index.js"));
  const path = join(root, "dist/config/schema.d.ts");
  let text = readFileSync(path, "utf8");
  for (const name of parameterNames) {
    const declaration = new RegExp(`^( +)${name}: z\\.`, "gm");
    const found = text.match(declaration)?.length ?? 0;
    if (found !== 1) throw new ExplainedError(`Expected ${name} once in ${path} but found it ${found} times`);
    const comment = commentOn(describeParameter(name));
    text = text.replace(declaration, (match, indent) => `${indent}${comment}\n${match}`);
  }
  writeFileSync(path, text);
});
