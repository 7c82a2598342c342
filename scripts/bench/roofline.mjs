/**
 * What a training step asks of a GPU and how fast an H100 could be at it: counted by native/test/bench_counts.cpp on the
 * emulated GPU, never measured. Writes docs/roofline.md and scripts/bench/results/roofline.json, microseconds of a step by
 * configuration, which `npm run gpu:check -- --roofline` compares with. Builds with g++: see native/emulator/traffic.cpp.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildCpp } from "../setup.mjs";
import { ExplainedError, root, run } from "../support/run.mjs";
import { parseOptions } from "./options.mjs";

const usage = "npm run bench -- roofline takes no options";

/**
 * What an H100 (SXM) attains, per microsecond, and what a node of a graph costs whatever it does. Peaks are those of
 * NVIDIA's data sheet of the H100 SXM; how much of a peak programs get was not measured here.
 * @type {Record<string, { value: number, text: string, source: string }>}
 */
const h100 = {
  node: {
    value: 1.6,
    text: "1.6 µs",
    source: "a node that waits for another one: assumed, between the two below",
  },
  fastNode: { value: 1.5, text: "1.5 µs", source: "the least of such a node: assumed" },
  slowNode: { value: 2, text: "2 µs", source: "the most of it: assumed" },
  memory: {
    value: 3.0e6,
    text: "3.0 TB/s",
    source: "HBM3: nine tenths, assumed, of the data sheet's 3.35 TB/s",
  },
  cache: {
    value: 5.5e6,
    text: "5.5 TB/s",
    source: "the level 2 cache: assumed, of the order of published microbenchmarks",
  },
  cacheBytes: { value: 50 * 2 ** 20, text: "50 MiB", source: "size of that cache: NVIDIA's description of Hopper" },
  tf32: {
    value: 400e6,
    text: "400 TFLOP/s",
    source: "large products in tf32: eight tenths, assumed, of the data sheet's 494 (989 with sparsity)",
  },
  float32: {
    value: 50e6,
    text: "50 TFLOP/s",
    source: "large products in float32: three quarters, assumed, of the data sheet's 67",
  },
};
const multiprocessors = 132;

/** What bounds a node, in microseconds. */
function bounds(node, latency) {
  const rate = node.kind === "product" ? h100[node.precision]?.value : 1;
  if (rate === undefined) throw new ExplainedError(`Expected a precision with a rate but received ${node.precision}`);
  return {
    latency,
    cache: (node.bytesRead + node.bytesWritten) / h100.cache.value,
    memory: (node.bytesFetched + node.bytesWrittenBack) / h100.memory.value,
    products: node.flops / rate,
  };
}
const timeOf = (node, latency) => Math.max(...Object.values(bounds(node, latency)));
const boundNames = { latency: "latency", cache: "L2", memory: "HBM", products: "products" };
const boundOf = (node, latency) =>
  Object.keys(boundNames).find((bound) => bounds(node, latency)[bound] === timeOf(node, latency));

/** As if no cache held anything: all that is read and written goes to memory. */
const timeWithoutCache = (node, latency) =>
  Math.max(timeOf(node, latency), (node.bytesRead + node.bytesWritten) / h100.memory.value);

/** The longest chain of nodes that wait for each other, weighted by `weight`. Nodes stand behind those they wait for. */
export function longestPath(nodes, weight) {
  const ends = [];
  for (const node of nodes) ends.push(weight(node) + Math.max(0, ...node.after.map((before) => ends[before])));
  return Math.max(0, ...ends);
}

/** That what the emulator knows of the graph that it ran last is what its profile says of it. */
function checkGraph({ nodes, graphNodes, graphDepth }) {
  const last = Math.max(...nodes.map(({ graph }) => graph));
  if (last === 0) return;
  const first = nodes.findIndex(({ graph }) => graph === last);
  const own = nodes
    .filter(({ graph }) => graph === last)
    .map(({ after }) => ({ after: after.filter((before) => before >= first).map((before) => before - first) }));
  const depth = longestPath(own, () => 1);
  if (own.length !== graphNodes || depth !== graphDepth)
    throw new ExplainedError(
      `Expected a graph of ${graphNodes} nodes, ${graphDepth} in a chain, but the profile has ${own.length} and ${depth}`,
    );
}

const sum = (nodes, value) => nodes.reduce((total, node) => total + value(node), 0);

