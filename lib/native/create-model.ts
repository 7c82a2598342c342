import { parseActivation, type Config } from "../config";
import type { NativeModel, NativeModelSpec, NativeTrainingSpec } from "./addon";
import { callNative } from "./call";
import { deviceOptions, expectLibrary } from "./device-options";
import { loadAddon } from "./load";

export function modelSpec(config: Config, items: number): NativeModelSpec {
  const { embedding, layers } = config;
  const separate = embedding !== "none" && embedding !== "shared";
  return {
    items,
    layers,
    embedding: separate ? "separate" : embedding,
    embeddingSize: separate ? (embedding === "layersize" ? layers[0]! : embedding) : 0,
    hiddenAct: parseActivation(config.hiddenAct),
    finalAct: parseActivation(config.finalAct),
    resetAfter: config.resetAfter,
  };
}

export function trainingSpec(config: Config): NativeTrainingSpec {
  const [decay = 0, secondDecay = 0] = config.adaptParams;
  return {
    loss: config.loss,
    smoothing: config.smoothing,
    bpreg: config.bpreg,
    optimiser: config.adapt,
    learningRate: config.learningRate,
    momentum: config.momentum,
    lmbd: config.lmbd,
    decay,
    secondDecay,
    batchSize: config.batchSize,
    nSample: config.nSample,
    sampleAlpha: config.sampleAlpha,
    sampleStore: config.sampleStore,
    logq: config.logq,
    dropoutEmbed: config.dropoutEmbed,
    dropoutHidden: config.dropoutHidden,
    gradCap: config.gradCap,
    seed: config.seed,
    randomOrder: config.trainRandomOrder,
    precision: config.precision,
    bptt: config.bptt,
    stepsPerLaunch: config.stepsPerLaunch,
  };
}

/**
 * A native model of a configuration; its weights are not yet set.
 * @param options.toTrain - Whether it is trained next: then all that training takes must fit. Default false.
 * @throws {@link Gru4RecError} `ERR_DEVICE`, `ERR_OUT_OF_MEMORY` and others.
 */
export function createModel(
  config: Config,
  items: number,
  { toTrain = false }: { readonly toTrain?: boolean } = {},
): NativeModel {
  const { Model } = loadAddon();
  expectLibrary(config);
  const options = deviceOptions(config);
  return callNative(() => new Model(modelSpec(config, items), options, toTrain ? trainingSpec(config) : undefined));
}
