import type { NativeModelSpec } from "../../lib/native/addon";
import { Matrix } from "./matrix";
import { type InitialWeights, initialWeights } from "./random";

/** All parameters, or a value for each of them, by tensor name. */
export type Parameters = Map<string, Matrix>;

export const outputWeight = "output.weight";
export const outputBias = "output.bias";

/** The tensors of layer `l` (docs/random.md). */
export function layerTensors(l: number) {
  return {
    /** [H + in, H]: rows of Whc, then rows of Wxc */
    candidate: `layers.${l}.candidate.weight`,
    /** [in + H, 2H]: rows of [Wxr Wxz], then rows of [Whr Whz] */
    gates: `layers.${l}.gates.weight`,
    /** [1, 3H]: candidate, reset, update */
    bias: `layers.${l}.bias`,
    /** bhc [1, H], with resetAfter only */
    candidateHiddenBias: `layers.${l}.candidate_hidden.bias`,
  };
}

/** The table that holds the input rows: Wx0, E or Wy. */
export function inputTable(spec: NativeModelSpec): string {
  return { none: "input.weight", separate: "input.embedding", shared: outputWeight }[spec.embedding];
}

/** Tables have a row an item and are updated by the row. */
export function isTable(name: string): boolean {
  return !name.startsWith("layers.");
}

/** Width of what layer `l` reads through its matrices. */
export function inputWidth(spec: NativeModelSpec, l: number): number {
  if (l > 0) return spec.layers[l - 1]!;
  return { none: 0, separate: spec.embeddingSize, shared: spec.layers.at(-1)! }[spec.embedding];
}

/** Parameters as `initialise` draws them. */
export function initialParameters(spec: NativeModelSpec, how: InitialWeights): Parameters {
  const parameters: Parameters = new Map();
  spec.layers.forEach((hidden, l) => {
    const names = layerTensors(l);
    const width = inputWidth(spec, l);
    const shape = (isHidden: boolean): [number, number] => [isHidden ? hidden : width, hidden];
    parameters.set(
      names.candidate,
      initialWeights(how, 16 + 2 * l, hidden + width, hidden, (row) => shape(row < hidden)),
    );
    parameters.set(
      names.gates,
      initialWeights(how, 17 + 2 * l, width + hidden, 2 * hidden, (row) => shape(row >= width)),
    );
    parameters.set(names.bias, new Matrix(1, 3 * hidden));
    if (spec.resetAfter) parameters.set(names.candidateHiddenBias, new Matrix(1, hidden));
  });

  const { items } = spec;
  const last = spec.layers.at(-1)!;
  parameters.set(
    outputWeight,
    initialWeights(how, 1, items, last, () => [items, last]),
  );
  parameters.set(outputBias, new Matrix(items, 1));
  if (spec.embedding === "none") {
    const first = spec.layers[0]!;
    parameters.set(
      inputTable(spec),
      initialWeights(how, 2, items, 3 * first, () => [items, first]),
    );
  } else if (spec.embedding === "separate") {
    const size = spec.embeddingSize;
    parameters.set(
      inputTable(spec),
      initialWeights(how, 2, items, size, () => [items, size]),
    );
  }
  return parameters;
}
