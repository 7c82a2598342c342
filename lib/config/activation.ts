/** An activation of hidden units, as text: `elu-0.5` is elu with alpha 0.5, `selu-1.05-1.67` selu with lambda and alpha. */
export type HiddenActivation =
  "linear" | "relu" | "tanh" | `leaky-${number}` | `elu-${number}` | `selu-${number}-${number}`;
/** An activation of scores: those of hidden units and the two that work on whole rows. */
export type FinalActivation = HiddenActivation | "softmax" | "softmax_logit";

/** An activation, read from its text: leaky-alpha, elu-alpha, selu-lambda-alpha or a bare name. */
export interface Activation {
  readonly kind: "linear" | "relu" | "tanh" | "leaky" | "elu" | "selu" | "softmax" | "softmax_logit";
  readonly alpha?: number;
  readonly lambda?: number;
}

const NUMBER = String.raw`(\d+(?:\.\d*)?|\.\d+)`;
const HIDDEN_ACTIVATION = new RegExp(`^(?:linear|relu|tanh|(?:leaky|elu)-${NUMBER}|selu-${NUMBER}-${NUMBER})$`);

export function isHiddenActivation(value: unknown): value is HiddenActivation {
  return typeof value === "string" && HIDDEN_ACTIVATION.test(value);
}

export function isFinalActivation(value: unknown): value is FinalActivation {
  return value === "softmax" || value === "softmax_logit" || isHiddenActivation(value);
}

export function parseActivation(text: FinalActivation): Activation {
  const [kind, first, second] = text.split("-") as [Activation["kind"], string?, string?];
  if (kind === "selu") return { kind, lambda: Number(first), alpha: Number(second) };
  return first === undefined ? { kind } : { kind, alpha: Number(first) };
}
