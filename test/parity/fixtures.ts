import type { NativeModelSpec, NativeSessions, NativeTrainingSpec } from "../../lib/native/addon";
import { RandomNumbers } from "../reference/philox";

/** Numbers in [0, 1) that belong to the tests alone. */
export function testNumbers(seed: number): () => number {
  const random = new RandomNumbers(seed, 0xffff, 0);
  let next = 0;
  return () => random.upper24(next++) / 2 ** 24;
}

/** Sessions of the given lengths with items skewed to the lower indices. */
export function sessionsOf(lengths: readonly number[], items: number, seed: number): NativeSessions {
  const random = testNumbers(seed);
  const offsets = [0];
  for (const length of lengths) offsets.push(offsets.at(-1)! + length);
  const events = Int32Array.from({ length: offsets.at(-1)! }, () => Math.floor(items * random() ** 1.7));
  return { items: events, offsets: Int32Array.from(offsets) };
}

/** `count` sessions of 2 to `longest` events. */
export function randomSessions(count: number, longest: number, items: number, seed: number): NativeSessions {
  const random = testNumbers(seed + 1000);
  const lengths = Array.from({ length: count }, () => 2 + Math.floor(random() * (longest - 1)));
  return sessionsOf(lengths, items, seed);
}

/** Training events of each item; one more than in the sessions, as of sessions too short to train on. */
export function supportOf(sessions: NativeSessions, items: number): Uint32Array {
  const support = new Uint32Array(items).fill(1);
  for (const item of sessions.items) support[item]! += 1;
  return support;
}

/** [0, count) */
export function ascending(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => i);
}

/** A fixed order that is not the ascending one. */
export function scrambled(count: number): Int32Array {
  const random = testNumbers(77);
  const keys = Array.from({ length: count }, () => random());
  return ascending(count).sort((a, b) => keys[a]! - keys[b]!);
}

export const plainModel: NativeModelSpec = {
  items: 53,
  layers: [10],
  embedding: "shared",
  embeddingSize: 0,
  hiddenAct: { kind: "tanh" },
  finalAct: { kind: "softmax" },
  resetAfter: false,
};

export const plainTraining: NativeTrainingSpec = {
  loss: "cross-entropy",
  smoothing: 0,
  bpreg: 1,
  optimiser: "adagrad",
  learningRate: 0.1,
  momentum: 0,
  lmbd: 0,
  decay: 0.9,
  secondDecay: 0.999,
  batchSize: 6,
  nSample: 19,
  sampleAlpha: 0.5,
  sampleStore: 10_000,
  logq: 0,
  dropoutEmbed: 0,
  dropoutHidden: 0,
  gradCap: 0,
  seed: 42,
  randomOrder: false,
  precision: "float32",
  bptt: 1,
  stepsPerLaunch: 8,
};

export interface Combination {
  readonly title: string;
  readonly model: NativeModelSpec;
  readonly training: NativeTrainingSpec;
  /** How many sessions to train on. */
  readonly sessionCount: number;
  readonly initial: { readonly sigma: number; readonly normal: boolean; readonly seed: number };
}

function combination(
  title: string,
  model: Partial<NativeModelSpec>,
  training: Partial<NativeTrainingSpec>,
  initial: Partial<Combination["initial"]> = {},
  sessionCount = 70,
): Combination {
  return {
    title,
    model: { ...plainModel, ...model },
    training: { ...plainTraining, ...training },
    sessionCount,
    initial: { sigma: 0, normal: false, seed: 42, ...initial },
  };
}

