import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SafetensorsFile, writeSafetensors, type WritableTensor } from "../../lib/model/safetensors";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

const folder = temporaryFolder();

const tensors: WritableTensor[] = [
  { name: "ids", dtype: "I64", shape: [3], values: () => BigInt64Array.of(1n, -2n, 2n ** 62n) },
  { name: "weight", dtype: "F32", shape: [2, 3], values: () => Float32Array.of(1, 2.5, -0, NaN, Infinity, 1e-40) },
  { name: "empty", dtype: "F32", shape: [0, 3], values: () => new Float32Array() },
  { name: "counts", dtype: "U32", shape: [1], values: () => Uint32Array.of(2 ** 32 - 1) },
  { name: "bytes", dtype: "U8", shape: [5], values: () => Uint8Array.of(1, 2, 3, 4, 255) },
];
const metadata = { format: "test", text: 'quotes " and é 😀' };

async function write(name: string): Promise<string> {
  const path = folder.path(name);
  await writeSafetensors(path, metadata, tensors);
  return path;
}

async function readAll(path: string): Promise<Record<string, unknown>> {
  const file = await SafetensorsFile.open(path);
  const values: Record<string, unknown> = {};
  try {
    await file.read((tensor, content) => (values[tensor.name] = content));
  } finally {
    await file.close();
  }
  return values;
}

test("what was written comes back, bit by bit", async () => {
  const path = await write("round-trip");
  const values = await readAll(path);
  expect(Object.keys(values)).toEqual(tensors.map(({ name }) => name));
  for (const tensor of tensors) expect(values[tensor.name]).toEqual(tensor.values());
  const file = await SafetensorsFile.open(path);
  expect(file.metadata).toMatchObject(metadata);
  await file.close();
});

test("the file follows the layout rules of safetensors", async () => {
  // An independent reader: 8 bytes length, JSON header, tensors without gaps at multiples of their element size.
  const bytes = readFileSync(await write("layout"));
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<string, never>;
  expect(bytes[8]).toBe("{".charCodeAt(0));
  expect(length % 8).toBe(0);
  const sizes: Record<string, number> = { I64: 8, F32: 4, U32: 4, U8: 1 };
  let end = 0;
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      expect(Object.values(entry).every((value) => typeof value === "string")).toBe(true);
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = entry as { dtype: string; shape: number[]; data_offsets: number[] };
    expect(offsets[0]).toBe(end);
    expect((8 + length + offsets[0]!) % sizes[dtype]!).toBe(0);
    end = offsets[1]!;
    expect(end - offsets[0]!).toBe(shape.reduce((a, b) => a * b, 1) * sizes[dtype]!);
  }
  expect(bytes.length).toBe(8 + length + end);
  const start = 8 + length + (header.weight as unknown as { data_offsets: number[] }).data_offsets[0]!;
  expect(bytes.readFloatLE(start + 4)).toBe(2.5);
});

describe("a damaged file is refused:", () => {
  const damages: [string, (bytes: Buffer, length: number) => Buffer, RegExp][] = [
    ["a changed weight", (bytes) => ((bytes[bytes.length - 12]! ^= 1), bytes), /content is damaged: checksum/],
    [
      "changed metadata",
      (bytes) => Buffer.from(bytes.toString("latin1").replace("quotes", "qu0tes"), "latin1"),
      /checksum/,
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
    ["no checksum", () => withHeader("{}"), /undefined is stated/],
  ];

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
      values: () => {
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
      `Expected to write ${missing} but ENOENT`,
    );
    expect(existsSync(folder.path("missing"))).toBe(false);
    mkdirSync(folder.path("a-folder"));
    const files = readdirSync(folder.path("."));
    await expectFailure(
      () => writeSafetensors(folder.path("a-folder"), metadata, tensors),
      "ERR_FILE",
      "Expected to write",
    );
    expect(readdirSync(folder.path("."))).toEqual(files);
  });

  test("below a file says why", async () => {
    const path = `${folder.write("a-file", "")}/model`;
    await expectFailure(() => writeSafetensors(path, metadata, tensors), "ERR_FILE", "ENOTDIR");
  });
});
