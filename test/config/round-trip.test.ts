import fc from "fast-check";
import {
  parameterNames,
  parameterStringSource,
  parseConfig,
  parseSources,
  describeParameter,
  type Hyperparameters,
  type ParameterName,
} from "../../lib/config";
import { authorSource } from "../../lib/config/author-notation";
import { readJsonFile } from "../../lib/config/json-file";
import { readPythonFile } from "../../lib/config/python-file";
import { ourSource } from "../../lib/config/source";
import { Gru4RecError } from "../../lib/errors";

const size = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const positive = fc.double({ min: 0, max: 1e6, minExcluded: true, noNaN: true });
const decimal = fc.integer({ min: 0, max: 999 }).map((thousandths) => thousandths / 1000);
const hidden = fc.oneof(
  fc.constantFrom("linear", "relu", "tanh"),
  decimal.map((alpha) => `elu-${alpha}`),
  fc.tuple(decimal, decimal).map(([lambda, alpha]) => `selu-${lambda}-${alpha}`),
);

/** Any configuration that is right, with any parameters left out. */
const configs = fc
  .record(
    {
      layers: fc.array(size, { minLength: 1, maxLength: 4 }),
      hiddenAct: hidden,
      embedding: fc.oneof(fc.constantFrom("none", "shared", "layersize"), size),
      resetAfter: fc.boolean(),
      dropoutEmbed: share,
      dropoutHidden: share,
      nEpochs: size,
      batchSize: fc.integer({ min: 2, max: 10_000 }),
      timeSort: fc.boolean(),
      trainRandomOrder: fc.boolean(),
      bptt: fc.integer({ min: 1, max: 1000 }),
      loss: fc.constantFrom("bpr", "bpr-max", "top1", "top1-max"),
      finalAct: hidden,
      bpreg: positive,
      smoothing: share,
      nSample: fc.nat(),
      sampleAlpha: positive,
      logq: share,
      sampleStore: fc.nat(),
      learningRate: positive,
      learningRateDecay: positive.map((rate) => Math.min(rate, 1)),
      momentum: share,
      lmbd: positive,
      gradCap: positive,
      sigma: positive,
      initAsNormal: fc.boolean(),
      seed: fc.maxSafeNat(),
      threads: fc.nat(1024),
      device: fc.oneof(
        fc.constantFrom("auto", "cpu", "cuda"),
        fc.nat(9999).map((number) => `cuda:${number}`),
      ),
      precision: fc.constantFrom("auto", "float32", "tf32", "bf16"),
      stepsPerLaunch: fc.oneof(fc.constant("auto"), fc.nat(256)),
      cublasPath: fc.constantFrom("auto", "none", "lib/libcublas.so.13"),
    },
    { requiredKeys: [] },
  )
  .chain((values) =>
    fc
      .oneof(
        fc.constant({}),
        fc.record({ adapt: fc.constant("rmsprop"), adaptParams: share.map((rate) => [rate]) }),
        fc.record({ adapt: fc.constant("adam"), adaptParams: fc.tuple(share, share) }),
      )
      .map((optimiser) => {
        const { finalAct, ...others } = values;
        const whole = others.loss === undefined || finalAct === undefined ? {} : { finalAct };
        return { ...others, ...whole, ...optimiser } as Hyperparameters;
      }),
  );

/** The same in the author's names and his notation of the input layer. */
function toAuthor(config: Hyperparameters): [string, unknown][] {
  const pairs = Object.entries(config).map(([name, value]): [string, unknown] => [
    describeParameter(name as ParameterName).author ?? name,
    value,
  ]);
  if (config.embedding === undefined) return pairs;
  const constrained: [string, unknown] = ["constrained_embedding", config.embedding === "shared"];
  const width = typeof config.embedding === "number" || config.embedding === "layersize";
  return [...pairs.filter(([name]) => width || name !== "embedding"), constrained];
}

const toText = (value: unknown) =>
  Array.isArray(value) ? value.join("/") : typeof value === "boolean" ? (value ? "True" : "False") : String(value);