/** Parameters that between them use everything training can do. */
export const combinations: readonly Combination[] = [
  combination("cross-entropy, shared, logq 1", {}, { logq: 1, sampleAlpha: 0.75 }),
  combination(
    "cross-entropy, none, smoothing, logq 0.5, hidden dropout",
    { embedding: "none", layers: [13] },
    { smoothing: 0.1, logq: 0.5, dropoutHidden: 0.3, dropoutEmbed: 0.4 },
  ),
  combination(
    "cross-entropy, separate, layers 9/5/7, both dropouts, momentum",
    { embedding: "separate", embeddingSize: 6, layers: [9, 5, 7] },
    { dropoutEmbed: 0.25, dropoutHidden: 0.2, momentum: 0.4, learningRate: 0.05 },
  ),
  combination(
    "xe_logit, shared, reset after, adam, smoothing",
    { finalAct: { kind: "softmax_logit" }, resetAfter: true },
    { loss: "xe_logit", optimiser: "adam", learningRate: 0.01, smoothing: 0.15 },
  ),
  combination(
    "xe_logit, none, layers 12/7, reset after, rmsprop, logq 1, hidden dropout",
    { embedding: "none", layers: [12, 7], finalAct: { kind: "softmax_logit" }, resetAfter: true },
    { loss: "xe_logit", optimiser: "rmsprop", learningRate: 0.01, logq: 1, dropoutHidden: 0.2 },
  ),
  combination(
    "bpr, separate, sgd, relu of scores, logq without effect",
    { embedding: "separate", embeddingSize: 11, finalAct: { kind: "relu" } },
    { loss: "bpr", optimiser: "sgd", learningRate: 0.2, logq: 1 },
  ),
  combination(
    "bpr-max, shared, elu of scores, both dropouts, momentum",
    { finalAct: { kind: "elu", alpha: 0.5 } },
    { loss: "bpr-max", dropoutEmbed: 0.2, dropoutHidden: 0.2, momentum: 0.3, learningRate: 0.05 },
  ),
  combination(
    "bpr-max, none, selu of scores, adadelta, bpreg 0.3",
    { embedding: "none", finalAct: { kind: "selu", lambda: 1.05, alpha: 1.67 } },
    { loss: "bpr-max", optimiser: "adadelta", learningRate: 1, bpreg: 0.3 },
  ),
  combination(
    "top1, separate, tanh of scores, adam, second layer wider",
    { embedding: "separate", embeddingSize: 5, layers: [4, 11], finalAct: { kind: "tanh" } },
    { loss: "top1", optimiser: "adam", learningRate: 0.02, decay: 0.8, secondDecay: 0.99 },
  ),
  combination(
    "top1-max, shared, leaky of scores, rmsprop, momentum",
    { finalAct: { kind: "leaky", alpha: 0.3 } },
    { loss: "top1-max", optimiser: "rmsprop", learningRate: 0.01, momentum: 0.5, decay: 0.8 },
  ),
  combination(
    "cross-entropy, none, no samples",
    { embedding: "none" },
    { nSample: 0, logq: 1, batchSize: 9, learningRate: 0.2 },
  ),
  combination(
    "bpr-max, separate, no samples, random order, both dropouts",
    { embedding: "separate", embeddingSize: 8, finalAct: { kind: "linear" } },
    { loss: "bpr-max", nSample: 0, randomOrder: true, dropoutEmbed: 0.1, dropoutHidden: 0.1 },
  ),
  combination(
    "cross-entropy, shared, batch above the number of sessions, hidden dropout",
    {},
    { batchSize: 101, logq: 1, dropoutHidden: 0.1, learningRate: 0.05 },
    {},
    13,
  ),
  combination("cross-entropy, shared, gradCap, lmbd", {}, { gradCap: 0.3, lmbd: 0.002 }),
  combination(
    "bpr, none, adadelta, gradCap, lmbd, momentum",
    { embedding: "none", finalAct: { kind: "linear" } },
    { loss: "bpr", optimiser: "adadelta", learningRate: 1, gradCap: 0.5, lmbd: 0.0005, momentum: 0.2 },
  ),
  combination(
    "top1, shared, sgd, momentum, lmbd, hidden linear",
    { hiddenAct: { kind: "linear" }, finalAct: { kind: "linear" } },
    { loss: "top1", optimiser: "sgd", learningRate: 0.3, momentum: 0.5, lmbd: 0.001 },
  ),
  combination(
    "xe_logit, separate, hidden relu, reset after, uniform samples, random order",
    {
      embedding: "separate",
      embeddingSize: 9,
      hiddenAct: { kind: "relu" },
      finalAct: { kind: "softmax_logit" },
      resetAfter: true,
    },
    { loss: "xe_logit", sampleAlpha: 0, randomOrder: true, logq: 0.8 },
  ),
  combination(
    "cross-entropy, none, hidden leaky, samples by support, random order",
    { embedding: "none", hiddenAct: { kind: "leaky", alpha: 0.1 } },
    { sampleAlpha: 1, randomOrder: true, logq: 1, seed: 2 ** 40 + 12_345 },
  ),
  combination(
    "top1-max, none, hidden elu, reset after, layers 6/8, adam, gradCap, lmbd, hidden dropout",
    {
      embedding: "none",
      layers: [6, 8],
      hiddenAct: { kind: "elu", alpha: 0.7 },
      finalAct: { kind: "tanh" },
      resetAfter: true,
    },
    { loss: "top1-max", optimiser: "adam", learningRate: 0.01, gradCap: 0.05, lmbd: 0.01, dropoutHidden: 0.15 },
  ),
  combination(
    "bpr, shared, hidden selu, normal initial weights",
    { hiddenAct: { kind: "selu", lambda: 1.05, alpha: 1.67 }, finalAct: { kind: "elu", alpha: 1 } },
    { loss: "bpr", learningRate: 0.05 },
    { normal: true, sigma: 0.2, seed: 9 },
  ),
  combination(
    "cross-entropy, shared, batch 1, adam, momentum, sigma",
    {},
    { batchSize: 1, optimiser: "adam", learningRate: 0.005, momentum: 0.3, logq: 1, dropoutEmbed: 0.5 },
    { sigma: 0.15 },
  ),
  combination(
    "bpr-max, shared, layers 17/33, reset after, both dropouts, widths across vectors",
    { layers: [17, 33], resetAfter: true, items: 257, finalAct: { kind: "elu", alpha: 0.5 } },
    {
      loss: "bpr-max",
      batchSize: 17,
      nSample: 65,
      dropoutEmbed: 0.15,
      dropoutHidden: 0.3,
      momentum: 0.1,
      learningRate: 0.05,
    },
  ),
  combination(
    "cross-entropy, separate, layers 33/16, widths across vectors, rmsprop, lmbd",
    { embedding: "separate", embeddingSize: 31, layers: [33, 16], items: 257 },
    { batchSize: 16, nSample: 31, optimiser: "rmsprop", learningRate: 0.005, lmbd: 0.01, logq: 1, dropoutHidden: 0.1 },
  ),
  combination(
    "bptt 2, cross-entropy, shared, layers 9/7, both dropouts, momentum",
    { layers: [9, 7] },
    { bptt: 2, logq: 1, dropoutEmbed: 0.2, dropoutHidden: 0.25, momentum: 0.3, learningRate: 0.05 },
  ),
  combination(
    "bptt 5, bpr-max, separate, layers 8/6, reset after, both dropouts, momentum",
    {
      embedding: "separate",
      embeddingSize: 5,
      layers: [8, 6],
      resetAfter: true,
      finalAct: { kind: "elu", alpha: 0.5 },
    },
    { bptt: 5, loss: "bpr-max", dropoutEmbed: 0.2, dropoutHidden: 0.25, momentum: 0.3, learningRate: 0.05 },
  ),
  combination(
    "bptt 5, xe_logit, none, layers 7/9, adam, lmbd, gradCap, hidden dropout",
    { embedding: "none", layers: [7, 9], finalAct: { kind: "softmax_logit" } },
    {
      bptt: 5,
      loss: "xe_logit",
      optimiser: "adam",
      learningRate: 0.01,
      lmbd: 0.01,
      gradCap: 0.1,
      dropoutHidden: 0.2,
    },
  ),
  combination(
    "bptt 20, cross-entropy, shared, batch above the number of sessions",
    {},
    { bptt: 20, batchSize: 101, momentum: 0.2, learningRate: 0.05 },
    {},
    13,
  ),
];
