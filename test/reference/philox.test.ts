import { RandomNumbers, philox, purposes } from "./philox";

const hex = (words: readonly number[]): string => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

describe("philox: known answers of Random123", () => {
  test.each([
    ["zeros", [0, 0], [0, 0, 0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [
      "ones",
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ],
    [
      "digits of pi",
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ] as const)("%s", (_, key, counter, expected) => {
    expect(hex(philox(key, counter))).toBe(expected);
  });
});

test("philox: agrees with 64-bit integer arithmetic on counters of all sizes", () => {
  const mask = 0xffffffffn;
  const slow = (key: readonly number[], counter: readonly number[]): number[] => {
    let [k0, k1] = key.map(BigInt) as [bigint, bigint];
    let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
    for (let round = 0; round < 10; ++round) {
      const p0 = 0xd2511f53n * c0;
      const p1 = 0xcd9e8d57n * c2;
      [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
      k0 = (k0 + 0x9e3779b9n) & mask;
      k1 = (k1 + 0xbb67ae85n) & mask;
    }
    return [c0, c1, c2, c3].map(Number);
  };
  for (let i = 0; i < 200; ++i) {
    const word = (n: number): number => Math.imul(i + 1, 0x9e3779b1 + 2 * n) >>> (i % 32);
    const key = [word(0), word(1)] as const;
    const counter = [word(2), word(3), word(4), word(5)] as const;
    expect(philox(key, counter)).toEqual(slow(key, counter));
  }
});

test("random numbers: words and 64-bit numbers count through the blocks, low half first", () => {
  const seed = 5 * 2 ** 32 + 7;
  const step = 3 * 2 ** 32 + 11;
  const random = new RandomNumbers(seed, purposes.negativeSamples, step);
  const block = philox([7, 5], [2, 4, 11, 3]);
  expect([8, 9, 10, 11].map((index) => random.word(index))).toEqual([...block]);
  expect(random.number64(5)).toBe(BigInt(block[2]) + (BigInt(block[3]) << 32n));
  expect(random.upper24(9)).toBe(Math.floor(block[1] / 256));
});
