import { isUtf8 } from "node:buffer";
import { FormatError, type ExpectedTensor, type TensorInfo, type TensorValues, type WritableTensor } from "../files";
import type { IdKind } from "./ids";
import { PackedText } from "./packed-text";
import { Vocabulary } from "./vocabulary";

// Numbers and 64-bit integers are I64 [items]; text is its UTF-8 bytes end to end and where each begins, I64 [items + 1].
const IDS = "vocabulary.ids";
const TEXT_OFFSETS = "vocabulary.offsets";
const TEXT_BYTES = "vocabulary.bytes";

const HIGH_WORD = 2 ** 32;
/** The top bits of a byte that goes on with a character. */
const CONTINUATION = 0b10;

/** The tensors that a vocabulary is; bytes have a length of their own. */
export function vocabularyLayout(kind: IdKind, items: number): ExpectedTensor[] {
  if (kind !== "string") return [{ name: IDS, dtype: "I64", shape: [items] }];
  return [
    { name: TEXT_OFFSETS, dtype: "I64", shape: [items + 1] },
    { name: TEXT_BYTES, dtype: "U8" },
  ];
}

/** The vocabulary's tensors; those of eight bytes an element and the others. */
export function vocabularyTensors(vocabulary: Vocabulary): { wide: WritableTensor[]; bytes: WritableTensor[] } {
  const { kind, size } = vocabulary;
  if (kind !== "string") {
    const { ids } = vocabulary;
    const read = ids instanceof BigInt64Array ? copyFrom(ids) : asInt64(ids as ArrayLike<number>);
    return { wide: [{ name: IDS, dtype: "I64", shape: [size], read }], bytes: [] };
  }
  const { offsets, bytes } = vocabulary.packedIds();
  return {
    wide: [{ name: TEXT_OFFSETS, dtype: "I64", shape: [size + 1], read: asInt64(offsets) }],
    bytes: [{ name: TEXT_BYTES, dtype: "U8", shape: [bytes.length], read: copyFrom(bytes) }],
  };
}

/** Reads elements of `array`, which has the type of the tensor. */
export function copyFrom(array: TensorValues): WritableTensor["read"] {
  return (first, values) => (values as Uint8Array).set(array.subarray(first, first + values.length) as Uint8Array);
}

/** The two 32-bit words of each: a BigInt for each is slow. */
function wordsOf(values: TensorValues): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength / 4);
}

/** Writes numbers as 64-bit integers. */
export function asInt64(numbers: ArrayLike<number>): WritableTensor["read"] {
  return (first, values) => {
    const words = wordsOf(values);
    for (let i = 0; i < values.length; ++i) {
      const number = numbers[first + i]!;
      words[2 * i] = number; // modulo 2^32
      words[2 * i + 1] = Math.floor(number / HIGH_WORD);
    }
  };
}

/** Sets the elements of `integers` from `first` on to the 64-bit integers `values`. */
export function fromInt64(values: TensorValues, integers: BigInt64Array | Float64Array, first: number): void {
  if (integers instanceof BigInt64Array) integers.set(values as BigInt64Array, first);
  else {
    const words = wordsOf(values);
    for (let i = 0; i < values.length; ++i) integers[first + i] = words[2 * i + 1]! * HIGH_WORD + (words[2 * i]! >>> 0);
  }
}

/** Collects a vocabulary from pieces of its tensors. */
export class VocabularyReader {
  readonly #kind: IdKind;
  /** Ids, or the offsets of text. */
  readonly #integers: BigInt64Array | Float64Array;
  readonly #bytes: Uint8Array;

  /** @param tensors - Those of the file. */
  constructor(kind: IdKind, items: number, tensors: readonly TensorInfo[]) {
    this.#kind = kind;
    this.#integers =
      kind === "bigint" ? new BigInt64Array(items) : new Float64Array(kind === "string" ? items + 1 : items);
    this.#bytes = new Uint8Array(tensors.find(({ name }) => name === TEXT_BYTES)?.shape[0] ?? 0);
  }

  /** Takes `values` of a tensor of {@link vocabularyLayout}, from its element `first` on. */
  add(name: string, first: number, values: TensorValues): void {
    if (name === TEXT_BYTES) this.#bytes.set(values as Uint8Array, first);
    else fromInt64(values, this.#integers, first);
  }

  /** @throws {@link FormatError} where the values are no ids. */
  vocabulary(): Vocabulary {
    const integers = this.#integers;
    if (integers instanceof BigInt64Array) return new Vocabulary(this.#kind, integers);
    if (this.#kind === "string") return new Vocabulary("string", checkedText(this.#bytes, integers));
    if (!integers.every(Number.isSafeInteger)) throw new FormatError("its item ids are beyond the safe integers");
    return new Vocabulary("number", integers);
  }
}

function checkedText(bytes: Uint8Array, offsets: Float64Array): PackedText {
  if (!isUtf8(bytes)) throw new FormatError("its item ids are no UTF-8 text");
  let fits = offsets[0] === 0 && offsets.at(-1) === bytes.length;
  for (let i = 1; i < offsets.length && fits; ++i)
    fits = offsets[i]! > offsets[i - 1]! && bytes[offsets[i - 1]!]! >> 6 !== CONTINUATION;
  if (!fits) throw new FormatError("the offsets of its item ids do not fit their text");
  return new PackedText(bytes, offsets);
}
