import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeParameter, parameterNames, parseConfig, parseParameterText } from "../../lib/config";

test("describe: one line a parameter, in groups; what differs from the default is marked", () => {
  const lines = parseConfig({ loss: "bpr-max", layers: [100, 50], seed: 7 })
    .config.describe()
    .split("\n");
  expect(lines.filter((line) => /^[A-Z]/.test(line))).toEqual([
    "Network",
    "Training",
    "Loss",
    "Negative samples",
    "Optimiser",
    "Initial weights",
    "Running",
  ]);
  expect(lines.filter((line) => line.startsWith("*"))).toEqual([
    "* layers             100/50   (default 100)",
    "* loss               bpr-max  (default cross-entropy)",
    "* seed               7        (default 42)",
  ]);
  expect(lines).toContain("  finalAct           elu-0.5");
  expect(lines).toContain("  adaptParams        none");
  expect(lines.filter((line) => /^[* ] /.test(line))).toHaveLength(parameterNames.length);
});

test("describe: the author's default of logq is marked where it is not ours", () => {
  expect(parseConfig({}, "").config.describe()).toMatch(/^\* logq +0 +\(default 1\)$/m);
  expect(parseConfig({}, "loss=top1").config.describe()).toMatch(/^ {2}logq +0$/m);
});

test("a configuration is plain data besides its method", () => {
  const { config } = parseConfig({ layers: [7] });
  expect(Object.keys(config)).toEqual(parameterNames);
  expect({ ...config }).not.toHaveProperty("describe");
  expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  expect(config).toEqual({ ...config });
});

test("every parameter is described: members of a group stand together", () => {
  const groups = parameterNames.map((name) => describeParameter(name).group);
  const changes = groups.filter((group, i) => group !== groups[i - 1]);
  expect(new Set(changes).size).toBe(changes.length);
});

test("describeParameter: everything that help and documentation show", () => {
  expect(describeParameter("batchSize")).toEqual({
    name: "batchSize",
    author: "batch_size",
    group: "Training",
    doc: "Sessions walked in parallel; each is a row of the mini-batch.",
    type: "an integer from 1 to 2147483647",
    default: "64",
    boolean: false,
  });
  expect(describeParameter("adapt").choices).toEqual(["adagrad", "sgd", "rmsprop", "adadelta", "adam"]);
  expect(describeParameter("timeSort").boolean).toBe(true);
  expect(describeParameter("layers").default).toBe("100");
  expect(describeParameter("learningRate").default).toContain("0.05");
});

test.each([
  ["layers", "100/50", [100, 50]],
  ["layers", "", []],
  ["nEpochs", "5", 5],
  ["learningRate", "1e-2", 0.01],
  ["timeSort", "False", false],
  ["timeSort", "1", true],
  ["embedding", "64", 64],
  ["embedding", "shared", "shared"],
  ["loss", "1", "1"],
  ["nEpochs", "0x10", "0x10"],
  ["layers", "100,50", ["100,50"]],
] as const)("parseParameterText: %s %j is %j", (name, text, value) => {
  expect(parseParameterText(name, text)).toEqual(value);
});

test("the README's table is what the schema says", async () => {
  const script = join(__dirname, "..", "..", "scripts", "docs", "parameters.mjs");
  await promisify(execFile)(process.execPath, [script, "--check"]);
});
