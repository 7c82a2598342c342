import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { SafetensorsFile, writeSafetensors, type TensorValues, type WritableTensor } from "../../lib/files";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

const folder = temporaryFolder();

/** More than the file is read and written by at once. */
const MANY = 1_300_000;

function tensor(name: string, dtype: WritableTensor["dtype"], shape: number[], all: TensorValues): TensorWithValues {
  const read: WritableTensor["read"] = (first, values) =>
    (values as Uint8Array).set(all.subarray(first, first + values.length) as Uint8Array);
  return { name, dtype, shape, all, read };
}
type TensorWithValues = WritableTensor & { all: TensorValues };

const tensors = [
  tensor("ids", "I64", [3], BigInt64Array.of(1n, -2n, 2n ** 62n)),
  tensor("weight", "F32", [2, 3], Float32Array.of(1, 2.5, -0, NaN, Infinity, 1e-40)),
  tensor("empty", "F32", [0, 3], new Float32Array()),
  tensor("counts", "U32", [1], Uint32Array.of(2 ** 32 - 1)),
  tensor("updates", "I32", [2], Int32Array.of(-1, 7)),
  tensor("bytes", "U8", [5], Uint8Array.of(1, 2, 3, 4, 255)),
];
const metadata = { format: "test", text: 'quotes " and é 😀' };

async function write(name: string, content: readonly WritableTensor[] = tensors): Promise<string> {
  const path = folder.path(name);
  await writeSafetensors(path, metadata, content);
  return path;
}

/** All values by the names of their tensors. */
async function readAll(path: string): Promise<Record<string, TensorValues>> {
  const file = await SafetensorsFile.open(path);
  const all: Record<string, TensorValues> = {};
  try {
    file.checkHeader();
    await file.read(({ name, shape }, first, values) => {
      const Values = values.constructor as new (length: number) => TensorValues;
      const whole = (all[name] ??= new Values(shape.reduce((a, b) => a * b, 1)));
      (whole as Uint8Array).set(values as Uint8Array, first);
    });
  } finally {
    await file.close();
  }
  return all;
}

