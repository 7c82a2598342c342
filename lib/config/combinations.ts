import { defaultFinalAct, DECAY_RATES, isCrossEntropy } from "./defaults";
import type { CheckedParameters, ParameterName } from "./schema";

export interface Combinations {
  /** `what` was expected where `name` has the value `received`. */
  readonly problems: readonly { readonly name: ParameterName; readonly what: string; readonly received: unknown }[];
  /** Parameters without effect, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Finds parameters that are right on their own but not together.
 * @param config - Those that are wrong on their own are undefined here.
 * @param called - What the caller calls a parameter.
 */
export function checkCombinations(
  config: Partial<CheckedParameters>,
  called: (name: ParameterName) => string,
): Combinations {
  const problems: { name: ParameterName; what: string; received: unknown }[] = [];
  const warnings: string[] = [];
  const refuse = (name: ParameterName, what: string) => problems.push({ name, what, received: config[name] });
  const warn = (name: ParameterName, where: string) => warnings.push(`${called(name)} has no effect ${where}`);

  const { loss, finalAct, adapt, adaptParams, learningRate } = config;
  if (loss !== undefined && finalAct !== undefined) {
    const own = defaultFinalAct(loss);
    if (isCrossEntropy(loss) && finalAct !== own) refuse("finalAct", `${own} with loss ${loss}`);
    if (!isCrossEntropy(loss) && finalAct.startsWith("softmax"))
      refuse("finalAct", `linear, relu, tanh, leaky-s, elu-a or selu-l-a with loss ${loss}`);
  }
  if (config.batchSize === 1 && config.nSample === 0)
    refuse("batchSize", `at least 2 where ${called("nSample")} is 0, as no negative sample would be left,`);

  if (adapt === "adadelta") {
    if (learningRate !== undefined && learningRate !== 1) refuse("learningRate", "1 with adapt adadelta");
    if (config.learningRateDecay !== undefined && config.learningRateDecay !== 1)
      refuse("learningRateDecay", "1 with adapt adadelta");
  }
  if (adapt !== undefined && adaptParams !== undefined) {
    const rates = DECAY_RATES[adapt].length;
    if (rates === 0 && adaptParams.length > 0) warn("adaptParams", `with adapt ${adapt}`);
    if (rates > 0 && adaptParams.length !== rates)
      refuse("adaptParams", `a list of ${rates} decay rate${rates > 1 ? "s" : ""} with adapt ${adapt}`);
  }

  if (loss !== undefined && !isCrossEntropy(loss)) {
    if (config.logq) warn("logq", `with loss ${loss}`);
    if (config.smoothing) warn("smoothing", `with loss ${loss}`);
  }
  if (config.embedding === "none" && config.dropoutEmbed) warn("dropoutEmbed", "without an embedding");
  return { problems, warnings };
}
