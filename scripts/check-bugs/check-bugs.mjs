/**
 * Shows that the tests bite: plants the bugs of bugs.mjs, one at a time, in a copy of the project, and runs the tests
 * until one fails. `npm run check:bugs`, or some bugs only: `npm run check:bugs -- rank dropout`, `-- cuda/` for those of
 * a folder. Prints a table of bugs and what caught them; a bug that nothing catches makes the run fail, unless it says
 * why only a GPU can show it.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { buildJobs, setUp } from "../setup.mjs";
import { ExplainedError, packageScript, root, run, runMain, tryRun } from "../support/run.mjs";
import { bugs } from "./bugs.mjs";
import { cudaBugs } from "./cuda-bugs.mjs";
import { firstEmulatedFailure, firstFalseAlarm } from "./emulated-runs.mjs";

/** A test that takes longer under a bug than this hangs, which is also a way to be caught. */
const timeoutMs = 240_000;

/** Optimised less than what ships, and without warnings: most of the time goes into compiling. */
const buildType = ["-DCMAKE_BUILD_TYPE=Bugs", "-DCMAKE_CXX_FLAGS_BUGS=-O1 -w"];

/** The C++ tests that compare operations and steps with the reference; the others are about speed, bits and threads. */
const programs = [
  "core",
  "inputs",
  "gru",
  "scores",
  "loss",
  "negatives",
  "update",
  "ranking",
  "step",
  "engine",
  "session_windows",
  "memory",
].map((name) => `${name}_test`);

/** Source of `bug.file` with the bug in it. */
function plant(bug) {
  const source = readFileSync(join(root, bug.file), "utf8");
  const places = source.split(bug.find).length - 1;
  if (places !== 1) {
    throw new ExplainedError(
      `Expected the text of bug "${bug.name}" once in ${bug.file} but found it ${places} times:\n${bug.find}`,
    );
  }
  return source.replace(bug.find, () => bug.replace);
}

/** A copy of the project without what was built, sharing its node_modules. */
function copyTree() {
  const tree = mkdtempSync(join(tmpdir(), "gru4rec-bugs-"));
  const left = ["node_modules", "build", "dist", "coverage", "prebuilds", ".git"];
  cpSync(root, tree, {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !left.some((name) => path === join(root, name)),
  });
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"), "junction");
  return tree;
}

/** The C++ tests and the addon share one build folder, and so the engine. */
async function build(tree) {
  const args = ["--build", "build", "--parallel", String(buildJobs), "--target", "gru4rec", ...programs];
  await run("cmake", args, { cwd: tree });
}

async function configure(tree) {
  mkdirSync(join(tree, "build"));
  const output = `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(tree, "build/Release")}`;
  await run("cmake", ["-S", ".", "-B", "build", "-DGRU4REC_TESTS=ON", "-DGRU4REC_CUDA=OFF", output, ...buildType], {
    cwd: tree,
  });
}

/** The C++ tests: undefined when they pass, else the names of the failed programs and cases. */
async function runCpp(tree) {
  const chosen = ["--tests-regex", `^(${programs.join("|")})$`];
  const args = [...chosen, "--stop-on-failure", "--output-on-failure", "--parallel", String(buildJobs)];
  const { status, output } = await tryRun("ctest", args, { cwd: join(tree, "build"), timeoutMs });
  if (status === 0) return undefined;
  if (status === "SIGKILL") return "ctest: does not end";
  const program = /^\s*\d+ - (\S+) \((.*)\)$/m.exec(output);
  const failedCase = /^FAILED +(.+?): \d+ comparisons$/m.exec(output)?.[1];
  return `ctest ${program?.[1] ?? ""}: ${failedCase ?? program?.[2] ?? "failed"}`;
}

/** The TypeScript tests that compare the engine with the reference, and those that `bug.jest` names besides. */
async function runJest(tree, patterns) {
  const report = join(tree, "build/jest.json");
  rmSync(report, { force: true });
  const args = ["--ci", "--bail", "--json", `--outputFile=${report}`, ...patterns];
  const jest = packageScript("jest/bin/jest.js", ...args, `--rootDir=${tree}`);
  const { status } = await tryRun(...jest, { cwd: tree, timeoutMs });
  if (status === 0) return undefined;
  if (status === "SIGKILL") return "jest: does not end";
  if (!existsSync(report)) return `jest: ends without a report (${status})`;
  const failed = JSON.parse(readFileSync(report, "utf8")).testResults.find((result) => result.status === "failed");
  const failedCase = failed.assertionResults.find((result) => result.status === "failed");
  return `jest ${basename(failed.name)}: ${failedCase?.fullName ?? "does not run"}`;
}

/** Runs the tests in the copy, the quick ones first; what failed, or undefined. */
async function firstFailure(tree, bug) {
  if (bug.programs !== undefined) return firstEmulatedFailure(tree, bug.programs);
  if (bug.file.startsWith("native/")) {
    await build(tree);
    const failure = await runCpp(tree);
    if (failure !== undefined) return failure;
  }
  return runJest(tree, bug.jest ?? ["test/parity"]);
}

await runMain(async () => {
  const words = process.argv.slice(2);
  const chosen = [...bugs, ...cudaBugs].filter(
    ({ name, file }) => words.length === 0 || words.some((word) => name.includes(word) || file.includes(word)),
  );
  const planted = chosen.map((bug) => ({ ...bug, source: plant(bug) }));
  await setUp({ buildTools: true });

  const tree = copyTree();
  const rows = [];
  try {
    const others = chosen.filter(({ programs }) => programs === undefined);
    const expectNone = (failure) => {
      if (failure !== undefined) throw new ExplainedError(`Expected all tests to pass without a bug but ${failure}`);
    };
    if (others.length > 0) {
      console.log("without a bug …");
      await configure(tree);
      const jest = [...new Set(others.flatMap((bug) => bug.jest ?? ["test/parity"]))];
      expectNone(await firstFailure(tree, { file: "native/", jest }));
    }
    for (const bug of planted) {
      const start = performance.now();
      const path = join(tree, bug.file);
      const original = readFileSync(path, "utf8");
      writeFileSync(path, bug.source);
      const caughtBy = await firstFailure(tree, bug);
      writeFileSync(path, original);
      rows.push({ bug, caughtBy });
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      if (caughtBy !== undefined && bug.hardware !== undefined) {
        throw new ExplainedError(`Expected only a GPU to show "${bug.name}", as it says, but ${caughtBy}`);
      }
      const verdict = caughtBy !== undefined ? "caught" : bug.hardware !== undefined ? "needs a GPU" : "MISSED";
      console.log(`${verdict} ${bug.name} (${seconds} s): ${caughtBy ?? bug.hardware ?? ""}`);
    }
    expectNone(await firstFalseAlarm(tree));
  } finally {
    rmSync(tree, { recursive: true });
  }
  console.log("\n| bug | caught by |\n|---|---|");
  for (const { bug, caughtBy } of rows) {
    const byGpu = bug.hardware === undefined ? undefined : `only a GPU: ${bug.hardware}`;
    console.log(`| ${bug.name} | ${caughtBy ?? byGpu ?? "nothing"} |`);
  }
  const caught = rows.filter(({ caughtBy }) => caughtBy !== undefined).length;
  const missed = rows.filter(({ bug, caughtBy }) => caughtBy === undefined && bug.hardware === undefined).length;
  console.log(
    `\n${caught} of ${rows.length} bugs caught, ${rows.length - caught - missed} need a GPU, ${missed} missed`,
  );
  if (missed > 0) process.exitCode = 1;
});
