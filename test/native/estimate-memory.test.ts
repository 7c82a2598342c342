import { estimateMemory, parseConfig, type Hyperparameters } from "../../lib";
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

test.each<[string, Hyperparameters, Hyperparameters]>([
  ["sampleStore", { sampleStore: 1_000_000 }, { sampleStore: 10_000_000 }],
  ["batchBuffers", { batchSize: 32 }, { batchSize: 64 }],
  ["batchBuffers", { nSample: 512 }, { nSample: 2048 }],
  ["workspace", { layers: [100] }, { layers: [400] }],
  ["optimiserState", { adapt: "sgd" }, { adapt: "sgd", momentum: 0.1 }],
  ["tables", { embedding: "shared" }, { embedding: "layersize" }],
])("%s is less with %j than with %j", (part, less, more) => {
  const [small, large] = [less, more].map((config) => estimateMemory(config, SIZES).parts) as [object, object];
  expect(small[part as keyof object]).toBeLessThan(large[part as keyof object]);
});

test("several epochs keep a copy of the tables in the machine's memory", () => {
  const [one, two] = [1, 2].map((nEpochs) => estimateMemory({ nEpochs }, SIZES)) as [
    { host: number },
    { host: number },
  ];
  expect(two.host - one.host).toBe(estimateMemory({}, SIZES).parts.tables);
});

test("the option device wins over the configuration; the CPU has work space for each thread", () => {
  const [one, four] = [1, 4].map((threads) =>
    estimateMemory({ threads, device: "cuda" }, { items: 100, device: "cpu" }),
  ) as [{ device: string; parts: { workspace: number } }, { device: string; parts: { workspace: number } }];
  expect(one.device).toBe("cpu");
  expect(four.parts.workspace).toBeGreaterThan(3 * one.parts.workspace - 4 * 2 ** 20);
});

test("wrong options are named", async () => {
  await expectFailure(() => estimateMemory({}, { items: 0 }), "ERR_ARGUMENT", "Expected items to be an integer from 1");
  await expectFailure(() => estimateMemory({}, {} as never), "ERR_ARGUMENT", "Expected items to be");
  expect(await problemsOf(() => estimateMemory({ layers: [0] }, SIZES))).toHaveLength(1);
  expect(await problemsOf(() => estimateMemory({}, { items: 5, device: "gpu" as never }))).toHaveLength(1);
});
