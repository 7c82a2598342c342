import type { FinalActivation } from "./activation";
import type { CheckedParameters, ConfigValues } from "./schema";

/** Default decay rates of each optimiser; as many as it has. */
export const DECAY_RATES: Readonly<Record<ConfigValues["adapt"], readonly number[]>> = {
  adagrad: [],
  sgd: [],
  rmsprop: [0.9],
  adadelta: [0.9],
  adam: [0.9, 0.999],
};

export function isCrossEntropy(loss: ConfigValues["loss"]): boolean {
  return loss === "cross-entropy" || loss === "xe_logit";
}

export function defaultFinalAct(loss: ConfigValues["loss"]): FinalActivation {
  if (loss === "cross-entropy") return "softmax";
  if (loss === "xe_logit") return "softmax_logit";
  return loss === "bpr-max" ? "elu-0.5" : "linear";
}

/** The defaults that depend on other parameters. */
export function dependentDefaults({ loss, adapt }: Pick<CheckedParameters, "loss" | "adapt">) {
  return {
    finalAct: defaultFinalAct(loss),
    logq: loss === "cross-entropy" ? 1 : 0,
    adaptParams: DECAY_RATES[adapt],
    learningRate: adapt === "adadelta" ? 1 : 0.05,
  } satisfies Partial<ConfigValues>;
}
