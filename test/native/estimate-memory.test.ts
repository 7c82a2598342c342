import { estimateMemory, parseConfig, type Hyperparameters, type MemoryEstimate } from "../../lib";
import { countParameters } from "../../lib/model/count-parameters";
import { expectFailure, problemsOf } from "../support/errors";

const SIZES = { items: 50_000, device: "cuda" } as const;

test("the parts make up the total", () => {
  const { device, total, parts } = estimateMemory({ layers: [100] }, SIZES);
  expect(device).toBe("cuda");
  expect(Object.keys(parts)).toEqual(["tables", "optimiserState", "batchBuffers", "sampleStore", "workspace"]);
  expect(Object.values(parts).reduce((sum, bytes) => sum + bytes)).toBe(total);
});

test.each<Hyperparameters>([
  {},
  { embedding: "none", layers: [50, 20] },
  { embedding: 64, resetAfter: true, adapt: "adam", momentum: 0.1 },
])("tables and optimiser's state follow the number of parameters: %j", (config) => {
  const { parts } = estimateMemory(config, SIZES);
  const bytes = 4 * countParameters(parseConfig(config).config, SIZES.items);
  const states = config.adapt === "adam" ? 3 : 1; // adagrad: sums of squares; adam: two moments, and momentum
  expect(parts.tables / bytes).toBeCloseTo(1, 3);
  expect(parts.optimiserState / (states * bytes)).toBeCloseTo(1, 1);
});

test.each<[keyof MemoryEstimate["parts"], Hyperparameters, Hyperparameters]>([
  ["batchBuffers", { batchSize: 32 }, { batchSize: 64 }],
  ["batchBuffers", { nSample: 512 }, { nSample: 2048 }],
  ["workspace", { layers: [100] }, { layers: [400] }],
  ["optimiserState", { adapt: "sgd" }, { adapt: "sgd", momentum: 0.1 }],
  ["tables", { embedding: "shared" }, { embedding: "layersize" }],
])("%s is less with %j than with %j", (part, less, more) => {
  const bytes = (config: Hyperparameters) => estimateMemory(config, SIZES).parts[part];
  expect(bytes(less)).toBeLessThan(bytes(more));
});

test("the CPU draws samples ahead, a GPU in each step", () => {
  const bytes = (sampleStore: number, device: "cpu" | "cuda") =>
    estimateMemory({ sampleStore }, { ...SIZES, device }).parts.sampleStore;
  expect(bytes(10_000_000, "cpu") - bytes(1_000_000, "cpu")).toBeGreaterThan(30_000_000);
  expect(bytes(10_000_000, "cuda")).toBe(bytes(1_000_000, "cuda"));
});

test("several epochs keep a copy of the tables in the machine's memory", () => {
  const host = (nEpochs: number) => estimateMemory({ nEpochs }, SIZES).host;
  expect(host(2) - host(1)).toBe(estimateMemory({}, SIZES).parts.tables);
});

test("the option device wins over the configuration; the CPU has work space for each thread", () => {
  const estimate = (threads: number) => estimateMemory({ threads, device: "cuda" }, { items: 100, device: "cpu" });
  expect(estimate(1).device).toBe("cpu");
  const perThread = estimate(2).parts.workspace - estimate(1).parts.workspace;
  expect(perThread).toBeGreaterThan(100_000);
  expect(estimate(5).parts.workspace - estimate(1).parts.workspace).toBeCloseTo(4 * perThread, -3);
});

test("wrong options are named", async () => {
  await expectFailure(() => estimateMemory({}, { items: 0 }), "ERR_ARGUMENT", "Expected items to be an integer from 1");
  await expectFailure(() => estimateMemory({}, {} as never), "ERR_ARGUMENT", "Expected items to be");
  expect(await problemsOf(() => estimateMemory({ layers: [0] }, SIZES))).toHaveLength(1);
  expect(await problemsOf(() => estimateMemory({}, { items: 5, device: "gpu" as never }))).toHaveLength(1);
});
