import { randomBytes } from "node:crypto";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { Gru4RecError, reason } from "../errors";

// The file: 8 bytes with the header's length, little-endian; the header, JSON padded with spaces; the tensors, one
// after another without gaps. https://huggingface.co/docs/safetensors

const DTYPES = { I64: BigInt64Array, F32: Float32Array, U32: Uint32Array, U8: Uint8Array } as const;
export type Dtype = keyof typeof DTYPES;
export type TensorValues = BigInt64Array | Float32Array | Uint32Array | Uint8Array;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface WritableTensor extends TensorInfo {
  /** Called once, when its turn has come. */
  values(): TensorValues;
}

const LENGTH_BYTES = 8;
/** Tensors begin at multiples of this, as they come in the order of their element size. */
const ALIGNMENT = 8;
/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;
/** Node reads at most 2 GiB at once, and zlib takes at most 4. */
const PIECE_BYTES = 1 << 30;
const NO_CHECKSUM = "00000000";
const CHECKSUM = /("crc32":")[0-9a-f]{8}(")/;

function byteLength({ dtype, shape }: TensorInfo): number {
  return shape.reduce((product, size) => product * size, DTYPES[dtype].BYTES_PER_ELEMENT);
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function encodeHeader(metadata: Readonly<Record<string, string>>, tensors: readonly TensorInfo[]): string {
  let offset = 0;
  const entries = tensors.map((tensor) => {
    const start = offset;
    offset += byteLength(tensor);
    return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, offset] }] as const;
  });
  const header = { __metadata__: { ...metadata, crc32: NO_CHECKSUM }, ...Object.fromEntries(entries) };
  // Escaped, so that characters are bytes.
  const json = JSON.stringify(header).replaceAll(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return json.padEnd(Math.ceil(json.length / ALIGNMENT) * ALIGNMENT, " ");
}

/** CRC-32 of what `checksum` is of, and then `bytes`. Piece by piece: zlib counts in 32 bits and starts anew at a null pointer. */
function extendChecksum(checksum: number, bytes: Uint8Array): number {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES)
    checksum = crc32(bytes.subarray(start, start + PIECE_BYTES), checksum);
  return checksum;
}

function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(NO_CHECKSUM.length, "0");
}

/**
 * Writes a safetensors file: under a temporary name in the same folder, flushed, then renamed. The metadata gets a
 * CRC-32 of the header (with 00000000 in its place) and the tensors.
 * @param tensors - In descending order of their element size.
 * @throws {@link Gru4RecError} `ERR_FILE`; a file at `path` is then what it was before.
 */
export async function writeSafetensors(
  path: string,
  metadata: Readonly<Record<string, string>>,
  tensors: readonly WritableTensor[],
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  const header = encodeHeader(metadata, tensors);
  let checksum = crc32(header);
  try {
    const file = await open(temporary, "wx");
    try {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeBigUInt64LE(BigInt(header.length));
      await file.writeFile(length);
      await file.writeFile(header);
      for (const tensor of tensors) {
        const bytes = bytesOf(tensor.values());
        checksum = extendChecksum(checksum, bytes);
        await file.writeFile(bytes);
      }
      await file.write(header.replace(CHECKSUM, `$1${checksumText(checksum)}$2`), LENGTH_BYTES);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one that matters
    if (error instanceof Gru4RecError) throw error;
    throw new Gru4RecError("ERR_FILE", `Expected to write ${path} but ${reason(error)}`, { cause: error });
  }
}

/** Why a file is no safetensors file, in words that follow "but". */
export class FormatError extends Error {}

/** A safetensors file that is open for reading; its layout has been checked against the file's size. */
export class SafetensorsFile {
  private constructor(
    private readonly file: FileHandle,
    private readonly header: string,
    readonly metadata: Readonly<Record<string, string>>,
    /** In the order of the file. */
    readonly tensors: readonly TensorInfo[],
  ) {}

  /** @throws {@link FormatError} or what the file system throws. */
  static async open(path: string): Promise<SafetensorsFile> {
    const file = await open(path);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new Error(stats.isDirectory() ? "it is a directory" : "it is no regular file");
      if (stats.size < LENGTH_BYTES) throw new FormatError(`it has only ${stats.size} bytes`);
      const length = Number(new DataView(await readBytes(file, LENGTH_BYTES, 0)).getBigUint64(0, true));
      if (length > LONGEST_HEADER || length > stats.size - LENGTH_BYTES)
        throw new FormatError(`its header claims ${length} bytes of a file of ${stats.size}`);
      const header = Buffer.from(await readBytes(file, length, LENGTH_BYTES)).toString("latin1");
      const { metadata, tensors, end } = decodeHeader(header);
      const expectedSize = LENGTH_BYTES + length + end;
      if (expectedSize !== stats.size)
        throw new FormatError(`it should have ${expectedSize} bytes and has ${stats.size}`);
      return new SafetensorsFile(file, header, metadata, tensors);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Reads all tensors, in the order of the file, and checks the checksum at the end.
   * @throws {@link FormatError} when the content is not what was written; what `visit` saw is then worthless.
   */
  async read(visit: (tensor: TensorInfo, values: TensorValues) => void): Promise<void> {
    let checksum = crc32(this.header.replace(CHECKSUM, `$1${NO_CHECKSUM}$2`));
    let position = LENGTH_BYTES + this.header.length;
    for (const tensor of this.tensors) {
      const bytes = await readBytes(this.file, byteLength(tensor), position);
      checksum = extendChecksum(checksum, new Uint8Array(bytes));
      position += bytes.byteLength;
      const Values = DTYPES[tensor.dtype];
      visit(tensor, new Values(bytes));
    }
    const stated = this.metadata.crc32;
    if (stated !== checksumText(checksum))
      throw new FormatError(`its content is damaged: checksum ${checksumText(checksum)} where ${stated} is stated`);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

async function readBytes(file: FileHandle, length: number, position: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, Math.min(length - filled, PIECE_BYTES), position + filled);
    if (bytesRead === 0) throw new FormatError(`it ends ${length - filled} bytes early`);
    filled += bytesRead;
  }
  return bytes.buffer;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decodeHeader(text: string): { metadata: Record<string, string>; tensors: TensorInfo[]; end: number } {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new FormatError("its header is no JSON");
  }
  if (!isObject(header)) throw new FormatError("its header is no JSON object");
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string"))
    throw new FormatError("its metadata is no list of texts");

  const tensors = Object.entries(entries).map(([name, entry]) => decodeEntry(name, entry));
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  let end = 0;
  for (const tensor of tensors) {
    if (tensor.start !== end || tensor.end !== end + byteLength(tensor))
      throw new FormatError(`tensor ${tensor.name} does not begin or end where its shape and its neighbours say`);
    end = tensor.end;
  }
  return { metadata: metadata as Record<string, string>, tensors, end };
}

function decodeEntry(name: string, entry: unknown): TensorInfo & { start: number; end: number } {
  const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : ({} as Record<string, unknown>);
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPES, dtype))
    throw new FormatError(`tensor ${name} has no type of ${Object.keys(DTYPES).join(", ")}`);
  if (!Array.isArray(shape) || !shape.every(isSize)) throw new FormatError(`tensor ${name} has no shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    throw new FormatError(`tensor ${name} has no place in the file`);
  return { name, dtype: dtype as Dtype, shape, start: offsets[0]!, end: offsets[1]! };
}