function toPython(value: unknown, quote: string, tuples: boolean): string {
  if (typeof value === "string") return quote + value + quote;
  if (typeof value === "boolean") return value ? "True" : "False";
  if (!Array.isArray(value)) return String(value);
  const elements = value.map((element) => toPython(element, quote, tuples)).join(", ");
  return tuples ? `(${elements},)` : `[${elements}]`;
}

/** Ways to write the same dict. */
const pythonForms: ((pairs: [string, string][], quote: string, gap: string) => string)[] = [
  (pairs, q, gap) => `OrderedDict([${pairs.map(([name, value]) => `(${q}${name}${q},${gap}${value})`).join(`,${gap}`)}])`,
  (pairs, q, gap) => `collections.OrderedDict((${pairs.map(([name, value]) => `${gap}(${q}${name}${q}, ${value}),`).join("")}))`,
  (pairs, q, gap) => `{${gap}${pairs.map(([name, value]) => `${q}${name}${q}:${gap}${value}`).join(", ")}}`,
  (pairs, _, gap) => `dict(${pairs.map(([name, value]) => `${name}${gap}=${gap}${value},`).join(gap)})`,
]; // prettier-ignore

test("any configuration comes back from the author's parameter string", () => {
  fc.assert(
    fc.property(configs, (config) => {
      const text = toAuthor(config).map(([name, value]) => `${name}=${toText(value)}`).join(","); // prettier-ignore
      expect(parseConfig({}, text).config).toEqual(parseConfig({ logq: 0, ...config }).config);
    }),
  );
});

test("any configuration comes back from an author's parameter file, however it is written", () => {
  const form = fc.constantFrom(...pythonForms);
  const gap = fc.constantFrom("", " ", "\n", "  # comment, ('loss', 5)\n\t", "\r\n\r\n");
  fc.assert(
    fc.property(configs, form, gap, fc.constantFrom("'", '"'), fc.boolean(), (config, write, gap, quote, tuples) => {
      const pairs = toAuthor(config).map(([name, value]): [string, string] => [name, toPython(value, quote, tuples)]);
      const text = `import collections\ngru4rec_params = ${write(pairs, quote, gap)}\n`;
      const { config: read } = parseSources([authorSource(readPythonFile("p.py", text))]);
      expect(read).toEqual(parseConfig({ logq: 0, ...config }).config);
    }),
  );
});

test("any configuration comes back from JSON", () => {
  fc.assert(
    fc.property(configs, fc.constantFrom(undefined, 2), (config, indent) => {
      const { config: read } = parseSources([ourSource(readJsonFile("c.json", JSON.stringify(config, null, indent)))]);
      expect(read).toEqual(parseConfig(config).config);
    }),
  );
});

/** Text that looks enough like the real thing to get past its first character. */
function garbage(...fragments: string[]) {
  const names = parameterNames.map((name) => describeParameter(name).author ?? name);
  const fragment = fc.oneof(fc.constantFrom(...fragments, ...names), fc.string({ unit: "binary", maxLength: 4 }));
  return fc.oneof(
    fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );
}

function refusesOrReads(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Gru4RecError)) throw error;
  }
}

test.each<[string, fc.Arbitrary<string>, (text: string) => unknown]>([
  [
    "parameter string",
    garbage("=", ",", "/", "100", "True", "elu_param", "constrained_embedding", "-0.5", " "),
    (text) => parseSources([parameterStringSource(text)]),
  ],
  [
    "author's file",
    garbage("p", "=", "{", "}", "[", "]", "(", ")", ":", ",", "'", '"', "OrderedDict", "dict", "\n", "1e5", "-", "\\", "import ", "collections", "True"),
    (text) => parseSources([authorSource(readPythonFile("p.py", text))]),
  ],
  ["JSON", garbage("{", "}", "[", "]", ":", ",", '"', "\\u", "//", "/*", "*/", "true", "1e5", "-"), (text) => parseSources([ourSource(readJsonFile("c.json", text))])],
])("no %s makes the parser throw anything but its own error", (_, texts, parse) => {
  fc.assert(fc.property(texts, (text) => refusesOrReads(() => parse(text))), { numRuns: 2000 });
}); // prettier-ignore
