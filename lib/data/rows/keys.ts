/** A key of 64 bits for each row, as two columns. Keys are in the order of `high`, then `low`. */
export interface Keys {
  readonly low: Uint32Array<ArrayBuffer>;
  /** undefined: the same for all rows */
  readonly high: Uint32Array<ArrayBuffer> | undefined;
}

/** The highest bit, which turns the order of signed integers into that of unsigned ones. */
export const SIGN = 0x80000000;

/** The high word of a row's key. */
export const highOf = ({ high }: Keys, row: number): number => (high === undefined ? 0 : high[row]!);

/** Numbers the keys that it is given, in the order of their first appearance. */
export class KeyNumbering {
  /** Open addressing: [places] number + 1 of the key that lies there, 0 = none. */
  #places = new Int32Array(1024);
  #lows: Uint32Array<ArrayBuffer> = new Uint32Array(512);
  #highs: Uint32Array<ArrayBuffer> = new Uint32Array(512);
  #size = 0;

  /** The number of a key, a new one where it has none yet. */
  numberOf(low: number, high: number): number {
    const place = this.#find(low, high);
    const number = this.#places[place]! - 1;
    return number >= 0 ? number : this.#add(place, low, high);
  }

  /** The keys by their numbers. */
  keys(): Keys {
    return { low: this.#lows.subarray(0, this.#size), high: this.#highs.subarray(0, this.#size) };
  }

  /** The place where the key lies, or the free one where it belongs. */
  #find(low: number, high: number): number {
    const mask = this.#places.length - 1;
    // Fibonacci hashing: the upper bits of the product depend on all bits of the key.
    let place = (Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 7) & mask;
    for (; ; place = (place + 1) & mask) {
      const number = this.#places[place]! - 1;
      if (number < 0 || (this.#lows[number] === low && this.#highs[number] === high)) return place;
    }
  }

  #add(place: number, low: number, high: number): number {
    const number = this.#size++;
    this.#lows[number] = low;
    this.#highs[number] = high;
    this.#places[place] = number + 1;
    if (this.#size === this.#lows.length) this.#grow();
    return number;
  }

  #grow(): void {
    const copy = (from: Uint32Array) => {
      const to = new Uint32Array(2 * from.length);
      to.set(from);
      return to;
    };
    this.#lows = copy(this.#lows);
    this.#highs = copy(this.#highs);
    this.#places = new Int32Array(2 * this.#places.length);
    for (let number = 0; number < this.#size; ++number)
      this.#places[this.#find(this.#lows[number]!, this.#highs[number]!)] = number + 1;
  }
}