/** "gru4rec::cuda::(anonymous namespace)::loss_kernel" -> "loss_kernel" */
const shortName = (name) => name.replace(/gru4rec::(cuda::)?|\(anonymous namespace\)::/g, "");

const slowestFirst = (a, b) =>
  b.microseconds - a.microseconds || b.bytesRead + b.bytesWritten - a.bytesRead - a.bytesWritten;

/** A node of a step that is replayed. The others belong to an epoch's first step, or to a chunk of the feed. */
const isReplayed = ({ graph }) => graph > 0;

/** What a chunk of the feed takes besides its steps: the longer epoch has one more than the shorter one. */
function countChunk([short, long]) {
  const more = (value) => value(long) - value(short);
  const count = (name) => more(({ nodes }) => nodes.filter((node) => !isReplayed(node) && node.name === name).length);
  const names = [...new Set(long.nodes.map(({ name }) => name))].filter((name) => count(name) > 0);
  return {
    nodes: names.map((name) => ({ name: shortName(name), count: count(name) })),
    waits: more(({ synchronisations }) => synchronisations),
    allocations: more(({ allocations }) => allocations),
  };
}

/**
 * What one step comes to, of the nodes that are replayed: the longer epoch less the shorter one, divided by its
 * additional steps.
 */
export function countStep({ epochs: [short, long], ...configuration }) {
  const epochs = [short, long].map((epoch) => ({ ...epoch, ...JSON.parse(readFileSync(epoch.profile, "utf8")) }));
  if (!epochs.every(({ kernelsAreCounted }) => kernelsAreCounted))
    throw new ExplainedError("Expected kernels whose traffic is counted; was libgru4rec_cuda_traffic.so built by g++?");
  epochs.forEach(checkGraph);
  const perStep = (value) => (value(epochs[1]) - value(epochs[0])) / (long.steps - short.steps);
  const replayed = ({ nodes }) => nodes.filter(isReplayed);
  const total = (value, chosen = () => true) => perStep((epoch) => sum(replayed(epoch).filter(chosen), value));
  const path = (weight) => perStep(({ nodes }) => longestPath(nodes, (node) => (isReplayed(node) ? weight(node) : 0)));
  const nodes = total(() => 1);
  if (nodes === 0 || !Number.isInteger(nodes))
    throw new ExplainedError(
      `Expected all steps but the first of an epoch to be replayed but ${nodes} nodes of each one are`,
    );
  const names = [...new Set(replayed(epochs[1]).map(({ name }) => name))];
  const latency = h100.node.value;
  const kernels = names.map((name) => {
    const named = (node) => node.name === name;
    const spent = (bound) => total((node) => (boundOf(node, latency) === bound ? timeOf(node, latency) : 0), named);
    return {
      name: shortName(name),
      precision: epochs[1].nodes.find(named).precision,
      launches: total(() => 1, named),
      blocks: total((node) => node.blocks, named),
      bytesRead: total((node) => node.bytesRead, named),
      bytesWritten: total((node) => node.bytesWritten, named),
      memoryBytes: total((node) => node.bytesFetched + node.bytesWrittenBack, named),
      flops: total((node) => node.flops, named),
      microseconds: total((node) => timeOf(node, latency), named),
      bound: Object.keys(boundNames).reduce((most, bound) => (spent(bound) > spent(most) ? bound : most)),
    };
  });
  return {
    ...configuration,
    nodes,
    chain: path(() => 1),
    stepsPerLaunch: 1 / perStep(({ graphLaunches }) => graphLaunches),
    chunk: countChunk(epochs),
    cacheBytes: total((node) => node.bytesRead + node.bytesWritten),
    memoryBytes: total((node) => node.bytesFetched + node.bytesWrittenBack),
    flops: total((node) => node.flops),
    boundByLatency: total(
      () => 1,
      (node) => timeOf(node, latency) === latency,
    ),
    nodeMicroseconds: path(() => latency),
    cacheMicroseconds: total((node) => bounds(node, 0).cache),
    memoryMicroseconds: total((node) => bounds(node, 0).memory),
    productMicroseconds: total((node) => bounds(node, 0).products),
    predicted: path((node) => timeOf(node, latency)),
    lowest: path((node) => timeOf(node, h100.fastNode.value)),
    highest: path((node) => timeWithoutCache(node, h100.slowNode.value)),
    emulatorMilliseconds: total(({ milliseconds }) => milliseconds),
    kernels: kernels.filter(({ launches }) => launches > 0).sort(slowestFirst),
  };
}

