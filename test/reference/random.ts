import { Matrix } from "./matrix";
import { RandomNumbers, purposes } from "./philox";

/** How initial weights are drawn: the options of NativeModel.initialise. */
export interface InitialWeights {
  readonly sigma: number;
  readonly normal: boolean;
  readonly seed: number;
}

/**
 * Initial weights of tensor `number`.
 * @param gateShape - Rows and columns of the gate matrix that row `r` belongs to.
 */
export function initialWeights(
  how: InitialWeights,
  number: number,
  rows: number,
  cols: number,
  gateShape: (row: number) => readonly [rows: number, cols: number],
): Matrix {
  const random = new RandomNumbers(how.seed, purposes.initialWeights, number);
  const weights = new Matrix(rows, cols);
  for (let r = 0; r < rows; ++r) {
    const [gateRows, gateCols] = gateShape(r);
    const bound = how.sigma > 0 ? how.sigma : Math.sqrt(6 / (gateRows + gateCols));
    for (let c = 0; c < cols; ++c) {
      const index = r * cols + c;
      weights.set(r, c, how.normal ? normalWeight(random, index, bound) : uniformWeight(random, index, bound));
    }
  }
  return weights;
}

function uniformWeight(random: RandomNumbers, index: number, bound: number): number {
  const share = (2 * random.upper24(index) + 1 - 2 ** 24) / 2 ** 24;
  return Math.fround(Math.fround(share) * Math.fround(bound));
}

function normalWeight(random: RandomNumbers, index: number, bound: number): number {
  const u = (random.word(2 * index) + 0.5) / 2 ** 32;
  const v = random.word(2 * index + 1) / 2 ** 32;
  return Math.fround(Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v) * bound);
}

/** Factors [rows, cols] of inverted dropout: 0 for dropped elements, 1 / (1 - p) in float32 for kept ones. */
export function dropoutMask(
  seed: number,
  purpose: number,
  step: number,
  probability: number,
  rows: number,
  cols: number,
): Matrix {
  const random = new RandomNumbers(seed, purpose, step);
  const threshold = Math.floor(probability * 2 ** 24 + 0.5);
  const scale = Math.fround(1 / (1 - probability));
  const mask = new Matrix(rows, cols);
  for (let i = 0; i < rows; ++i) {
    for (let d = 0; d < cols; ++d) mask.set(i, d, random.upper24(i * cols + d) < threshold ? 0 : scale);
  }
  return mask;
}

/** Upper ends of the items' shares of the 64-bit integers, [items]. */
export function samplingTable(support: ArrayLike<number>, alpha: number): bigint[] {
  const last = 2n ** 64n - 1n;
  const sums: number[] = [];
  let sum = 0;
  for (let item = 0; item < support.length; ++item) {
    sum += Math.pow(support[item]!, alpha);
    sums.push(sum);
  }
  return sums.map((s, item) => {
    const share = s / sum;
    return share >= 1 || item === support.length - 1 ? last : BigInt(Math.floor(share * 2 ** 64));
  });
}

/** The negative samples of one training step, [count] item indices. */
export function negativeSamples(seed: number, step: number, table: readonly bigint[], count: number): number[] {
  const random = new RandomNumbers(seed, purposes.negativeSamples, step);
  const samples: number[] = [];
  for (let j = 0; j < count; ++j) {
    const number = random.number64(j);
    const item = table.findIndex((end) => end > number);
    samples.push(item < 0 ? table.length - 1 : item);
  }
  return samples;
}

/** The order of `count` sessions in one epoch of trainRandomOrder. */
export function shuffledSessions(seed: number, epoch: number, count: number): number[] {
  const random = new RandomNumbers(seed, purposes.shuffle, epoch);
  const order = Array.from({ length: count }, (_, session) => session);
  for (let i = count - 1; i >= 1; --i) {
    const other = Number((random.number64(i) * BigInt(i + 1)) >> 64n);
    const moved = order[i]!;
    order[i] = order[other]!;
    order[other] = moved;
  }
  return order;
}
