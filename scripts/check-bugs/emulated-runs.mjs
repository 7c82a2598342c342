/**
 * Runs C++ tests on the emulated GPU, in a copy of the project with a bug in the CUDA back end: first under several
 * schedules, then under the sanitizers, which are slower and notice what schedules do not.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildJobs } from "../setup.mjs";
import { run, tryRun } from "../support/run.mjs";

/** A test that takes longer under a bug than this hangs, which is also a way to be caught. */
const timeoutMs = 300_000;

const plain = { name: "emulated", folder: "build/emulated", options: ["-DCMAKE_CXX_FLAGS_BUGS=-O1 -w"] };
const sanitized = (name, sanitizers) => ({
  name,
  folder: `build/${name}`,
  options: ["-DCMAKE_CXX_FLAGS_BUGS=-O1 -g1 -w", `-DGRU4REC_SANITIZE=${sanitizers}`],
});

/** Builds and the schedules that they are run under, the quick ones first. */
const runs = [
  { build: plain, env: { GRU4REC_EMULATOR_SCHEDULE: "mix", GRU4REC_EMULATOR_SEED: "1" } },
  { build: plain, env: { GRU4REC_EMULATOR_SCHEDULE: "reverse" } },
  {
    build: plain,
    env: { GRU4REC_EMULATOR_SCHEDULE: "mix", GRU4REC_EMULATOR_SEED: "2", GRU4REC_EMULATOR_RESIDENT: "3" },
  },
  { build: plain, env: { GRU4REC_EMULATOR_SCHEDULE: "uniform", GRU4REC_EMULATOR_SEED: "3" } },
  { build: sanitized("address", "address,undefined"), env: { UBSAN_OPTIONS: "halt_on_error=1" } },
  { build: sanitized("thread", "thread"), env: { TSAN_OPTIONS: "halt_on_error=1", GRU4REC_EMULATOR_RESIDENT: "2" } },
];

async function buildPrograms(tree, { folder, options }, programs) {
  if (!existsSync(join(tree, folder))) {
    const common = ["-DCMAKE_BUILD_TYPE=Bugs", "-DGRU4REC_ADDON=OFF", "-DGRU4REC_CUDA=OFF", "-DGRU4REC_TESTS=ON"];
    await run("cmake", ["-S", ".", "-B", folder, ...common, ...options], { cwd: tree });
  }
  const targets = ["gru4rec_cuda_emulated", "gru4rec_emulated_cublas", ...programs];
  await run("cmake", ["--build", folder, "--parallel", String(buildJobs), "--target", ...targets], { cwd: tree });
}

/** The line of a failed run that says most. */
function reasonIn(output) {
  const patterns = [
    /EMULATOR: (.*)/,
    /SUMMARY: (\w+Sanitizer: [\w-]+)/,
    /runtime error: (.*)/,
    /^FAILED +(.+?): \d+ comparisons$/m,
    /^ {2}(\S+:\d+ .*)$/m,
  ];
  for (const pattern of patterns) {
    const found = pattern.exec(output)?.[1];
    if (found !== undefined) return found.replace(/0x[0-9a-f]+/g, "…").slice(0, 120);
  }
  return "ends badly";
}

/** Cases that ThreadSanitizer gets through in minutes; of other programs it runs all. */
const threadCases = { ranking_test: ["target_ranks: exact", "top_k: all scores", "top_k: excluded"] };

/** Pairs of a run and a program that have noticed a bug. */
const noticed = new Map();

/** Runs one program; why it failed, or undefined. */
async function failureOf(tree, { build, env }, program) {
  const args = build.name === "thread" ? (threadCases[program] ?? []) : [];
  const { status, output } = await tryRun(join(tree, build.folder, "native/test", program), args, {
    cwd: tree,
    env: { GRU4REC_TEST_DEVICE: "cuda", GRU4REC_TEST_STOP: "1", ...env },
    timeoutMs,
  });
  if (status === 0) return undefined;
  return `${build.name}, ${program}: ${status === "SIGKILL" ? "does not end" : reasonIn(output)}`;
}

/** What notices the bug in `tree`: "build, program: reason"; undefined when nothing does. */
export async function firstEmulatedFailure(tree, programs) {
  for (const [number, one] of runs.entries()) {
    await buildPrograms(tree, one.build, programs);
    for (const program of programs) {
      const failure = await failureOf(tree, one, program);
      if (failure === undefined) continue;
      noticed.set(`${number} ${program}`, { one, program });
      return failure;
    }
  }
  return undefined;
}

/** Runs in `tree`, which has no bug any more, all that noticed one: a failure of these says nothing of the bugs. */
export async function firstFalseAlarm(tree) {
  for (const { one, program } of noticed.values()) {
    await buildPrograms(tree, one.build, [program]);
    const failure = await failureOf(tree, one, program);
    if (failure !== undefined) return failure;
  }
  return undefined;
}