test("what was written comes back, bit by bit", async () => {
  const path = await write("round-trip");
  const values = await readAll(path);
  const filled = tensors.filter(({ all }) => all.length > 0);
  expect(Object.keys(values)).toEqual(filled.map(({ name }) => name));
  for (const { name, all } of filled) expect(values[name]).toEqual(all);
  const file = await SafetensorsFile.open(path);
  expect(file.metadata).toMatchObject(metadata);
  expect(file.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(
    tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
  );
  await file.close();
});

test("tensors of many pieces come back as they were", async () => {
  const large = [
    tensor(
      "wide",
      "I64",
      [MANY],
      BigInt64Array.from({ length: MANY }, (_, i) => BigInt(i * 7)),
    ),
    tensor(
      "table",
      "F32",
      [MANY / 100, 100],
      Float32Array.from({ length: MANY }, (_, i) => i / 3),
    ),
    tensor(
      "text",
      "U8",
      [4 * MANY + 1],
      Uint8Array.from({ length: 4 * MANY + 1 }, (_, i) => i % 251),
    ),
  ];
  const path = await write("large", large);
  const values = await readAll(path);
  for (const { name, all } of large)
    expect(Buffer.compare(Buffer.from(values[name]!.buffer), Buffer.from(all.buffer))).toBe(0);
  const bytes = readFileSync(path);
  bytes[bytes.length - 3 * MANY]! ^= 1;
  writeFileSync(path, bytes);
  await expect(readAll(path)).rejects.toThrow("content is damaged");
});

test("a visitor's error ends the reading", async () => {
  const file = await SafetensorsFile.open(await write("visited"));
  const failing = () => {
    throw new Error("seen enough");
  };
  await expect(file.read(failing)).rejects.toThrow("seen enough");
  await file.close();
});

describe("a damaged file is refused:", () => {
  const damages: [string, (bytes: Buffer, length: number) => Buffer, RegExp][] = [
    [
      "a changed weight",
      (bytes) => ((bytes[bytes.length - 12]! ^= 1), bytes),
      /its content is damaged: its checksum is [0-9a-f]{8} where [0-9a-f]{8} is stated/,
    ],
    [
      "changed metadata",
      (bytes) => Buffer.from(bytes.toString("latin1").replace("quotes", "qu0tes"), "latin1"),
      /its header is damaged: its checksum/,
    ],
    ["a byte too few", (bytes) => bytes.subarray(0, -1), /should have \d+ bytes and has \d+/],
    ["a byte too many", (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]), /should have \d+ bytes and has \d+/],
    [
      "half a header",
      (bytes, length) => bytes.subarray(0, 8 + length / 2),
      /its header claims \d+ bytes of a file of \d+/,
    ],
    ["four bytes", (bytes) => bytes.subarray(0, 4), /it has only 4 bytes/],
    ["nothing", () => Buffer.alloc(0), /it has only 0 bytes/],
    ["a huge header", (bytes) => (bytes.writeBigUInt64LE(2n ** 63n), bytes), /its header claims/],
    ["text", () => Buffer.from("SessionId\tItemId\tTime\n1\t2\t3\n"), /its header claims/],
    ["a header that is no JSON", (bytes) => ((bytes[8] = 0x5b), bytes), /its header is no JSON/],
    ["a header of another shape", () => withHeader("[]"), /its header is no JSON object/],
    [
      "an unknown type",
      () => withHeader('{"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}}', 1),
      /tensor a has no type/,
    ],
    ["no shape", () => withHeader('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1), /tensor a has no shape/],
    ["no offsets", () => withHeader('{"a":{"dtype":"U8","shape":[1]}}', 1), /tensor a has no place/],
    [
      "a gap",
      () => withHeader('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', 2),
      /tensor a does not begin or end/,
    ],
    [
      "a wrong size",
      () => withHeader('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4),
      /tensor a does not/,
    ],
    [
      "tensors that overlap",
      () =>
        withHeader(
          '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
          3,
        ),
      /tensor b does not begin or end/,
    ],
    ["a shape beyond all numbers", () => withHeader(HUGE_SHAPE, 8), /tensor a does not begin or end/],
    ["metadata that is no text", () => withHeader('{"__metadata__":{"a":1}}'), /its metadata is no list of texts/],
    ["no checksum", () => withHeader("{}"), /where none is stated/],
  ];

  const HUGE_SHAPE = '{"a":{"dtype":"U8","shape":[9007199254740991,9007199254740991],"data_offsets":[0,8]}}';

  function withHeader(json: string, dataBytes = 0): Buffer {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, Buffer.from(json), Buffer.alloc(dataBytes)]);
  }

  test.each(damages)("%s", async (name, damage, message) => {
    const path = await write(`damaged ${name}`);
    const bytes = readFileSync(path);
    writeFileSync(path, damage(bytes, Number(bytes.readBigUInt64LE())));
    await expect(readAll(path)).rejects.toThrow(message);
  });

  test("a header of more than 100 MB, without reading it", async () => {
    const path = folder.write("long header", Buffer.from("01e1f50500000000", "hex"));
    truncateSync(path, 200_000_000); // sparse
    await expect(readAll(path)).rejects.toThrow(/its header claims 100000001 bytes, more than/);
  });

  test("cut off at any length", async () => {
    const path = await write("cut");
    const size = readFileSync(path).length;
    for (let length = size - 1; length >= 0; length -= 7) {
      truncateSync(path, length);
      await expect(readAll(path)).rejects.toThrow(/bytes/);
    }
  });
});

describe("a failed write", () => {
  const failing: WritableTensor[] = [
    ...tensors,
    {
      name: "last",
      dtype: "U8",
      shape: [1],
      read: () => {
        throw new Error("no such weight");
      },
    },
  ];

  test("leaves an existing file and nothing half-written", async () => {
    const path = await write("kept");
    const before = readFileSync(path);
    const files = readdirSync(dirname(path));
    await expectFailure(() => writeSafetensors(path, metadata, failing), "ERR_FILE", "no such weight");
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(dirname(path))).toEqual(files);
  });

  test("to a folder that is not there, or to a folder, says why", async () => {
    const missing = folder.path("missing/model");
    await expectFailure(
      () => writeSafetensors(missing, metadata, tensors),
      "ERR_FILE",
      `Expected to write ${missing} but there is no such directory`,
    );
    expect(existsSync(folder.path("missing"))).toBe(false);
    mkdirSync(folder.path("a-folder"));
    const files = readdirSync(folder.path("."));
    await expectFailure(
      () => writeSafetensors(folder.path("a-folder"), metadata, tensors),
      "ERR_FILE",
      "but it is a directory",
    );
    expect(readdirSync(folder.path("."))).toEqual(files);
  });

  test("below a file says why", async () => {
    const path = `${folder.write("a-file", "")}/model`;
    await expectFailure(
      () => writeSafetensors(path, metadata, tensors),
      "ERR_FILE",
      "but a part of its path is no directory",
    );
  });
});

test("a link stays, and the file that it points to is replaced", async () => {
  const path = await write("linked");
  symlinkSync(path, folder.path("link"));
  await writeSafetensors(folder.path("link"), {}, []);
  expect(lstatSync(folder.path("link")).isSymbolicLink()).toBe(true);
  expect(await readAll(path)).toEqual({});
});

const posixTest = process.platform === "win32" ? test.skip : test;
posixTest("a device is never replaced", async () => {
  await expectFailure(() => writeSafetensors("/dev/null", {}, []), "ERR_FILE", "it is no regular file");
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
});

posixTest("a folder that may not be written to stays as it is", async () => {
  const path = folder.path("read-only/model");
  chmodSync(folder.path("."), 0o755);
  mkdirSync(folder.path("read-only"), { mode: 0o555 });
  const root = process.geteuid?.() === 0;
  try {
    if (root) process.seteuid?.(65_534); // root may write everywhere
    await expectFailure(() => writeSafetensors(path, {}, []), "ERR_FILE", "permission is denied");
  } finally {
    if (root) process.seteuid?.(0);
  }
  expect(readdirSync(folder.path("read-only"))).toEqual([]);
});
