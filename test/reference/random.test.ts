import { purposes } from "./philox";
import { dropoutMask, initialWeights, negativeSamples, samplingTable, shuffledSessions } from "./random";

/** Upper end of the chi-square distribution with `freedom` degrees: 1 in 10,000 (Wilson and Hilferty). */
function chiSquareLimit(freedom: number): number {
  const part = 2 / (9 * freedom);
  return freedom * (1 - part + 3.719 * Math.sqrt(part)) ** 3;
}

test.each([0, 0.5, 0.75, 1])("negatives: chi-square of 100,000 draws fits support^%d", (alpha) => {
  const support = [1, 90, 4, 17, 33, 2, 250, 8, 1, 60, 5, 29];
  const table = samplingTable(support, alpha);
  const counts = new Array<number>(support.length).fill(0);
  for (let step = 0; step < 1000; ++step) {
    for (const item of negativeSamples(42, step, table, 100)) counts[item]! += 1;
  }
  const weights = support.map((s) => s ** alpha);
  const total = weights.reduce((a, b) => a + b);
  const expected = weights.map((weight) => (100_000 * weight) / total);
  const chiSquare = counts.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
  expect(chiSquare).toBeLessThan(chiSquareLimit(support.length - 1));
  expect(chiSquare).toBeGreaterThan(0.5); // a fit far too good would be a count of the table, not of draws
});

test("sampling table: ends at 2^64 - 1, an item without support is never drawn", () => {
  expect(samplingTable([1, 0, 1, 2, 0], 1)).toEqual([2n ** 62n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n - 1n]);
  const drawn = negativeSamples(1, 0, samplingTable([1, 0, 1, 2, 0], 1), 500);
  expect([...new Set(drawn)].sort()).toEqual([0, 2, 3]);
});

test("uniform weights: float32 within the bound of their own gate matrix, mean 0, never 0", () => {
  const weights = initialWeights({ sigma: 0, normal: false, seed: 3 }, 16, 60, 40, (row) =>
    row < 40 ? [40, 40] : [20, 40],
  );
  const bounds = [Math.sqrt(6 / 80), Math.sqrt(6 / 60)] as const;
  const largest = [0, 0];
  let sum = 0;
  for (let r = 0; r < 60; ++r) {
    for (const w of weights.row(r)) {
      const part = r < 40 ? 0 : 1;
      largest[part] = Math.max(largest[part]!, Math.abs(w));
      sum += w;
      expect(Math.fround(w)).toBe(w);
      expect(w).not.toBe(0);
    }
  }
  bounds.forEach((bound, part) => {
    expect(largest[part]! / bound).toBeLessThanOrEqual(1);
    expect(largest[part]! / bound).toBeGreaterThan(0.99);
  });
  expect(Math.abs(sum / 2400)).toBeLessThan((4 * bounds[1]) / Math.sqrt(3 * 2400));
});

test("normal weights: the bound, or sigma, is the standard deviation", () => {
  for (const [sigma, expected] of [
    [0, Math.sqrt(6 / 150)],
    [0.05, 0.05],
  ] as const) {
    const { values } = initialWeights({ sigma, normal: true, seed: 3 }, 1, 100, 50, () => [100, 50]);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, w) => sum + (w - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean)).toBeLessThan((4 * expected) / Math.sqrt(5000));
    expect(deviation / expected).toBeGreaterThan(1 - 4 / Math.sqrt(10_000));
    expect(deviation / expected).toBeLessThan(1 + 4 / Math.sqrt(10_000));
    expect(values.some((w) => Math.abs(w) > 3 * expected)).toBe(true);
  }
});

test("dropout: drops its share, scales the rest, and gives every step and purpose a mask of its own", () => {
  const p = 0.3;
  const mask = dropoutMask(9, purposes.inputDropout, 4, p, 100, 37);
  const dropped = mask.values.filter((factor) => factor === 0).length;
  expect(Math.abs(dropped - 3700 * p)).toBeLessThan(4 * Math.sqrt(3700 * p * (1 - p)));
  expect(new Set(mask.values)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
  for (const other of [
    dropoutMask(9, purposes.inputDropout, 5, p, 100, 37),
    dropoutMask(9, purposes.hiddenDropout(0), 4, p, 100, 37),
    dropoutMask(9, purposes.hiddenDropout(1), 4, p, 100, 37),
    dropoutMask(10, purposes.inputDropout, 4, p, 100, 37),
  ]) {
    expect(other.values).not.toEqual(mask.values);
  }
});

test("shuffle: a permutation, another one each epoch, every position equally likely", () => {
  const counts = Array.from({ length: 6 }, () => new Array<number>(6).fill(0));
  for (let epoch = 0; epoch < 6000; ++epoch) {
    const order = shuffledSessions(42, epoch, 6);
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    order.forEach((session, position) => (counts[session]![position]! += 1));
  }
  const chiSquare = counts.flat().reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquare).toBeLessThan(chiSquareLimit(25));
});
