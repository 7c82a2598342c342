import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { Gru4Rec, readModelInfo, train, type ItemId, type TrainOptions } from "../../lib";
import { parseConfig, type Hyperparameters } from "../../lib/config";
import { makeIdList, Vocabulary, type IdKind } from "../../lib/data";
import { countParameters } from "../../lib/model/count-parameters";
import { readModelFile, writeModelFile, type ModelContents } from "../../lib/model/model-file";
import { callNative, createModel, trainingSpec, type NativeModel } from "../../lib/native";
import { circleClicks, SMALL } from "../support/clicks";
import { expectFailure, failureOf } from "../support/errors";
import { temporaryFolder } from "../support/files";
import { randomIntegers } from "../support/random";

const folder = temporaryFolder();
const inCi = process.env.CI === "true";

const trained = (options: TrainOptions = {}, data = circleClicks()) =>
  train(data, { ...SMALL, loss: "bpr", ...options });

/** A model that is not trained, with `ids`. */
async function untrained(ids: readonly ItemId[], parameters: Hyperparameters = {}) {
  const kind = typeof ids[0] as IdKind;
  const { config } = parseConfig({ layers: [4], threads: 1, nSample: 4, ...parameters });
  const native = createModel(config, ids.length);
  await native.initialise({ sigma: 0, normal: false, seed: 3 });
  const support = Uint32Array.from(ids, (_, i) => i + 1);
  const vocabulary = new Vocabulary<ItemId>(kind, makeIdList(ids, kind));
  return { native, contents: { config, history: [], epoch: 0, vocabulary, support } satisfies ModelContents };
}

/** Elements of all tensors by name. */
function valuesOf(native: NativeModel): Record<string, Float32Array | Int32Array> {
  const read = ({ name, dtype, rows, cols }: ReturnType<NativeModel["tensors"]>[number]) => {
    const values = new (dtype === "F32" ? Float32Array : Int32Array)(rows * cols);
    callNative(() => native.readTensor(name, 0, values));
    return [name, values] as const;
  };
  return Object.fromEntries(native.tensors().map(read));
}

/** A model file by the rules of safetensors alone: the bytes of each tensor, with its type and shape. */
function readIndependently(path: string) {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const { __metadata__: metadata, ...tensors } = JSON.parse(file.toString("utf8", 8, start)) as {
    __metadata__: Record<string, string>;
  } & Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const sizes: Record<string, number> = { I64: 8, F32: 4, I32: 4, U32: 4, U8: 1 };
  let end = 0;
  for (const { dtype, shape, data_offsets: offsets } of Object.values(tensors)) {
    expect(offsets[0]).toBe(end);
    expect((start + offsets[0]) % sizes[dtype]!).toBe(0);
    end = offsets[0] + shape.reduce((a, b) => a * b, sizes[dtype]!);
    expect(offsets[1]).toBe(end);
  }
  expect(file.length).toBe(start + end);
  const bytesOf = (name: string) => {
    const [first, last] = tensors[name]!.data_offsets;
    return file.subarray(start + first, start + last);
  };
  return { metadata, tensors, bytesOf };
}