const fixed = (value, digits = 1) => value.toFixed(digits);
const megabytes = (bytes) => fixed(bytes / 1e6);
const whole = (value) => String(Math.round(value * 100) / 100);
const perSecond = (microseconds) => Math.round(1e6 / microseconds).toLocaleString("en-US");

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** "`copy to the device`, 2 `copy to the host`; the host waits 2 times and allocates 0 times" */
function describeChunk({ nodes, waits, allocations }) {
  const own = nodes.map(({ name, count }) => (count > 1 ? `${count} ` : "") + `\`${name}\``).join(", ");
  return `${own || "no node"}; the host waits ${waits} times and allocates ${allocations} times`;
}

function describeConfiguration(step) {
  const { name, hidden, batch, loss, samples, items, kernels } = step;
  const rows = kernels
    .slice(0, 8)
    .map((kernel) => [
      `\`${kernel.name}\`${kernel.precision ? `, ${kernel.precision}` : ""}`,
      whole(kernel.launches),
      kernel.blocks > 0 ? whole(kernel.blocks) : "",
      megabytes(kernel.bytesRead),
      megabytes(kernel.bytesWritten),
      megabytes(kernel.memoryBytes),
      fixed(kernel.flops / 1e9, 2),
      fixed(kernel.microseconds),
      boundNames[kernel.bound],
    ]);
  const rest = kernels.slice(8);
  const head = ["what", "launches", "blocks in all", "MB read", "MB written", "MB of HBM", "GFLOP", "µs", "bound by"];
  return `### ${name}
${hidden} units, mini-batches of ${batch}, ${loss}, ${samples} samples, ${items.toLocaleString("en-US").replaceAll(",", " ")} items.
${whole(step.boundByLatency)} of ${whole(step.nodes)} nodes are bound by latency.
A chunk adds: ${describeChunk(step.chunk)}.

${table(head, rows)}

${rest.length} more take ${fixed(sum(rest, ({ microseconds }) => microseconds))} µs.`;
}

function describe(steps) {
  const summary = steps.map((step) => [
    step.name,
    whole(step.nodes),
    whole(step.chain),
    whole(step.stepsPerLaunch),
    megabytes(step.cacheBytes),
    megabytes(step.memoryBytes),
    fixed(step.flops / 1e9, 2),
  ]);
  const times = steps.map((step) => [
    step.name,
    fixed(step.nodeMicroseconds),
    fixed(step.cacheMicroseconds),
    fixed(step.memoryMicroseconds),
    fixed(step.productMicroseconds),
    fixed(step.predicted),
    `${fixed(step.lowest)} to ${fixed(step.highest)}`,
    perSecond(step.predicted),
  ]);
  const constants = Object.values(h100).map(({ text, source }) => [text, source]);
  return `# Roofline: what a training step asks of an H100
Written by \`npm run bench -- roofline\` from what the emulator counts. **Nothing here was measured on a GPU.** The times
are about the least that an H100 could need: each node runs at one of the rates below. What a GPU then takes is compared
with them.

## A step
${table(["configuration", "nodes", "longest chain", "steps a launch", "MB through L2", "MB of HBM", "GFLOP of products"], summary)}

A node is a kernel, a product of cuBLAS, a copy or a fill, of the graph that is replayed for each step. The longest chain is
what has to run one after the other. What a chunk of the feed adds once, for hundreds of steps, is in none of these
numbers; it stands with each configuration.

${table(["configuration", "chain, µs", "L2, µs", "HBM, µs", "products, µs", "predicted, µs", "from, to", "mini-batches/s"], times)}

- **chain, L2, HBM, products**: what a step would take if this alone bounded it: the longest chain at 1.6 µs a node, or the
  bytes or operations of all nodes at the rates below.
- **predicted**: the longest chain weighted by the time of its nodes, each of which takes the longest of: 1.6 µs, its bytes
  through the level 2 cache, its bytes from and to memory, its operations.
- **from, to**: nodes of 1.5 µs; nodes of 2 µs and a cache that holds nothing, so that each byte comes from memory.

## Each configuration
${steps.map(describeConfiguration).join("\n\n")}

## How it is made
- native/test/bench_counts.cpp trains each configuration with the engine's own trainer on the emulated GPU, an epoch of
  ${steps[0].steps[0]} steps and one of ${steps[0].steps[1]}, which has one chunk more; the difference, divided by the additional steps, is a step.
  All mini-batches are full; items are clicked as often as 1 / rank. Parameters are the author's best ones in the
  results of the reproducibility study (arXiv 2307.14956); "bench-100-32" is what \`npm run bench -- train\` takes. Only
  RSC15's number of items is published, 37 483; the others are assumed. How many there are changes how often a step
  meets an item twice, hardly what it does.
- **Bytes**: instrumentation for ThreadSanitizer, of g++ and no other compiler, calls the emulator at every load and store
  of a kernel (native/emulator/traffic.cpp). A sector of 32 bytes counts once for each node that reads it and once for
  each that writes it, however many threads do. Products count each operand once. The emulator's tests hold these
  counts to kernels whose traffic is known.
- **MB of HBM**: what a cache of 50 MiB did not hold, the sector that was used longest ago leaving first, and what it wrote
  back. An H100's cache has two halves of which each may keep a copy: it can hold less.
- **Operations**: 2 m n k of the products. The arithmetic of kernels is not counted.
- **Waiting** comes from the edges of graphs, the order of streams and events, as the emulator ran them.
- The emulated GPU has ${multiprocessors} multiprocessors and compute capability 9.0: grids are those of an H100.
- Not in it: kernels with too few blocks, too many barriers or too scattered loads to reach a rate, and products for
  which cuBLAS takes more than one kernel.

${table(["rate", "of what, and where it is from"], constants)}
`;
}

