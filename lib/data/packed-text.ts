import { inTurns } from "./turns";

/** Texts in one piece of memory, each decoded when asked for: a model's ids are there without a string for each. */
export class PackedText {
  readonly #buffer: Buffer;

  /**
   * @param bytes - The texts in UTF-8, end to end.
   * @param offsets - [texts + 1] where each text begins in `bytes`, and their end; ascending from 0.
   */
  constructor(
    readonly bytes: Uint8Array,
    readonly offsets: Float64Array,
  ) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** @param texts - Well-formed: without lone surrogates, for which UTF-8 has no bytes. */
  static of(texts: readonly string[]): PackedText {
    const offsets = new Float64Array(texts.length + 1);
    texts.forEach((text, i) => (offsets[i + 1] = offsets[i]! + Buffer.byteLength(text)));
    const bytes = Buffer.alloc(offsets[texts.length]!);
    texts.forEach((text, i) => bytes.write(text, offsets[i]!));
    return new PackedText(bytes, offsets);
  }

  /** Some of many texts, in the order of their places. */
  static async pick(
    texts: { at(index: number): string | undefined },
    places: Int32Array,
    signal: AbortSignal | undefined,
  ): Promise<PackedText> {
    const isPacked = texts instanceof PackedText;
    const offsets = new Float64Array(places.length + 1);
    const bytesOf = (place: number) =>
      isPacked ? texts.offsets[place + 1]! - texts.offsets[place]! : Buffer.byteLength(texts.at(place)!);
    await inTurns(places.length, signal, (from, to) => {
      for (let i = from; i < to; ++i) offsets[i + 1] = offsets[i]! + bytesOf(places[i]!);
    });
    const bytes = Buffer.alloc(offsets[places.length]!);
    await inTurns(places.length, signal, (from, to) => {
      for (let i = from; i < to; ++i) {
        const place = places[i]!;
        if (isPacked) texts.#buffer.copy(bytes, offsets[i], texts.offsets[place], texts.offsets[place + 1]);
        else bytes.write(texts.at(place)!, offsets[i]!);
      }
    });
    return new PackedText(bytes, offsets);
  }

  /** Number of texts. */
  get length(): number {
    return this.offsets.length - 1;
  }

  at(index: number): string {
    return this.#buffer.toString("utf8", this.offsets[index], this.offsets[index + 1]);
  }
}
