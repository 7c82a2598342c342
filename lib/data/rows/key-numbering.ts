import type { Keys } from "./keys";

// Words of a place of the table: a key, and its number + 1; 0 = the place is free.
const LOW = 0;
const HIGH = 1;
const NUMBER = 2;
const WORDS = 4;

/** Keys that a numbering has room for at first; its table has twice as many places, always a power of two. */
const FIRST_ROOM = 512;

/** Numbers the keys that it is given, in the order of their first appearance. */
export class KeyNumbering {
  /** [places, WORDS] open addressing; what is looked at together lies together */
  #table = new Uint32Array(2 * FIRST_ROOM * WORDS);
  #lows = new Uint32Array(FIRST_ROOM);
  #highs = new Uint32Array(FIRST_ROOM);
  #size = 0;

  /** The number of a key, a new one where it has none yet. */
  numberOf(low: number, high: number): number {
    const place = placeOf(this.#table, low, high);
    const number = this.#table[place + NUMBER]!;
    return number > 0 ? number - 1 : this.#add(place, low, high);
  }

  /** A copy of the keys by their numbers. */
  keys(): Keys {
    return { low: this.#lows.slice(0, this.#size), high: this.#highs.slice(0, this.#size) };
  }

  /** Forgets all keys. */
  clear(): void {
    this.#table.fill(0);
    this.#size = 0;
  }

  #add(place: number, low: number, high: number): number {
    const number = this.#size++;
    this.#lows[number] = low;
    this.#highs[number] = high;
    fill(this.#table, place, low, high, number);
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
    this.#table = new Uint32Array(2 * this.#table.length);
    for (let number = 0; number < this.#size; ++number) {
      const [low, high] = [this.#lows[number]!, this.#highs[number]!];
      fill(this.#table, placeOf(this.#table, low, high), low, high, number);
    }
  }
}

/** Where a key lies in a table, or the free place where it belongs. */
function placeOf(table: Uint32Array, low: number, high: number): number {
  const last = table.length - WORDS;
  // Fibonacci hashing: the upper bits of the product depend on all bits of the key.
  let place = ((Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 7) * WORDS) & last;
  while (table[place + NUMBER] !== 0 && (table[place + LOW] !== low || table[place + HIGH] !== high))
    place = (place + WORDS) & last;
  return place;
}

function fill(table: Uint32Array, place: number, low: number, high: number, number: number): void {
  table[place + LOW] = low;
  table[place + HIGH] = high;
  table[place + NUMBER] = number + 1;
}
