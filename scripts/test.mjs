/**
 * All tests: `npm test`, or some suites by name: `npm test -- cpp`. The last line counts test cases over all suites.
 *
 *   lint     the checks of `npm run lint`
 *   cpp      the C++ tests (ctest)
 *   jest     the TypeScript tests
 *   cuda     the CUDA library for every GPU: that nvcc compiles it without a warning, and what came out
 *   address  the C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer
 *   schedules  the operations on the emulated CUDA back end, with other orders of its threads and streams
 *   thread   the thread pool, whole training steps and emulated kernels under ThreadSanitizer
 *
 * schedules-all and thread-all are the long versions (`npm run check:all`).
 */
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { buildCpp, buildJobs, discardForeignBuild, everydayTargets, setUp, warningsAreErrors } from "./setup.mjs";
import { lint } from "./lint.mjs";
import { allTargets, codeIn, exportsOf, foreignLibrariesOf } from "./cuda/cuda-library.mjs";
import { findProblems, measureResources, resourceTable } from "./cuda/resources.mjs";
import { runChecks } from "./support/checks.mjs";
import { addCounts, formatCounts, noCounts, parseCounts } from "./support/counts.mjs";
import { buildCudaLibrary, findNvcc } from "./support/cuda.mjs";
import { ExplainedError, packageScript, report, root, runMain, tryRun } from "./support/run.mjs";

/** With CI=true everything that a test needs is there, so a skipped test is a failed one. */
const inCi = process.env.CI === "true";

/**
 * Runs ctest and counts the cases inside its programs. A program that ended badly without a failed case (a crash, a
 * report of a sanitizer) is one failure.
 */