/** A header with other text in it, and the checksum that belongs to it. */
function withHeader(file: Buffer, change: (header: string) => string): Buffer {
  const start = 8 + Number(file.readBigUInt64LE());
  const changed = change(file.toString("latin1", 8, start));
  const unsigned = changed.replace(/("header_crc32":")[0-9a-f]{8}/, "$100000000");
  const checksum = crc32(unsigned).toString(16).padStart(8, "0");
  const header = Buffer.from(unsigned.replace(/("header_crc32":")0{8}/, `$1${checksum}`));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, file.subarray(start)]);
}

describe("a saved model", () => {
  const kinds: [string, (item: number) => ItemId][] = [
    ["numbers", (item) => (item - 7) * 1_000_003],
    ["bigints", (item) => BigInt(item) + 2n ** 62n],
    ["text", (item) => `“é日😀" \n${"x".repeat(item % 3)}${item}`],
  ];
  test.each(kinds)("gives the same bits when loaded, with %s for ids", async (name, idOf) => {
    const original = await trained(
      { loss: "cross-entropy", layers: [12, 9], embedding: 6, resetAfter: true },
      circleClicks({ idOf }),
    );
    const path = folder.path(`model of ${name}`);
    await original.save(path);
    const loaded = await Gru4Rec.load(path, { threads: 1 });
    expect(loaded.itemIds()).toEqual(original.itemIds());
    expect(loaded.config).toEqual(original.config);
    expect(loaded.config.describe()).toBe(original.config.describe());
    expect(loaded.history).toEqual(original.history);
    expect(loaded.epoch).toBe(SMALL.nEpochs);
    const sessions = [[idOf(1), idOf(2)], [], [idOf(9)]];
    expect(await loaded.predict(sessions)).toEqual(await original.predict(sessions));
    expect(await loaded.recommend([...sessions, ["?"]])).toEqual(await original.recommend([...sessions, ["?"]]));
    await loaded.save(folder.path("again"));
    expect(readFileSync(folder.path("again"))).toEqual(readFileSync(path));
    original.dispose();
    loaded.dispose();
  });

  test("computes where the options say, and wrong options are named", async () => {
    const { native, contents } = await untrained([1, 2]);
    const path = folder.path("options");
    await writeModelFile(path, native, contents);
    const loaded = await readModelFile(path, { threads: 2 });
    expect(loaded.contents.config).toEqual({ ...contents.config, threads: 2, device: "auto" });
    await expectFailure(() => readModelFile(path, { threads: -1 }), "ERR_CONFIG", "Expected threads to be");
    loaded.native.dispose();
    native.dispose();
  });

  test("keeps the optimiser's state unless told not to", async () => {
    const { native, contents } = await untrained([1, 2, 3], { adapt: "adam", learningRate: 0.01 });
    native.allocateOptimiser(trainingSpec(contents.config));
    const random = randomIntegers(4);
    for (const { name, dtype, rows, cols } of native.tensors().filter(({ name }) => name.startsWith("optimiser."))) {
      const Values = dtype === "F32" ? Float32Array : Int32Array;
      native.writeTensor(name, 0, Values.from(Array.from({ length: rows * cols }, () => random(1_000))));
    }
    const path = folder.path("with state");
    await writeModelFile(path, native, contents);
    const loaded = await readModelFile(path, {});
    expect(valuesOf(loaded.native)).toEqual(valuesOf(native));
    expect(Object.keys(valuesOf(native)).some((name) => name.startsWith("optimiser.updates"))).toBe(true);
    expect((await readModelInfo(path)).optimiserState).toBe(true);

    await writeModelFile(path, native, contents, { optimiserState: false });
    const without = await readModelFile(path, {});
    expect(without.native.tensors().filter(({ name }) => name.startsWith("optimiser."))).toEqual([]);
    expect((await readModelInfo(path)).optimiserState).toBe(false);
    for (const model of [native, loaded.native, without.native]) model.dispose();
  });

  test("keeps the history, with validation where there was one", async () => {
    const { native, contents } = await untrained([1, 2]);
    const report = { loss: -0.5, steps: 10, events: 100, seconds: 0.25, learningRate: 0.05 };
    const validation = { recall: { 20: 0.5 }, mrr: { 20: 0.25 }, targets: 30, seconds: 1 };
    const history = [
      { epoch: 1, ...report, validation },
      { epoch: 2, ...report },
    ];
    const path = folder.path("history");
    await writeModelFile(path, native, { ...contents, history, epoch: 1 });
    const loaded = await readModelFile(path, {});
    expect(loaded.contents).toMatchObject({ history, epoch: 1 });
    loaded.native.dispose();
    native.dispose();
  });

  test("replaces an existing file whole, and a failed save leaves nothing", async () => {
    const model = await trained();
    const path = folder.write("existing", "old");
    await model.save(path);
    (await Gru4Rec.load(path)).dispose();
    const files = readdirSync(folder.path("."));
    await expectFailure(() => model.save(folder.path("missing/model")), "ERR_FILE", "there is no such directory");
    await expectFailure(() => model.save(folder.path(".")), "ERR_FILE", "it is a directory");
    await expectFailure(() => model.save(5 as never), "ERR_ARGUMENT", "Expected path to be the path of a file");
    expect(readdirSync(folder.path("."))).toEqual(files);
    model.dispose();
  });

  /** Whether a file system of its own size can be made here: only root may mount. */
  const mounted = folder.path("small-disk");
  mkdirSync(mounted);
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "gru4rec-test", mounted]).status === 0;
  if (mount) afterAll(() => execFileSync("umount", [mounted]));
  (mount || inCi ? test : test.skip)("that does not fit on the disk leaves what was there", async () => {
    expect(mount).toBe(true);
    const path = join(mounted, "model");
    const small = await untrained([1, 2]);
    await writeModelFile(path, small.native, small.contents);
    const before = readFileSync(path);
    const large = await untrained(Array.from({ length: 100_000 }, (_, i) => i));
    const save = () => writeModelFile(path, large.native, large.contents);
    await expectFailure(save, "ERR_FILE", `Expected to write ${path} but no space is left on the disk`);
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(mounted)).toEqual(["model"]);
    small.native.dispose();
    large.native.dispose();
  });
});

describe("readable by others:", () => {
  test("a reader of safetensors finds weights, support and vocabulary", async () => {
    const ids = ["z", "日本", "a-b", "😀"];
    const { native, contents } = await untrained(ids, { layers: [4, 3], embedding: "layersize" });
    const path = folder.path("for others");
    await writeModelFile(path, native, contents);
    const { metadata, tensors, bytesOf } = readIndependently(path);
    expect(metadata).toMatchObject({ format: "gru4rec", format_version: "1", item_kind: "string", items: "4" });
    for (const [name, values] of Object.entries(valuesOf(native)))
      expect(bytesOf(name)).toEqual(Buffer.from(values.buffer));
    expect(tensors["output.weight"]).toMatchObject({ dtype: "F32", shape: [4, 3] });
    expect(bytesOf("support").readUInt32LE(8)).toBe(3);
    const [offsets, text] = [bytesOf("vocabulary.offsets"), bytesOf("vocabulary.bytes")];
    const at = (i: number) => Number(offsets.readBigInt64LE(8 * i));
    expect(ids.map((_, i) => text.toString("utf8", at(i), at(i + 1)))).toEqual(ids);
    native.dispose();
  });

  test.each<[string, ItemId[]]>([
    ["numbers", [0, -1, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -(2 ** 31), 2 ** 31]],
    ["bigints", [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]],
  ])("%s are 64-bit integers", async (_, ids) => {
    const { native, contents } = await untrained(ids);
    const path = folder.path("integers");
    await writeModelFile(path, native, contents);
    const bytes = readIndependently(path).bytesOf("vocabulary.ids");
    expect(ids.map((_, i) => bytes.readBigInt64LE(8 * i))).toEqual(ids.map(BigInt));
    native.dispose();
  });

  const python = spawnSync("python3", ["--version"]).status === 0;
  (python || inCi ? test : test.skip)("Python's standard library agrees, and sees damage", async () => {
    const script = join(__dirname, "../../scripts/check-model-file.py");
    const check = (path: string) => spawnSync("python3", [script, path], { encoding: "utf8" });
    const { native, contents } = await untrained(["é", "b", "日"]);
    const path = folder.path("for python");
    await writeModelFile(path, native, contents);
    native.dispose();
    expect(check(path)).toMatchObject({ status: 0, stderr: "" });
    expect(check(path).stdout).toMatch(/^output\.weight +F32 +\[3, 4\] at \d+$/m);
    const bytes = readFileSync(path);
    const damaged = (content: Buffer) => check(folder.write("damaged for python", content));
    const flipped = Buffer.from(bytes);
    flipped[bytes.length - 30]! ^= 1;
    expect(damaged(flipped)).toMatchObject({ status: 1, stderr: expect.stringContaining("of the tensors") as string });
    const renamed = Buffer.from(bytes.toString("latin1").replace('"items":"3"', '"items":"4"'), "latin1");
    expect(damaged(renamed)).toMatchObject({ status: 1, stderr: expect.stringContaining("of the header") as string });
    expect(damaged(bytes.subarray(0, -1)).stderr).toContain("where the tensors end at");
    expect(damaged(Buffer.from("SessionId\tItemId\tTime\n")).status).toBe(1);
    expect(check(folder.path("nowhere")).status).toBe(1);
  });
});

describe("readModelInfo", () => {
  test("tells what is in the file", async () => {
    const model = await trained({ layers: [12, 9], embedding: 6 });
    const path = folder.path("info");
    await model.save(path);
    const info = await readModelInfo(path);
    const { config, history } = model;
    const { version } = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as { version: string };
    expect(info).toMatchObject({ path, formatVersion: 1, packageVersion: version, items: 30, itemKind: "number" });
    expect(info).toMatchObject({ config, history, epoch: 3, optimiserState: false, bytes: readFileSync(path).length });
    expect(info.parameters).toBe(countParameters(config, 30));
    expect(info.tensors).toContainEqual({ name: "output.weight", dtype: "F32", shape: [30, 9] });
    model.dispose();
  });

  test("reads the header only, and refuses a damaged one", async () => {
    const { native, contents } = await untrained([1, 2, 3]);
    const path = folder.path("damaged info");
    await writeModelFile(path, native, contents);
    native.dispose();
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    expect((await readModelInfo(path)).items).toBe(3);
    bytes[bytes.indexOf("number")]! ^= 1;
    writeFileSync(path, bytes);
    await expectFailure(() => readModelInfo(path), "ERR_MODEL_FILE", "its header is damaged");
    await expectFailure(() => readModelInfo(folder.path("none")), "ERR_FILE", "there is no such file");
  });
});

test.each<Hyperparameters>([
  {},
  { layers: [5, 3, 4] },
  { layers: [5, 3], resetAfter: true },
  { layers: [5, 3], embedding: "none" },
  { layers: [5, 3], embedding: "layersize", resetAfter: true },
  { layers: [5, 3], embedding: 7 },
])("the number of parameters is known before a model is made: %j", (parameters) => {
  const { config } = parseConfig({ threads: 1, ...parameters });
  const native = createModel(config, 11);
  const sum = native.tensors().reduce((total, { rows, cols }) => total + rows * cols, 0);
  expect(countParameters(config, 11)).toBe(sum);
  native.dispose();
});

describe("what is no model file is refused:", () => {
  let bytes: Buffer;
  let textBytes: Buffer;
  beforeAll(async () => {
    const history = [{ epoch: 1, loss: 0.5, steps: 1, events: 2, seconds: 3, learningRate: 0.1 }];
    const saved = async (ids: readonly ItemId[]) => {
      const { native, contents } = await untrained(ids);
      await writeModelFile(folder.path("whole"), native, { ...contents, history, epoch: 1 });
      native.dispose();
      return readFileSync(folder.path("whole"));
    };
    bytes = await saved([3, 1, 2]);
    textBytes = await saved(["日", "b", "c"]);
  });

  async function refuses(content: Buffer, message: string | RegExp): Promise<void> {
    const path = folder.write("refused", content);
    await expectFailure(() => Gru4Rec.load(path), "ERR_MODEL_FILE", message);
  }

  test.each<[string, string | RegExp, string, string | RegExp]>([
    ["another format", '"format":"gru4rec"', '"format":"another"', "its metadata does not say that it is one"],
    [
      "a newer version",
      '"format_version":"1"',
      '"format_version":"2"',
      "its format version is 2 and this package reads 1; install a newer gru4rec",
    ],
    ["an unknown version", '"format_version":"1"', '"format_version":"x"', /its format version is x and .* reads 1$/],
    ["another number of items", '"items":"3"', '"items":"4"', "tensor vocabulary.ids is I64 [3] where I64 [4] belongs"],
    ["a negative number of items", '"items":"3"', '"items":"-3"', "its number of items is -3"],
    ["another kind of ids", '"item_kind":"number"', '"item_kind":"string"', "it has no tensor vocabulary.offsets"],
    ["an unknown kind of ids", '"item_kind":"number"', '"item_kind":"colour"', "its kind of item ids is colour"],
    ["a configuration of another size", "[4]", "[40000000]", /it holds 123 parameters where its configuration has \d+/],
    ["a wrong parameter", "cross-entropy", "cr0ss-entropy", "its configuration cannot be read: Expected loss"],
    ["an epoch that is none", '"epoch":"1"', '"epoch":"2"', "its weights are of epoch 2 of 1"],
    ["no epoch", '"epoch":"1"', '"e":"1"', "its weights are of epoch undefined of 1"],
    ["no support", '"support":', '"suppers":', "it has no tensor support"],
    ["a tensor of another name", '"output.bias"', '"output.b"', "it has no tensor output.bias"],
    [
      "a history that is no list",
      /\[\{\\"epoch.*?\}\]/,
      "{}",
      "its history cannot be read: Expected history to be a list",
    ],
    [
      "a report without a loss",
      '\\"loss\\":0.5',
      '\\"lost\\":0.5',
      "Expected history[0].loss to be a number but received",
    ],
    ["a report of no epoch", '\\"epoch\\":1', '\\"epoch\\":0', "Expected history[0].epoch to be an integer above 0"],
    [
      "a validation without targets",
      '\\"learningRate\\":0.1}',
      '\\"learningRate\\":0.1,\\"validation\\":{\\"seconds\\":1}}',
      "Expected history[0].validation.targets to be a number but received undefined",
    ],
    [
      "a validation of other metrics",
      '\\"learningRate\\":0.1}',
      '\\"learningRate\\":0.1,\\"validation\\":{\\"targets\\":1,\\"seconds\\":1,\\"recall\\":{\\"5\\":\\"x\\"}}}',
      'Expected history[0].validation.recall.5 to be a number but received "x" (string)',
    ],
  ])("%s", async (_, from, to, message) => {
    const changed = withHeader(bytes, (header) => header.replace(from, to));
    expect(changed).not.toEqual(bytes);
    await refuses(changed, message);
  });

  test("a tensor too many", async () => {
    const { length } = bytes;
    const start = 8 + Number(bytes.readBigUInt64LE());
    const entry = `,"more":{"dtype":"U8","shape":[0],"data_offsets":[${length - start},${length - start}]}}`;
    await refuses(
      withHeader(bytes, (header) => header.trimEnd().slice(0, -1) + entry),
      "it has a tensor more, which does not belong there",
    );
  });

  /** With other content, and the checksum that belongs to it. */
  function withContent(file: Buffer, change: (content: Buffer) => void): Buffer {
    const changed = Buffer.from(file);
    const content = changed.subarray(8 + Number(file.readBigUInt64LE()));
    change(content);
    const checksum = crc32(content).toString(16).padStart(8, "0");
    return withHeader(changed, (header) => header.replace(/("crc32":")[0-9a-f]{8}/, `$1${checksum}`));
  }

  test("ids that cannot be", async () => {
    const beyond = withContent(bytes, (content) => content.writeBigInt64LE(2n ** 53n));
    await refuses(beyond, "its item ids are beyond the safe integers");
    const noText = withContent(textBytes, (content) => content.writeUInt8(0xff, content.length - 1));
    await refuses(noText, "its item ids are no UTF-8 text");
    for (const [place, offset] of [
      [0, 1n], // does not begin at 0
      [1, 1n], // inside a character
      [1, 4n], // an empty id
      [2, 2n], // descends
      [2, 2n ** 40n],
      [3, 6n], // beyond the text
    ] as const) {
      const wrong = withContent(textBytes, (content) => content.writeBigInt64LE(offset, 8 * place));
      await refuses(wrong, "the offsets of its item ids do not fit their text");
    }
  });

  test("a flipped bit, a file cut off, another file", async () => {
    const flipped = Buffer.from(bytes);
    flipped[bytes.length - 20]! ^= 4;
    await refuses(flipped, "its content is damaged: its checksum");
    const edited = Buffer.from(bytes.toString("latin1").replace('"items":"3"', '"items":"7"'), "latin1");
    await refuses(edited, "its header is damaged: its checksum");
    await refuses(bytes.subarray(0, -5), `Expected ${folder.path("refused")} to be a gru4rec model file but it should`);
    await refuses(Buffer.from("SessionId\tItemId\tTime\n"), "its header claims");
    await refuses(Buffer.alloc(0), "it has only 0 bytes");
  });

  test("what is not there, or a folder, cannot be read", async () => {
    await expectFailure(() => Gru4Rec.load(folder.path("none")), "ERR_FILE", "there is no such file");
    await expectFailure(() => Gru4Rec.load(folder.path(".")), "ERR_FILE", "it is a directory");
    await expectFailure(() => Gru4Rec.load(undefined as never), "ERR_ARGUMENT", "Expected path to be the path of");
  });

  test("any bit flipped and any end cut off", async () => {
    const path = folder.path("any damage");
    const damage = fc.tuple(fc.boolean(), fc.nat(), fc.integer({ min: 0, max: 7 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(damage, async ([text, place, bit, cut]) => {
        const content = Buffer.from(text ? textBytes : bytes);
        const position = place % content.length;
        content[position]! ^= 1 << bit;
        writeFileSync(path, content);
        if (cut) truncateSync(path, position);
        expect((await failureOf(() => Gru4Rec.load(path))).code).toBe("ERR_MODEL_FILE");
        await readModelInfo(path).catch((error: unknown) => expect(error).toMatchObject({ code: "ERR_MODEL_FILE" }));
      }),
      { numRuns: 400 },
    );
  });
});

describe("ids come back as they went in:", () => {
  const safe = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -(2 ** 53) + 1, 2 ** 53 - 1, -1, 2 ** 32));
  const [smallest, largest] = [-(2n ** 63n), 2n ** 63n - 1n];
  const int64 = fc.oneof(fc.bigInt({ min: smallest, max: largest }), fc.constantFrom(smallest, largest, 0n));
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
  test.each<[string, fc.Arbitrary<ItemId>]>([
    ["numbers", safe],
    ["bigints", int64],
    ["text", text],
  ])("%s", async (name, id) => {
    const path = folder.path(`ids ${name}`);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(id, { minLength: 2, maxLength: 40 }), async (ids) => {
        const { native, contents } = await untrained(ids);
        await writeModelFile(path, native, contents);
        const loaded = await readModelFile(path, {});
        const { vocabulary, support } = loaded.contents;
        expect(Array.from(vocabulary.ids as ArrayLike<ItemId>)).toEqual(ids);
        expect(ids.map((one) => vocabulary.indexOf(one))).toEqual(ids.map((_, i) => i));
        expect(support).toEqual(contents.support);
        expect(valuesOf(loaded.native)).toEqual(valuesOf(native));
        loaded.native.dispose();
        native.dispose();
      }),
      { numRuns: 40 },
    );
  });
});
