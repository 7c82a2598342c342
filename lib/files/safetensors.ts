import { open, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { replaceFile } from "./replace-file";

// The file: 8 bytes with the header's length, little-endian; the header, JSON padded with spaces; the tensors, one
// after another without gaps. https://huggingface.co/docs/safetensors
// The metadata has two CRC-32 of our own: `crc32` of the tensors, and `header_crc32` of the header with 00000000 in the
// place of this one. So a header can be trusted before its tensors are read.

const DTYPES = {
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const;
export type Dtype = keyof typeof DTYPES;
export type TensorValues = BigInt64Array | Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface WritableTensor extends TensorInfo {
  /** Fills `values`, of the tensor's type, with its elements from `first` on, row-major. Called in the order of these. */
  read(first: number, values: TensorValues): void;
}

const LENGTH_BYTES = 8;
/** Tensors begin at multiples of this, as they come in the order of their element size. */
const ALIGNMENT = 8;
/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;
/** Read or written at once: large beside the cost of starting a read, small beside the caches. */
const PIECE_BYTES = 1 << 21;
/** Pieces that are read or looked at side by side. */
const AHEAD = 3;
const NO_CHECKSUM = "00000000";
const CHECKSUM = /("crc32":")[0-9a-f]{8}(")/;
const HEADER_CHECKSUM = /("header_crc32":")[0-9a-f]{8}(")/;

function elementsOf({ shape }: TensorInfo): number {
  return shape.reduce((product, size) => product * size, 1);
}

function byteLength(tensor: TensorInfo): number {
  return elementsOf(tensor) * DTYPES[tensor.dtype].BYTES_PER_ELEMENT;
}

/** `count` elements of a type at the beginning of `memory`. */
function viewOf(dtype: Dtype, memory: ArrayBuffer, count: number): TensorValues {
  return new DTYPES[dtype](memory, 0, count);
}

function bytesOf(values: TensorValues): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Elements of one tensor that are read or written at once. */
interface Piece<Tensor> {
  readonly tensor: Tensor;
  /** Its first element. */
  readonly first: number;
  readonly count: number;
  /** Where it begins in the file. */
  readonly position: number;
}

/** The pieces of tensors that stand one after another from `position` on. */
function* piecesOf<Tensor extends TensorInfo>(
  tensors: readonly Tensor[],
  position: number,
): Generator<Piece<Tensor>, undefined> {
  for (const tensor of tensors) {
    const elementBytes = DTYPES[tensor.dtype].BYTES_PER_ELEMENT;
    const elements = elementsOf(tensor);
    for (let first = 0; first < elements; first += PIECE_BYTES / elementBytes) {
      const count = Math.min(elements - first, PIECE_BYTES / elementBytes);
      yield { tensor, first, count, position };
      position += count * elementBytes;
    }
  }
}

/** Memory for a piece. */
function newBuffer(tensors: readonly TensorInfo[]): ArrayBuffer {
  const largest = tensors.reduce((most, tensor) => Math.max(most, byteLength(tensor)), 0);
  return new ArrayBuffer(Math.min(PIECE_BYTES, largest));
}

function encodeHeader(metadata: Readonly<Record<string, string>>, tensors: readonly TensorInfo[]): string {
  let offset = 0;
  const entries = tensors.map((tensor) => {
    const start = offset;
    offset += byteLength(tensor);
    return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, offset] }] as const;
  });
  const checksums = { crc32: NO_CHECKSUM, header_crc32: NO_CHECKSUM };
  const header = { __metadata__: { ...metadata, ...checksums }, ...Object.fromEntries(entries) };
  // Escaped, so that characters are bytes.
  const json = JSON.stringify(header).replaceAll(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return json.padEnd(Math.ceil(json.length / ALIGNMENT) * ALIGNMENT, " ");
}

function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(NO_CHECKSUM.length, "0");
}

/** CRC-32 of a header, whatever checksum of itself it states. */
function headerChecksum(header: string): string {
  return checksumText(crc32(Buffer.from(header.replace(HEADER_CHECKSUM, `$1${NO_CHECKSUM}$2`), "latin1")));
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length)
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
}

/**
 * Writes a safetensors file, whole or not at all, in pieces.
 * @param tensors - In descending order of their element size.
 * @throws As {@link replaceFile} does.
 */
export async function writeSafetensors(
  path: string,
  metadata: Readonly<Record<string, string>>,
  tensors: readonly WritableTensor[],
): Promise<void> {
  await replaceFile(path, (file) => writeSafetensorsTo(file, metadata, tensors));
}

/** As {@link writeSafetensors}, to an empty file that is open. @throws What the file system throws. */
export async function writeSafetensorsTo(
  file: FileHandle,
  metadata: Readonly<Record<string, string>>,
  tensors: readonly WritableTensor[],
): Promise<void> {
  const header = encodeHeader(metadata, tensors);
  let [buffer, other] = [newBuffer(tensors), newBuffer(tensors)]; // one is filled while the system writes the other
  let checksum = 0;
  let writing = Promise.resolve();
  for (const { tensor, first, count, position } of piecesOf(tensors, LENGTH_BYTES + header.length)) {
    const values = viewOf(tensor.dtype, buffer, count);
    tensor.read(first, values);
    checksum = crc32(bytesOf(values), checksum);
    await writing;
    writing = writeAll(file, bytesOf(values), position);
    writing.catch(() => undefined); // awaited in the next round, if that is reached
    [buffer, other] = [other, buffer];
  }
  await writing;

  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(header.length));
  const text = header.replace(CHECKSUM, `$1${checksumText(checksum)}$2`);
  const signed = text.replace(HEADER_CHECKSUM, `$1${headerChecksum(text)}$2`);
  await writeAll(file, Buffer.concat([length, Buffer.from(signed, "latin1")]), 0);
}