/** The compiler that CMake found for a build folder, as it calls it ("GNU", "Clang"), and its path. */
function compilerOf(folder) {
  const files = join(root, folder, "CMakeFiles");
  const found = existsSync(files) ? readdirSync(files).map((name) => join(files, name, "CMakeCXXCompiler.cmake")) : [];
  const text = found.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
  const read = (name) => new RegExp(`^set\\(${name} "(.*)"\\)$`, "m").exec(text[0] ?? "")?.[1];
  return { id: read("CMAKE_CXX_COMPILER_ID"), path: read("CMAKE_CXX_COMPILER") };
}

/** Only g++ makes the counted library, so CMakeLists.txt has no target for it with another compiler. */
async function buildCounts(folder) {
  try {
    await buildCpp(folder, [], ["bench_counts", "gru4rec_cuda_traffic", "gru4rec_emulated_cublas"]);
  } catch (error) {
    const { id, path } = compilerOf(folder);
    if (process.platform === "linux" && (id === undefined || id === "GNU")) throw error;
    throw new ExplainedError(
      `Expected Linux and g++, which counts loads and stores, but this is ${process.platform} and ${folder} is built ` +
        `with ${id ?? "no compiler"} (${path ?? "none"}). With g++ installed: rm -r ${folder}, then CXX=g++ npm run ` +
        "bench -- roofline",
    );
  }
}

/** The least that an H100 could need for a training step, from counts. */
export async function benchRoofline(args) {
  parseOptions(args, {}, usage);
  const folder = "build/tests";
  await buildCounts(folder);
  const profiles = "build/roofline";
  mkdirSync(join(root, profiles), { recursive: true });
  const output = await run(join(root, folder, "native/test/bench_counts"), [`${folder}/emulated`, profiles], {
    env: {
      GRU4REC_EMULATOR_CAPABILITY: "90",
      GRU4REC_EMULATOR_SMS: String(multiprocessors),
      GRU4REC_EMULATOR_L2_KB: String(h100.cacheBytes.value / 1024),
      GRU4REC_EMULATOR_SCHEDULE: "forward",
      GRU4REC_EMULATOR_STREAMS: "lazy",
    },
  });
  const steps = JSON.parse(output).map((counts) => ({
    ...countStep(counts),
    steps: counts.epochs.map((epoch) => epoch.steps),
  }));
  writeFileSync(join(root, "docs/roofline.md"), describe(steps));
  const results = join(root, "scripts/bench/results");
  mkdirSync(results, { recursive: true });
  const floors = Object.fromEntries(steps.map(({ name, predicted }) => [name, Number(fixed(predicted))]));
  writeFileSync(join(results, "roofline.json"), `${JSON.stringify(floors, null, 2)}\n`);
  for (const { name, predicted, nodes, emulatorMilliseconds } of steps) {
    console.log(
      `${name.padEnd(28)}${whole(nodes).padStart(4)} nodes ${fixed(predicted).padStart(7)} µs predicted on an H100` +
        ` (${fixed(emulatorMilliseconds, 0)} ms in the emulator)`,
    );
  }
}