async function runCtest(folder, { args = [], env = {} } = {}) {
  const { output } = await tryRun("ctest", ["--verbose", "--parallel", String(buildJobs), ...args], {
    cwd: join(root, folder),
    env,
  });
  let counts = noCounts;
  const programs = [...output.matchAll(/^ *\d+\/\d+ Test +#(\d+): (\S+) .*?(Passed|\*\*\*.*?) +([\d.]+) sec/gm)];
  for (const [, number, name, result, seconds] of programs) {
    const printed = output
      .split("\n")
      .filter((line) => line.startsWith(`${number}: `))
      .map((line) => line.slice(number.length + 2))
      .filter((line) => !/^(Test command|Working Directory|Test timeout|Environment variables):? /.test(line))
      .join("\n");
    const inside = parseCounts(printed) ?? noCounts;
    const passed = result === "Passed";
    const cases = passed || inside.failed > 0 ? inside : addCounts(inside, { ...noCounts, failed: 1 });
    if (!passed) process.stdout.write(`${printed}\n`);
    console.log(`  ${passed ? "ok    " : "FAILED"} ${name} (${seconds} s): ${formatCounts(cases)}`);
    counts = addCounts(counts, cases);
  }
  if (programs.length === 0) {
    process.stdout.write(output);
    return { ...noCounts, failed: 1 };
  }
  return counts;
}

async function cpp() {
  await buildCpp("build/tests", []);
  return runCtest("build/tests");
}

/** Reports with line numbers. Warnings are the plain build's affair: instrumented code gives false ones. */
const sanitized = (sanitizers) => [
  "-DCMAKE_BUILD_TYPE=Sanitized",
  "-DCMAKE_CXX_FLAGS_SANITIZED=-O1 -g1 -w",
  `-DGRU4REC_SANITIZE=${sanitizers}`,
];

/**
 * Programs of which a sanitizer shows nothing: they count allocations, or compare bits of what others run, too. Nor is
 * native/gpu_check built here, which runs the same cases once more.
 */
const notUnderAddressSanitizer = ["allocation_test", "same_bits_test"];

async function address() {
  const sources = [...readdirSync(join(root, "native/test")), ...readdirSync(join(root, "native/emulator/test"))];
  const programs = sources
    .filter((name) => name.endsWith("_test.cpp"))
    .map((name) => basename(name, ".cpp"))
    .filter((name) => !notUnderAddressSanitizer.includes(name));
  await buildCpp("build/address", sanitized("address,undefined"), programs);
  // Not detect_stack_use_after_return: it sets up megabytes of stack for each thread of an emulated kernel.
  return runCtest("build/address", {
    args: only(programs),
    env: { UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1" },
  });
}

/** The C++ tests that run every kernel. */
const operationTests = [
  "feed",
  "gru",
  "inputs",
  "loss",
  "negatives",
  "ranking",
  "recorded",
  "scores",
  "step",
  "update",
  "walk",
].map((name) => `${name}_test`);

/** Those of them that take little time under ThreadSanitizer. */
const quickKernelTests = ["feed_test", "inputs_test", "loss_test", "negatives_test", "scores_test", "update_test"];

const only = (programs) => ["--tests-regex", `^(${programs.join("|")})$`];

/** ThreadSanitizer takes each thread of an emulated kernel for a thread, so it sees what barriers do not order. */
async function underThreadSanitizer(kernelTests) {
  const hostTests = ["thread_pool_test", "engine_test"];
  await buildCpp("build/thread", sanitized("thread"), [...hostTests, ...kernelTests]);
  const env = { TSAN_OPTIONS: "halt_on_error=1:second_deadlock_stack=1" };
  const host = await runCtest("build/thread", { args: only(hostTests), env: { ...env, GRU4REC_TEST_DEVICE: "cpu" } });
  const kernels = await runCtest("build/thread", {
    args: only(kernelTests),
    env: { ...env, GRU4REC_TEST_DEVICE: "cuda" },
  });
  return addCounts(host, kernels);
}

const measured = new Map();

/** What nvcc made of the kernels for a GPU, measured once. */
function resourcesFor(target) {
  if (!measured.has(target)) measured.set(target, measureResources(findNvcc(), target));
  return measured.get(target);
}

/**
 * Runs the operations on the emulated back end in each of these orders; the suite cpp runs mix with seed 1. Where nvcc
 * is, the emulator rejects launches that ask for more than the smallest GPU has.
 */
async function inOrders(orders) {
  await buildCpp("build/tests", []);
  const limits = {};
  if (findNvcc() !== undefined) {
    await resourcesFor("sm_75");
    limits.GRU4REC_EMULATOR_RESOURCES = resourceTable("sm_75");
  }
  let counts = noCounts;
  for (const { schedule, streams, seed } of orders) {
    console.log(` threads ${schedule}, streams ${streams}, seed ${seed}:`);
    const env = {
      ...limits,
      GRU4REC_TEST_DEVICE: "cuda",
      GRU4REC_EMULATOR_SCHEDULE: schedule,
      GRU4REC_EMULATOR_STREAMS: streams,
      GRU4REC_EMULATOR_SEED: String(seed),
    };
    counts = addCounts(counts, await runCtest("build/tests", { args: only(operationTests), env }));
  }
  return counts;
}

const someOrders = [
  { schedule: "reverse", streams: "eager", seed: 1 },
  { schedule: "uniform", streams: "random", seed: 2 },
];
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
const allOrders = [
  { schedule: "forward", streams: "eager", seed: 1 },
  { schedule: "forward", streams: "lazy", seed: 1 },
  { schedule: "reverse", streams: "eager", seed: 1 },
  { schedule: "reverse", streams: "lazy", seed: 1 },
  ...["random", "uniform", "mix"].flatMap((schedule) => seeds.map((seed) => ({ schedule, streams: "random", seed }))),
];

/** Fails with what was expected and what was received unless the two are the same. */
function expectSame(what, expected, received) {
  if (expected === received) return;
  throw new ExplainedError(`Expected ${what} to be ${expected} but received ${received}`);
}

async function cuda() {
  const nvcc = findNvcc();
  if (nvcc === undefined) {
    console.log(`  ${inCi ? "FAILED" : "skipped"} there is no nvcc`);
    return { ...noCounts, [inCi ? "failed" : "skipped"]: 1 };
  }
  // The library that the set-up made, where that is for all GPUs already (.ci/run asks for it).
  const isMade = everydayTargets === "all";
  const folder = "build/cuda-all";
  const library = `${isMade ? "build/Release" : folder}/libgru4rec_cuda.so`;
  discardForeignBuild(folder);
  const options = { folder, targets: "all", jobs: buildJobs, options: [`-DGRU4REC_WERROR=${warningsAreErrors}`] };
  const measure = async (target) => {
    const problems = findProblems(await resourcesFor(target));
    if (problems.length > 0) throw new ExplainedError(problems.join("\n"));
  };
  const code = [...allTargets.map((target) => `sm_${target}`), `compute_${allTargets.at(-1)}`].sort().join(" ");
  const checks = {
    "compiles and links": () => (isMade ? setUp({ only: ["cuda"] }) : buildCudaLibrary(nvcc, options)),
    "exports the table of functions only": async () =>
      expectSame("its symbols", "gru4rec_cuda_library", (await exportsOf(library)).join(" ")),
    "needs nothing but the system's libraries": async () =>
      expectSame("other libraries", "", (await foreignLibrariesOf(library)).join(" ")),
    "holds code for every GPU": () => {
      for (const received of codeIn(library)) expectSame("the code of a file", code, received.sort().join(" "));
    },
    "no kernel spills on sm_75": () => measure("sm_75"),
    "no kernel spills on sm_90": () => measure("sm_90"),
  };
  const counts = await runChecks(checks);
  if (!existsSync(join(root, library))) return counts;
  const megabytes = (statSync(join(root, library)).size / 1e6).toFixed(1);
  console.log(`  libgru4rec_cuda.so: ${megabytes} MB with the code of ${allTargets.length} GPUs`);
  const program = "cuda_library_test";
  await buildCpp("build/tests", [], [program]);
  const env = { GRU4REC_CUDA_LIBRARY: join(root, library), GRU4REC_CUBLAS: "" };
  return addCounts(counts, await runCtest("build/tests", { args: ["--tests-regex", `^${program}$`], env }));
}

async function jest() {
  const report = join(root, "build/jest.json");
  rmSync(report, { force: true });
  // By itself jest leaves one core idle, which on a machine with two is half of it.
  const args = ["--ci", "--json", `--outputFile=${report}`, `--maxWorkers=${buildJobs}`];
  const { output } = await tryRun(...packageScript("jest/bin/jest.js", ...args), { env: { FORCE_COLOR: "0" } });
  // stdout repeats the report, stderr holds what people read.
  const results = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined;
  process.stdout.write(
    output
      .replace(/^\{"numFailedTestSuites".*$/m, "")
      .replace(/^/gm, "  ")
      .trimEnd() + "\n",
  );
  if (results === undefined) return { ...noCounts, failed: 1 };
  const pending = results.numPendingTests + results.numTodoTests;
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + results.numRuntimeErrorTestSuites + (inCi ? pending : 0),
    skipped: inCi ? 0 : pending,
  };
}

const suites = {
  lint,
  cuda,
  cpp,
  jest,
  schedules: () => inOrders(someOrders),
  address,
  thread: () => underThreadSanitizer(quickKernelTests),
  "schedules-all": () => inOrders(allOrders),
  "thread-all": () => underThreadSanitizer(operationTests),
};

/** A suite that does not even build is one failure; the others run all the same. */
async function runSuite(name) {
  try {
    return await suites[name]();
  } catch (error) {
    report(error);
    return { ...noCounts, failed: 1 };
  }
}

await runMain(async () => {
  const names = process.argv.length > 2 ? process.argv.slice(2) : ["cpp", "jest"];
  for (const name of names) {
    if (suites[name] === undefined) {
      throw new ExplainedError(`Expected suites from ${Object.keys(suites).join(", ")} but received ${name}`);
    }
  }
  await setUp({ buildTools: true });
  let counts = noCounts;
  for (const name of names) {
    console.log(`${name}:`);
    counts = addCounts(counts, await runSuite(name));
  }
  console.log(formatCounts(counts));
  if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
});