/**
 * Is given elements of a tensor from `first` on; the memory of `values` is used again after the call.
 */
type Visitor = (tensor: TensorInfo, first: number, values: TensorValues) => void;

/** Why a file is no safetensors file, in words that follow "but". */
export class FormatError extends Error {}

/** A safetensors file that is open for reading; its layout has been checked against the file's size. */
export class SafetensorsFile {
  private constructor(
    private readonly file: FileHandle,
    private readonly header: string,
    /** Bytes of the whole file. */
    readonly size: number,
    /** When the file was written to, in ns since 1970. */
    readonly modified: bigint,
    readonly metadata: Readonly<Record<string, string>>,
    /** In the order of the file. */
    readonly tensors: readonly TensorInfo[],
  ) {}

  /** @throws {@link FormatError} or what the file system throws. */
  static async open(path: string): Promise<SafetensorsFile> {
    const file = await open(path);
    try {
      const stats = await file.stat({ bigint: true });
      if (!stats.isFile()) throw new Error(stats.isDirectory() ? "it is a directory" : "it is no regular file");
      const size = Number(stats.size);
      if (size < LENGTH_BYTES) throw new FormatError(`it has only ${size} bytes`);
      const start = Buffer.alloc(LENGTH_BYTES);
      await readAll(file, start, 0);
      const length = Number(start.readBigUInt64LE());
      if (length > size - LENGTH_BYTES) throw new FormatError(`its header claims ${length} bytes of a file of ${size}`);
      if (length > LONGEST_HEADER)
        throw new FormatError(`its header claims ${length} bytes, more than the ${LONGEST_HEADER} of the format`);
      const bytes = Buffer.alloc(length);
      await readAll(file, bytes, LENGTH_BYTES);
      const { metadata, tensors, end } = decodeHeader(bytes.toString());
      const expectedSize = LENGTH_BYTES + length + end;
      if (expectedSize !== size) throw new FormatError(`it should have ${expectedSize} bytes and has ${size}`);
      return new SafetensorsFile(file, bytes.toString("latin1"), size, stats.mtimeNs, metadata, tensors);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** @throws {@link FormatError} when the header is not what was written. */
  checkHeader(): void {
    checkChecksum("header", headerChecksum(this.header), this.metadata.header_crc32);
  }

  /**
   * Reads all tensors in pieces, in the order of the file, and checks their checksum at the end.
   * @param into - By their names, where tensors of their types and sizes are read to; `visit` sees them there.
   * @throws {@link FormatError} when the content is not what was written; what was read is then worthless.
   */
  async read(visit: Visitor, into: Readonly<Record<string, TensorValues>> = {}): Promise<void> {
    let checksum = 0;
    const check: Visitor = (tensor, first, values) => {
      checksum = crc32(bytesOf(values), checksum);
      visit(tensor, first, values);
    };
    await this.readPieces(this.pieces(), check, into);
    checkChecksum("content", checksumText(checksum), this.metadata.crc32);
  }

  /** Reads some tensors as {@link read} does, but without a look at their checksum. */
  async readTensors(names: readonly string[], visit: Visitor): Promise<void> {
    await this.readPieces(
      this.pieces().filter(({ tensor }) => names.includes(tensor.name)),
      visit,
      {},
    );
  }

  /** Byte of the file at which a tensor begins, which has an element at least. */
  positionOf(name: string): number {
    return this.pieces().find(({ tensor }) => tensor.name === name)!.position;
  }

  private pieces(): Piece<TensorInfo>[] {
    return [...piecesOf(this.tensors, LENGTH_BYTES + this.header.length)];
  }

  private async readPieces(
    pieces: readonly Piece<TensorInfo>[],
    visit: Visitor,
    into: Readonly<Record<string, TensorValues>>,
  ): Promise<void> {
    const buffers = Array.from({ length: AHEAD }, () => newBuffer(this.tensors));
    const reading = buffers.map((buffer, i) => this.startReading(pieces[i], buffer, into));
    for (const [i, { tensor, first }] of pieces.entries()) {
      const { values, done } = reading[i % AHEAD]!;
      await done;
      visit(tensor, first, values);
      reading[i % AHEAD] = this.startReading(pieces[i + AHEAD], buffers[i % AHEAD]!, into);
    }
  }

  private startReading(
    piece: Piece<TensorInfo> | undefined,
    buffer: ArrayBuffer,
    into: Readonly<Record<string, TensorValues>>,
  ) {
    if (piece === undefined) return undefined;
    const { tensor, first, count, position } = piece;
    const values = into[tensor.name]?.subarray(first, first + count) ?? viewOf(tensor.dtype, buffer, count);
    const done = readAll(this.file, bytesOf(values), position);
    done.catch(() => undefined); // awaited when it is its turn, if that is reached
    return { values, done };
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function checkChecksum(what: string, found: string, stated = "none"): void {
  if (found !== stated)
    throw new FormatError(`its ${what} is damaged: its checksum is ${found} where ${stated} is stated`);
}

async function readAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position + filled);
    if (bytesRead === 0) throw new FormatError(`it ends ${bytes.length - filled} bytes early`);
    filled += bytesRead;
  }
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
