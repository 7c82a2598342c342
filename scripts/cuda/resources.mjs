/**
 * What nvcc made of each kernel: `npm run cuda:resources`, or for other targets `npm run cuda:resources -- sm_75 sm_90`.
 * Prints registers, spilled and local memory, shared memory and launch bounds, and writes them for native/emulator
 * (GRU4REC_EMULATOR_RESOURCES) to build/cuda-resources/sm_90.txt, a kernel a line: registers, bytes of static shared
 * memory, most threads of a block, name.
 */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { findNvcc, kernelFlags } from "../support/cuda.mjs";
import { ExplainedError, isMain, root, run, runMain } from "../support/run.mjs";

/**
 * Kernels that may spill registers or keep arrays in local memory, and why they may. A name stands for all instances of
 * a template.
 * @type {Record<string, string>}
 */
const accepted = {};

/**
 * @typedef {object} Kernel
 * @property {string} name - With template arguments, without return type and parameters.
 * @property {string} file
 * @property {number} registers - Of a thread.
 * @property {number} spillStores - Bytes of a thread, as spillLoads and local.
 * @property {number} spillLoads
 * @property {number} local - Stack frame.
 * @property {number} shared - Bytes of static shared memory of a block.
 * @property {number} maxThreads - Of a block, by __launch_bounds__.
 * @property {boolean} called - A function that kernels call, as it was not inlined.
 */

/** Where the emulator's table of a target lies. */
export const resourceTable = (target) => join(root, "build/cuda-resources", `${target}.txt`);

const kernelFolder = "native/backends/cuda";

/** "void a::f<b::C<2> >(float*, int)" -> "a::f<b::C<2> >" */
function withoutSignature(demangled) {
  const name = demangled.replace(/^void /, "");
  let depth = 0;
  for (const [index, character] of [...name].entries()) {
    if (character === "<") ++depth;
    if (character === ">") --depth;
    if (character === "(" && depth === 0) return name.slice(0, index);
  }
  return name;
}

/** Kernels and functions by mangled name from what `ptxas -v` says. */
function parseLog(log) {
  const found = new Map();
  let current;
  for (const line of log.split("\n")) {
    const [, entry] = /Compiling entry function '(\S+)'/.exec(line) ?? [];
    const [, described] = /Function properties for (\S+)/.exec(line) ?? [];
    const name = entry ?? described;
    if (name !== undefined) {
      if (!found.has(name)) found.set(name, { registers: 0, shared: 0, maxThreads: 1024, called: entry === undefined });
      current = found.get(name);
    }
    const [, frame, stores, loads] =
      /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line) ?? [];
    if (frame !== undefined) {
      Object.assign(current, { local: Number(frame), spillStores: Number(stores), spillLoads: Number(loads) });
    }
    const [, registers] = /Used (\d+) registers/.exec(line) ?? [];
    if (registers !== undefined) {
      current.registers = Number(registers);
      current.shared = Number(/(\d+) bytes smem/.exec(line)?.[1] ?? 0);
    }
  }
  return found;
}

/** Compiles one file and reads what came out of it. @returns {Promise<Kernel[]>} */
async function compile(nvcc, target, file) {
  const folder = mkdtempSync(join(tmpdir(), "gru4rec-resources-"));
  try {
    const output = ["-cubin", `-arch=${target}`, "-Xptxas=-v", "--keep", `--keep-dir=${folder}`];
    const log = await run(nvcc, [...kernelFlags, ...output, "-o", join(folder, "out.cubin"), file]);
    const kernels = parseLog(log);
    if (kernels.size === 0) return [];
    const ptx = readFileSync(join(folder, `${basename(file, ".cu")}.ptx`), "utf8");
    for (const [, mangled, directives] of ptx.matchAll(/\.entry (\w+)\([^)]*\)([^{]*)\{/g)) {
      const [, x, y = 1, z = 1] = /\.maxntid (\d+)(?:, *(\d+))?(?:, *(\d+))?/.exec(directives) ?? [];
      if (x !== undefined) kernels.get(mangled).maxThreads = x * y * z;
    }
    const names = (await run("c++filt", [...kernels.keys()])).trimEnd().split("\n");
    return [...kernels.values()].map((kernel, index) => ({ name: withoutSignature(names[index]), file, ...kernel }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Compiles all kernels for one target and writes the emulator's table.
 * @param {string} nvcc
 * @param {string} target - Such as sm_90.
 */
export async function measureResources(nvcc, target) {
  const files = readdirSync(join(root, kernelFolder), { recursive: true })
    .filter((name) => name.endsWith(".cu"))
    .sort()
    .map((name) => `${kernelFolder}/${name}`);
  const kernels = [];
  const compileNext = async () => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      kernels.push(...(await compile(nvcc, target, file)));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, compileNext));
  kernels.sort((a, b) => a.file.localeCompare(b.file) || a.name.localeCompare(b.name));
  const lines = kernels.map(
    ({ registers, shared, maxThreads, name }) => `${registers} ${shared} ${maxThreads} ${name}\n`,
  );
  mkdirSync(join(resourceTable(target), ".."), { recursive: true });
  writeFileSync(resourceTable(target), lines.join(""));
  return kernels;
}

/** @param {readonly Kernel[]} kernels @returns {string[]} One line for each kernel that should not be as it is. */
export function findProblems(kernels, allowed = accepted) {
  const templateOf = (name) => name.replace(/^.*?(\w+)(<.*)?$/, "$1");
  const spilling = kernels.filter(({ spillStores, spillLoads, local }) => spillStores + spillLoads + local > 0);
  const names = new Set(spilling.map(({ name }) => templateOf(name)));
  return [
    ...spilling
      .filter(({ name }) => allowed[templateOf(name)] === undefined)
      .map(
        ({ name, spillStores, spillLoads, local }) =>
          `Expected ${name} to keep everything in registers but it spills ${spillStores} bytes of stores and ` +
          `${spillLoads} of loads, and has ${local} bytes of local memory`,
      ),
    ...Object.keys(allowed)
      .filter((name) => !names.has(name))
      .map((name) => `Expected the accepted ${name} to use local memory but it does not; take it off the list`),
  ];
}

function print(target, kernels) {
  console.log(`\n${target}, bytes and registers of a thread, shared memory of a block:`);
  console.log("registers  spill st/ld  local  shared  max threads  kernel");
  for (const { name, registers, spillStores, spillLoads, local, shared, maxThreads } of kernels) {
    const spills = `${spillStores}/${spillLoads}`;
    console.log(
      `${String(registers).padStart(9)}${spills.padStart(13)}${String(local).padStart(7)}${String(shared).padStart(8)}` +
        `${String(maxThreads).padStart(13)}  ${name}`,
    );
  }
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const nvcc = findNvcc();
    if (nvcc === undefined) throw new ExplainedError("Expected nvcc, which measures the kernels, but found none");
    const targets = process.argv.length > 2 ? process.argv.slice(2) : ["sm_90"];
    for (const target of targets) {
      const kernels = await measureResources(nvcc, target);
      print(target, kernels);
      for (const problem of findProblems(kernels)) console.warn(`warning: ${problem}`);
    }
  });
}
