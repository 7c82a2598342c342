/**
 * Shows that the arrow checks can fail: plants every kind of forbidden import in a small tree and expects the checks to
 * find exactly those, and nothing in a tree without. Run by `npm run lint`.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findViolations } from "./check-includes.mjs";
import { ExplainedError, packageScript, root, runMain, tryRun } from "./support/run.mjs";

function expectEqual(what, expected, received) {
  const [wanted, got] = [expected, received].map((value) => JSON.stringify(value));
  if (wanted !== got) throw new ExplainedError(`${what}: expected ${wanted} but received ${got}`);
}

function checkIncludes() {
  const headers = [
    "core/a.h",
    "backend/a.h",
    "backends/cpu/a.h",
    "backends/cuda/a.h",
    "engine/a.h",
    "addon/a.h",
    "test/a.h",
  ];
  const tree = (path, line) => new Map([...headers.map((name) => [name, ""]), [path, `#pragma once\n${line}\n`]]);
  const include = (path, header) => findViolations(tree(path, `#include "${header}"`)).length;

  // Row: the room of the file; column: the room of the header, in the order of `headers`. 1 = forbidden.
  const forbidden = {
    "core/x.cpp": [0, 1, 1, 1, 1, 1, 1],
    "backend/x.cpp": [0, 0, 1, 1, 1, 1, 1],
    "backend/registry.cpp": [0, 0, 0, 0, 1, 1, 1],
    "backend/registry.h": [0, 0, 1, 1, 1, 1, 1],
    "backends/cpu/gemm/x.cpp": [0, 0, 0, 1, 1, 1, 1],
    "backends/cuda/x.cu": [0, 0, 1, 0, 1, 1, 1],
    "engine/x.cpp": [0, 0, 1, 1, 0, 1, 1],
    "addon/x.cpp": [0, 0, 1, 1, 0, 0, 1],
    "gpu_check/x.cpp": [0, 0, 1, 1, 0, 1, 0],
    "test/x.cpp": [0, 0, 0, 0, 0, 0, 0],
  };
  for (const [path, row] of Object.entries(forbidden)) {
    expectEqual(
      `#includes of ${path}`,
      row,
      headers.map((header) => include(path, header)),
    );
  }
  expectEqual("a header beside the file", 0, include("backends/cpu/x.cpp", "a.h"));
  expectEqual("a way around by ..", 1, include("core/x.cpp", "../engine/a.h"));
  expectEqual("a room that nobody knows", 1, findViolations(tree("misc/x.cpp", "")).length);
  expectEqual("<random>", 1, findViolations(tree("core/x.cpp", "#include <random>")).length);
}

/** Names of the rules that dependency-cruiser finds broken in a tree of these files. */
async function brokenRules(files) {
  const tree = mkdtempSync(join(tmpdir(), "gru4rec-arrows-"));
  try {
    for (const name of ["package.json", "tsconfig.json", ".dependency-cruiser.cjs"]) {
      copyFileSync(join(root, name), join(tree, name));
    }
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"), "junction");
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    const args = ["--config=.dependency-cruiser.cjs", "--output-type=json", "lib"];
    const { output } = await tryRun(...packageScript("dependency-cruiser/bin/dependency-cruise.mjs", ...args), {
      cwd: tree,
    });
    const { summary } = JSON.parse(output);
    return [...new Set(summary.violations.map(({ rule }) => rule.name))].sort();
  } finally {
    rmSync(tree, { recursive: true });
  }
}

async function checkImports() {
  const rooms = ["cli", "model", "training", "evaluation", "prediction", "native", "data", "config", "files", "errors"];
  const leaf = "export const value = 1;\n";
  const importing = (path) => `import { value } from "${path}";\nexport const other = value;\n`;
  const leaves = { "lib/index.ts": leaf, ...Object.fromEntries(rooms.map((room) => [`lib/${room}/leaf.ts`, leaf])) };

  const allowed = {
    ...leaves,
    "lib/cli/a.ts": importing("../index.js"),
    "lib/index.ts": importing("./model/leaf.js"),
    "lib/model/a.ts": importing("../training/leaf.js"),
    "lib/training/a.ts": importing("../native/leaf.js"),
    "lib/native/a.ts": importing("../data/leaf.js"),
    "lib/data/a.ts": importing("../config/leaf.js"),
    "lib/config/a.ts": importing("../files/leaf.js"),
    "lib/files/a.ts": importing("../errors/leaf.js"),
  };
  expectEqual("rules broken by allowed imports", [], await brokenRules(allowed));

  const forbidden = {
    ...leaves,
    "lib/index.ts": importing("./cli/leaf.js"),
    "lib/model/a.ts": importing("../cli/leaf.js"),
    "lib/prediction/a.ts": importing("../model/leaf.js"),
    "lib/native/a.ts": importing("../evaluation/leaf.js"),
    "lib/data/a.ts": importing("../native/leaf.js"),
    "lib/config/a.ts": importing("../data/leaf.js"),
    "lib/files/a.ts": importing("../config/leaf.js"),
    "lib/errors/a.ts": importing("../files/leaf.js"),
    "lib/model/zod.ts": importing("zod"),
    "lib/data/circle.ts": 'export { value as other } from "./round.js";\nexport const value = 1;\n',
    "lib/data/round.ts": 'export { value as other } from "./circle.js";\nexport const value = 1;\n',
    "lib/data/missing.ts": importing("./nowhere.js"),
    "lib/data/development.ts": importing("fast-check"),
  };
  const rules = ["config", "data", "errors", "files", "index", "model", "native", "verbs"].map(
    (room) => `upwards-from-${room}`,
  );
  expectEqual(
    "rules broken by forbidden imports",
    ["no-circle", "no-development-package", "only-config-imports-zod", "resolvable", ...rules],
    await brokenRules(forbidden),
  );
}

await runMain(async () => {
  checkIncludes();
  await checkImports();
});
