import type { NativeActivation } from "../../lib/native/addon";

/** Value of an elementwise activation. */
export function activate(activation: NativeActivation, x: number): number {
  const { kind, alpha = 1, lambda = 1 } = activation;
  switch (kind) {
    case "linear":
      return x;
    case "tanh":
      return Math.tanh(x);
    case "relu":
      return x >= 0 ? x : 0;
    case "leaky":
      return x >= 0 ? x : alpha * x;
    case "elu":
      return x >= 0 ? x : alpha * Math.expm1(x);
    case "selu":
      return lambda * (x >= 0 ? x : alpha * Math.expm1(x));
    default:
      throw new Error(`Expected an elementwise activation but received ${kind}`);
  }
}

/** Derivative of {@link activate}. At exactly 0 it is the one of the branch x >= 0, with relu 0. */
export function activationSlope(activation: NativeActivation, x: number): number {
  const { kind, alpha = 1, lambda = 1 } = activation;
  switch (kind) {
    case "linear":
      return 1;
    case "tanh":
      return 1 - Math.tanh(x) ** 2;
    case "relu":
      return x > 0 ? 1 : 0;
    case "leaky":
      return x >= 0 ? 1 : alpha;
    case "elu":
      return x >= 0 ? 1 : alpha * Math.exp(x);
    case "selu":
      return lambda * (x >= 0 ? 1 : alpha * Math.exp(x));
    default:
      throw new Error(`Expected an elementwise activation but received ${kind}`);
  }
}

export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** Derivative of {@link sigmoid}. */
export function sigmoidSlope(x: number): number {
  return sigmoid(x) * sigmoid(-x);
}
