/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];

/** High 32 bits of a product of two 32-bit integers, by 16-bit halves: every partial sum stays below 2^53. */
function highProduct(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 0x10000);
  const otherMiddle = aLow * bHigh + (middle % 0x10000);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(otherMiddle / 0x10000);
}

/** Low 32 bits of a product of two 32-bit integers. */
function lowProduct(a: number, b: number): number {
  return Math.imul(a, b) >>> 0;
}

/** Philox 4x32-10 (docs/random.md). */
export function philox(key: readonly [number, number], counter: Words): Words {
  let [k0, k1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < 10; ++round) {
    const high0 = highProduct(0xd2511f53, c0);
    const low0 = lowProduct(0xd2511f53, c0);
    const high1 = highProduct(0xcd9e8d57, c2);
    const low1 = lowProduct(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** What a random number is for: counter word c1. */
export const purposes = {
  initialWeights: 1,
  inputDropout: 2,
  hiddenDropout: (layer: number): number => 3 + 256 * layer,
  negativeSamples: 4,
  shuffle: 5,
} as const;

function halves(value: number): [low: number, high: number] {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Error(`Expected a safe integer, 0 or more, but received ${value}`);
  }
  return [value % 2 ** 32, Math.floor(value / 2 ** 32)];
}

/** All random numbers of one (seed, purpose, step), by index. */
export class RandomNumbers {
  private readonly key: [number, number];
  private readonly step: [number, number];
  private block = -1;
  private words: Words = [0, 0, 0, 0];

  constructor(
    seed: number,
    private readonly purpose: number,
    step: number,
  ) {
    this.key = halves(seed);
    this.step = halves(step);
  }

  /** Word `index`, 0 to 2^32 - 1. */
  word(index: number): number {
    const block = Math.floor(index / 4);
    if (block !== this.block) {
      this.block = block;
      this.words = philox(this.key, [block, this.purpose, this.step[0], this.step[1]]);
    }
    return this.words[index % 4]!;
  }

  /** The upper 24 bits of word `index`. */
  upper24(index: number): number {
    return this.word(index) >>> 8;
  }

  /** 64-bit number `index`. */
  number64(index: number): bigint {
    const low = this.word(2 * index);
    const high = this.word(2 * index + 1);
    return (BigInt(high) << 32n) | BigInt(low);
  }
}
