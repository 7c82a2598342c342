/**
 * Writes the table of the hyperparameters into README.md, between its two marks. With --check it writes nothing and
 * fails where the table is not what the schema says; the package must be built then.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setUp } from "../setup.mjs";
import { ExplainedError, root, runMain } from "../support/run.mjs";

const readme = join(root, "README.md");
const [start, end] = ["<!-- parameters -->", "<!-- /parameters -->"];

const row = (...cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
const code = (text) => (text === undefined ? "" : `\`${text}\``);

/** One table a group. */
function parameterTables(parameters) {
  const groups = new Set(parameters.map(({ group }) => group));
  return [...groups].map((group) => {
    const rows = parameters
      .filter((parameter) => parameter.group === group)
      .map(({ name, author, doc, type, default: byDefault }) => row(code(name), code(author), doc, type, byDefault));
    return [row(`**${group}**`, "author's name", "", "type", "default"), "|---|---|---|---|---|", ...rows].join("\n");
  });
}

await runMain(async () => {
  const check = process.argv.includes("--check");
  if (!check) await setUp();
  const { describeParameter, parameterNames } = await import("../../dist/config/index.js");
  const tables = parameterTables(parameterNames.map((name) => describeParameter(name)));

  const text = readFileSync(readme, "utf8");
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new ExplainedError(`Expected ${start} and then ${end} in README.md`);
  const updated = `${text.slice(0, from + start.length)}\n${tables.join("\n\n")}\n${text.slice(to)}`;
  if (updated === text) return;
  if (check) throw new ExplainedError("README.md is not what the schema says; run node scripts/docs/parameters.mjs");
  writeFileSync(readme, updated);
});
