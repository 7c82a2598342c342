/** An activation, read from its text: leaky-alpha, elu-alpha, selu-lambda-alpha or a bare name. */
export interface Activation {
  readonly kind: "linear" | "relu" | "tanh" | "leaky" | "elu" | "selu" | "softmax" | "softmax_logit";
  readonly alpha?: number;
  readonly lambda?: number;
}

const NUMBER = String.raw`(\d+(?:\.\d*)?|\.\d+)`;

/** Activations of hidden units. */
export const HIDDEN_ACTIVATION = new RegExp(`^(?:linear|relu|tanh|(?:leaky|elu)-${NUMBER}|selu-${NUMBER}-${NUMBER})$`);
/** Activations of scores: those of hidden units and the two that work on whole rows. */
export const FINAL_ACTIVATION = new RegExp(`${HIDDEN_ACTIVATION.source}|^softmax(?:_logit)?$`);

/** @param text - Matches {@link FINAL_ACTIVATION}. */
export function parseActivation(text: string): Activation {
  const [kind, first, second] = text.split("-") as [Activation["kind"], string?, string?];
  if (kind === "selu") return { kind, lambda: Number(first), alpha: Number(second) };
  return first === undefined ? { kind } : { kind, alpha: Number(first) };
}
