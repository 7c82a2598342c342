import type { NativeActivation } from "../../lib/native/addon";
import { activate, activationSlope, sigmoid } from "./activation";
import type { Matrix } from "./matrix";

/** The parameters of one layer, or their gradients. */
export interface LayerParameters {
  /** [H + in, H]: rows of Whc, then rows of Wxc */
  readonly candidate: Matrix;
  /** [in + H, 2H]: rows of [Wxr Wxz], then rows of [Whr Whz] */
  readonly gates: Matrix;
  /** [1, 3H]: candidate, reset, update */
  readonly bias: Matrix;
  /** bhc [1, H]: present = the reset gate applies after the product */
  readonly candidateHiddenBias: Matrix | undefined;
}

/** What one row of a layer computed. */
export interface CellRow {
  /** [in] input, [H] old state */
  readonly x: Float64Array;
  readonly h: Float64Array;
  /** [H] reset gate, update gate, candidate */
  readonly r: Float64Array;
  readonly z: Float64Array;
  readonly c: Float64Array;
  /** [H] the candidate before its activation */
  readonly candidateSum: Float64Array;
  /** [H] h Whc + bhc, with reset after the product */
  readonly hiddenProduct: Float64Array;
  /** [H] new state, before dropout */
  readonly next: Float64Array;
}

/**
 * One row of one GRU layer.
 * @param x - [in] input.
 * @param oneHot - [3H] one row of Wx0 (candidate, reset, update) instead of an input, else undefined.
 * @param h - [H] old state.
 */
export function forwardCell(
  layer: LayerParameters,
  hiddenAct: NativeActivation,
  x: Float64Array,
  oneHot: Float64Array | undefined,
  h: Float64Array,
): CellRow {
  const H = h.length;
  const width = x.length;
  const r = new Float64Array(H);
  const z = new Float64Array(H);
  const c = new Float64Array(H);
  const candidateSum = new Float64Array(H);
  const hiddenProduct = new Float64Array(H);
  const next = new Float64Array(H);

  for (let d = 0; d < H; ++d) {
    let reset = layer.bias.at(0, H + d) + (oneHot ? oneHot[H + d]! : 0);
    let update = layer.bias.at(0, 2 * H + d) + (oneHot ? oneHot[2 * H + d]! : 0);
    for (let k = 0; k < width; ++k) {
      reset += x[k]! * layer.gates.at(k, d);
      update += x[k]! * layer.gates.at(k, H + d);
    }
    for (let k = 0; k < H; ++k) {
      reset += h[k]! * layer.gates.at(width + k, d);
      update += h[k]! * layer.gates.at(width + k, H + d);
    }
    r[d] = sigmoid(reset);
    z[d] = sigmoid(update);
  }

  for (let d = 0; d < H; ++d) {
    let sum = layer.bias.at(0, d) + (oneHot ? oneHot[d]! : 0);
    for (let k = 0; k < width; ++k) sum += x[k]! * layer.candidate.at(H + k, d);
    if (layer.candidateHiddenBias) {
      hiddenProduct[d] = layer.candidateHiddenBias.at(0, d);
      for (let k = 0; k < H; ++k) hiddenProduct[d]! += h[k]! * layer.candidate.at(k, d);
      sum += r[d]! * hiddenProduct[d]!;
    } else {
      for (let k = 0; k < H; ++k) sum += r[k]! * h[k]! * layer.candidate.at(k, d);
    }
    candidateSum[d] = sum;
    c[d] = activate(hiddenAct, sum);
    next[d] = (1 - z[d]!) * h[d]! + z[d]! * c[d]!;
  }
  return { x, h, r, z, c, candidateSum, hiddenProduct, next };
}

/**
 * Adds the gradients of one row to `gradient`.
 * @param nextGradient - [H] gradient of the new state before dropout.
 * @returns Gradients of the input [in], of the old state [H] and of the three sums before the activations [3H]
 *   (candidate, reset, update).
 */
export function backwardCell(
  layer: LayerParameters,
  hiddenAct: NativeActivation,
  row: CellRow,
  nextGradient: Float64Array,
  gradient: LayerParameters,
): { x: Float64Array; h: Float64Array; sums: Float64Array } {
  const { x, h, r, z, c } = row;
  const H = h.length;
  const width = x.length;
  const sums = new Float64Array(3 * H);
  const resetGradient = new Float64Array(H);
  const hGradient = nextGradient.map((value, d) => value * (1 - z[d]!));

  for (let d = 0; d < H; ++d) {
    sums[d] = nextGradient[d]! * z[d]! * activationSlope(hiddenAct, row.candidateSum[d]!);
    sums[2 * H + d] = nextGradient[d]! * (c[d]! - h[d]!) * z[d]! * (1 - z[d]!);
  }
  for (let d = 0; d < H; ++d) {
    if (layer.candidateHiddenBias) {
      resetGradient[d] = sums[d]! * row.hiddenProduct[d]!;
      gradient.candidateHiddenBias!.add(0, d, sums[d]! * r[d]!);
      for (let k = 0; k < H; ++k) {
        gradient.candidate.add(k, d, h[k]! * sums[d]! * r[d]!);
        hGradient[k]! += sums[d]! * r[d]! * layer.candidate.at(k, d);
      }
    } else {
      for (let k = 0; k < H; ++k) {
        resetGradient[k]! += sums[d]! * layer.candidate.at(k, d) * h[k]!;
        gradient.candidate.add(k, d, r[k]! * h[k]! * sums[d]!);
        hGradient[k]! += sums[d]! * layer.candidate.at(k, d) * r[k]!;
      }
    }
  }
  for (let d = 0; d < H; ++d) sums[H + d] = resetGradient[d]! * r[d]! * (1 - r[d]!);

  const xGradient = new Float64Array(width);
  for (let d = 0; d < H; ++d) {
    const [candidate, reset, update] = [sums[d]!, sums[H + d]!, sums[2 * H + d]!];
    gradient.bias.add(0, d, candidate);
    gradient.bias.add(0, H + d, reset);
    gradient.bias.add(0, 2 * H + d, update);
    for (let k = 0; k < width; ++k) {
      gradient.candidate.add(H + k, d, x[k]! * candidate);
      gradient.gates.add(k, d, x[k]! * reset);
      gradient.gates.add(k, H + d, x[k]! * update);
      xGradient[k]! +=
        candidate * layer.candidate.at(H + k, d) + reset * layer.gates.at(k, d) + update * layer.gates.at(k, H + d);
    }
    for (let k = 0; k < H; ++k) {
      gradient.gates.add(width + k, d, h[k]! * reset);
      gradient.gates.add(width + k, H + d, h[k]! * update);
      hGradient[k]! += reset * layer.gates.at(width + k, d) + update * layer.gates.at(width + k, H + d);
    }
  }
  return { x: xGradient, h: hGradient, sums };
}
