import type { NativeActivation, NativeTrainingSpec } from "../../lib/native/addon";
import { activate, activationSlope, sigmoid, sigmoidSlope } from "./activation";

/** The loss of one row and its gradient by the row's scores. */
export interface RowLoss {
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** Softmax of `scores`; the element `without` is left out (0) when it is given. */
export function softmax(scores: ArrayLike<number>, without = -1): Float64Array {
  const weights = new Float64Array(scores.length);
  let max = -Infinity;
  for (let j = 0; j < scores.length; ++j) if (j !== without) max = Math.max(max, scores[j]!);
  let sum = 0;
  for (let j = 0; j < scores.length; ++j) {
    if (j === without) continue;
    weights[j] = Math.exp(scores[j]! - max);
    sum += weights[j]!;
  }
  return weights.map((weight) => weight / sum);
}

/** log(1 + e^x) */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * The term of one row, neither summed over rows nor divided by the batch size.
 * @param scores - [M + N] raw scores, after logQ.
 * @param target - Column of the row's target.
 */
export function rowLoss(
  training: NativeTrainingSpec,
  finalAct: NativeActivation,
  scores: Float64Array,
  target: number,
): RowLoss {
  if (scores.length < 2) throw new Error(`Expected at least 2 scores but received ${scores.length}`);
  if (training.loss === "cross-entropy") return crossEntropy(scores, target, training.smoothing);
  if (training.loss === "xe_logit") return crossEntropyFromLogits(scores, target, training.smoothing);

  const activated = scores.map((score) => activate(finalAct, score));
  const { loss, gradient } = pairwise(training, activated, target);
  return { loss, gradient: gradient.map((g, j) => g * activationSlope(finalAct, scores[j]!)) };
}

/** Losses that compare activated scores; gradient by the activated scores. */
function pairwise(training: NativeTrainingSpec, s: Float64Array, target: number): RowLoss {
  switch (training.loss) {
    case "bpr":
      return bpr(s, target);
    case "bpr-max":
      return bprMax(s, target, training.bpreg);
    case "top1":
      return top1(s, target);
    case "top1-max":
      return top1Max(s, target);
    default:
      throw new Error(`Expected a loss of activated scores but received ${training.loss}`);
  }
}

/** Share of each column's -log p in a smoothed cross-entropy. */
function smoothedShares(columns: number, target: number, smoothing: number): Float64Array {
  const shares = new Float64Array(columns).fill(smoothing / (columns - 1));
  shares[target]! += 1 - (columns / (columns - 1)) * smoothing;
  return shares;
}

function crossEntropy(scores: Float64Array, target: number, smoothing: number): RowLoss {
  const epsilon = 1e-24;
  const shares = smoothedShares(scores.length, target, smoothing);
  const p = softmax(scores);
  let loss = 0;
  let total = 0;
  for (let j = 0; j < p.length; ++j) {
    loss -= shares[j]! * Math.log(p[j]! + epsilon);
    total += (shares[j]! * p[j]!) / (p[j]! + epsilon);
  }
  return { loss, gradient: p.map((pj, j) => total * pj - (shares[j]! * pj) / (pj + epsilon)) };
}

function crossEntropyFromLogits(scores: Float64Array, target: number, smoothing: number): RowLoss {
  const shares = smoothedShares(scores.length, target, smoothing);
  const p = softmax(scores);
  const max = Math.max(...scores);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - max);
  let loss = 0;
  let total = 0;
  for (let j = 0; j < p.length; ++j) {
    loss += shares[j]! * (Math.log(sum) - (scores[j]! - max));
    total += shares[j]!;
  }
  return { loss, gradient: p.map((pj, j) => total * pj - shares[j]!) };
}

function bpr(s: Float64Array, target: number): RowLoss {
  const gradient = new Float64Array(s.length);
  let loss = 0;
  for (let j = 0; j < s.length; ++j) {
    const difference = s[j]! - s[target]!;
    loss += softplus(difference);
    gradient[j]! += sigmoid(difference);
    gradient[target]! -= sigmoid(difference);
  }
  return { loss, gradient };
}

function bprMax(s: Float64Array, target: number, bpreg: number): RowLoss {
  const epsilon = 1e-24;
  const t = s[target]!;
  const w = softmax(s, target);
  const n = s.length;
  let better = 0;
  let penalty = 0;
  for (let j = 0; j < n; ++j) {
    better += w[j]! * sigmoid(t - s[j]!);
    penalty += w[j]! * s[j]! ** 2;
  }

  const weightGradient = new Float64Array(n);
  let mean = 0;
  for (let j = 0; j < n; ++j) {
    weightGradient[j] = -sigmoid(t - s[j]!) / (better + epsilon) + bpreg * s[j]! ** 2;
    mean += w[j]! * weightGradient[j]!;
  }
  const gradient = new Float64Array(n);
  for (let j = 0; j < n; ++j) {
    const slope = (w[j]! * sigmoidSlope(t - s[j]!)) / (better + epsilon);
    gradient[j]! += slope + bpreg * w[j]! * 2 * s[j]! + w[j]! * (weightGradient[j]! - mean);
    gradient[target]! -= slope;
  }
  return { loss: -Math.log(better + epsilon) + bpreg * penalty, gradient };
}

function top1(s: Float64Array, target: number): RowLoss {
  const t = s[target]!;
  const n = s.length;
  const gradient = new Float64Array(n);
  let loss = -sigmoid(t ** 2) / n;
  gradient[target]! -= (sigmoidSlope(t ** 2) * 2 * t) / n;
  for (let j = 0; j < n; ++j) {
    loss += (sigmoid(s[j]! - t) + sigmoid(s[j]! ** 2)) / n;
    const slope = sigmoidSlope(s[j]! - t) / n;
    gradient[j]! += slope + (sigmoidSlope(s[j]! ** 2) * 2 * s[j]!) / n;
    gradient[target]! -= slope;
  }
  return { loss, gradient };
}

function top1Max(s: Float64Array, target: number): RowLoss {
  const t = s[target]!;
  const n = s.length;
  const w = softmax(s, target);
  let loss = 0;
  for (let j = 0; j < n; ++j) loss += w[j]! * (sigmoid(s[j]! - t) + sigmoid(s[j]! ** 2));
  const gradient = new Float64Array(n);
  for (let j = 0; j < n; ++j) {
    const slope = w[j]! * sigmoidSlope(s[j]! - t);
    const term = sigmoid(s[j]! - t) + sigmoid(s[j]! ** 2);
    gradient[j]! += slope + w[j]! * sigmoidSlope(s[j]! ** 2) * 2 * s[j]! + w[j]! * (term - loss);
    gradient[target]! -= slope;
  }
  return { loss, gradient };
}
