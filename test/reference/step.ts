import type { NativeModelSpec, NativeTrainingSpec } from "../../lib/native/addon";
import { type CellRow, type LayerParameters, backwardCell, forwardCell } from "./gru";
import { rowLoss } from "./loss";
import { Matrix } from "./matrix";
import { type Parameters, inputTable, isTable, layerTensors, outputBias, outputWeight } from "./parameters";

/** Everything a training step depends on besides the parameters. */
export interface StepInput {
  /** [M] item indices */
  readonly inputs: readonly number[];
  readonly targets: readonly number[];
  /** [N] item indices */
  readonly samples: readonly number[];
  /** [layers] of [M, H]: hidden states before the step */
  readonly states: readonly Matrix[];
  /** [M, D] factors of the input dropout, undefined = none */
  readonly inputMask: Matrix | undefined;
  /** [layers] of [M, H] factors of the hidden dropout, undefined = none */
  readonly hiddenMasks: readonly (Matrix | undefined)[];
  /** [items] training events of each */
  readonly support: ArrayLike<number>;
  /** [M] what the step before computed for each row's session; undefined = the session starts. None = for all. */
  readonly before?: readonly (StepRow | undefined)[];
}

/** What a step computed for one row, for gradients that go back through time. */
export interface StepRow {
  /** Item index */
  readonly input: number;
  /** One a layer */
  readonly cells: readonly CellRow[];
  /** [D] factors of the input dropout, undefined = none */
  readonly inputMask: Float64Array | undefined;
  /** [layers] of [H] factors of the hidden dropout, undefined = none */
  readonly hiddenMasks: readonly (Float64Array | undefined)[];
  /** The session's step before, undefined = it starts here */
  readonly before: StepRow | undefined;
}

/** Gradients: matrices of the layers' parameters, and the summed gradient of every touched row of the tables. */
export interface Gradients {
  readonly dense: Parameters;
  readonly rows: Map<string, Map<number, Float64Array>>;
}

export interface StepResult {
  /** Sum of the row terms divided by the batch size. */
  readonly loss: number;
  /** [layers] of [M, H]: hidden states after the step, dropout applied */
  readonly states: Matrix[];
  /** [M] */
  readonly rows: StepRow[];
  readonly gradients: Gradients;
}

/** The parameters (or gradients) of layer `l`. */
export function layerOf(parameters: Parameters, l: number): LayerParameters {
  const names = layerTensors(l);
  return {
    candidate: parameters.get(names.candidate)!,
    gates: parameters.get(names.gates)!,
    bias: parameters.get(names.bias)!,
    candidateHiddenBias: parameters.get(names.candidateHiddenBias),
  };
}

/** Element by element product; the values themselves where there is no mask. */
function masked(values: Float64Array, mask: Float64Array | undefined): Float64Array {
  return mask ? values.map((value, d) => value * mask[d]!) : values;
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, d) => value + b[d]!);
}

/** What all layers computed for one row, and the row's output [H of the last layer]. */
interface StackRow {
  readonly cells: CellRow[];
  readonly states: Float64Array[];
  readonly output: Float64Array;
}

/** Feeds item `input` to all layers. `row` selects the row of states and masks. */
export function forwardStack(
  spec: NativeModelSpec,
  parameters: Parameters,
  input: number,
  row: number,
  states: readonly Matrix[],
  inputMask: Matrix | undefined,
  hiddenMasks: readonly (Matrix | undefined)[],
): StackRow {
  const tableRow = parameters.get(inputTable(spec))!.row(input);
  const oneHot = spec.embedding === "none" ? tableRow : undefined;
  // A copy, since later steps look back at it, when the table has changed.
  let x = oneHot ? new Float64Array(0) : masked(tableRow.slice(), inputMask?.row(row));
  const cells: CellRow[] = [];
  const newStates: Float64Array[] = [];
  for (let l = 0; l < spec.layers.length; ++l) {
    const layer = layerOf(parameters, l);
    const cell = forwardCell(layer, spec.hiddenAct, x, l === 0 ? oneHot : undefined, states[l]!.row(row));
    cells.push(cell);
    x = masked(cell.next, hiddenMasks[l]?.row(row));
    newStates.push(x);
  }
  return { cells, states: newStates, output: x };
}

/** Raw score of `item` for a network output [H]. */
export function score(parameters: Parameters, output: Float64Array, item: number): number {
  const weight = parameters.get(outputWeight)!;
  let sum = parameters.get(outputBias)!.at(item, 0);
  for (let d = 0; d < output.length; ++d) sum += output[d]! * weight.at(item, d);
  return sum;
}

/** log q of a column of the scores: targets count with their support, samples with support^sampleAlpha. */
function logFrequency(training: NativeTrainingSpec, support: number, isTarget: boolean): number {
  return Math.log(isTarget ? support : support ** training.sampleAlpha);
}

/** Forward and backward pass of one training step. Nothing is updated. */
export function computeStep(
  spec: NativeModelSpec,
  training: NativeTrainingSpec,
  parameters: Parameters,
  input: StepInput,
): StepResult {
  const M = input.inputs.length;
  const columns = [...input.targets, ...input.samples];
  const correctsLogq = training.loss === "cross-entropy" || training.loss === "xe_logit";
  const states = spec.layers.map((hidden) => new Matrix(M, hidden));
  const rows: StepRow[] = [];
  const gradients = zeroGradients(parameters);
  let loss = 0;

  for (let i = 0; i < M; ++i) {
    const stack = forwardStack(spec, parameters, input.inputs[i]!, i, input.states, input.inputMask, input.hiddenMasks);
    stack.states.forEach((state, l) => states[l]!.row(i).set(state));

    const scores = new Float64Array(columns.length);
    columns.forEach((item, j) => {
      scores[j] = score(parameters, stack.output, item);
      if (correctsLogq && training.logq > 0) {
        scores[j] -= training.logq * logFrequency(training, input.support[item]!, j < M);
      }
    });
    const term = rowLoss(training, spec.finalAct, scores, i);
    loss += term.loss / training.batchSize;

    const scoreGradient = term.gradient.map((g) => g / training.batchSize);
    const outputGradient = new Float64Array(stack.output.length);
    columns.forEach((item, j) => {
      const weight = parameters.get(outputWeight)!.row(item);
      const weightGradient = rowGradient(gradients, outputWeight, item, weight.length);
      for (let d = 0; d < weight.length; ++d) {
        outputGradient[d]! += scoreGradient[j]! * weight[d]!;
        weightGradient[d]! += scoreGradient[j]! * stack.output[d]!;
      }
      rowGradient(gradients, outputBias, item, 1)[0]! += scoreGradient[j]!;
    });

    const row: StepRow = {
      input: input.inputs[i]!,
      cells: stack.cells,
      inputMask: input.inputMask?.row(i),
      hiddenMasks: input.hiddenMasks.map((mask) => mask?.row(i)),
      before: input.before?.[i],
    };
    rows.push(row);
    backwardSteps(spec, parameters, training.bptt, row, outputGradient, gradients);
  }
  return { loss, states, rows, gradients };
}

/** From the gradient of the last layer's state [H] back through at most `steps` steps of the row's session. */
function backwardSteps(
  spec: NativeModelSpec,
  parameters: Parameters,
  steps: number,
  last: StepRow,
  outputGradient: Float64Array,
  gradients: Gradients,
): void {
  let stateGradients: Float64Array[] = spec.layers.map((hidden) => new Float64Array(hidden));
  stateGradients[stateGradients.length - 1] = outputGradient;
  let row: StepRow | undefined = last;
  for (let s = 0; s < steps && row; ++s) {
    stateGradients = backwardStack(spec, parameters, row, stateGradients, gradients);
    row = row.before;
  }
}

/**
 * One row of one step.
 * @param fromLater - [layers] of [H] gradients of the new states, without what comes from the layers above.
 * @returns [layers] of [H] gradients of the old states.
 */
function backwardStack(
  spec: NativeModelSpec,
  parameters: Parameters,
  row: StepRow,
  fromLater: readonly Float64Array[],
  gradients: Gradients,
): Float64Array[] {
  const oldStates: Float64Array[] = [];
  let stateGradient = fromLater.at(-1)!;
  for (let l = spec.layers.length - 1; l >= 0; --l) {
    const { x, h, sums } = backwardCell(
      layerOf(parameters, l),
      spec.hiddenAct,
      row.cells[l]!,
      masked(stateGradient, row.hiddenMasks[l]),
      layerOf(gradients.dense, l),
    );
    oldStates[l] = h;
    if (l > 0) {
      stateGradient = sum(x, fromLater[l - 1]!);
      continue;
    }
    const tableGradient = spec.embedding === "none" ? sums : masked(x, row.inputMask);
    const total = rowGradient(gradients, inputTable(spec), row.input, tableGradient.length);
    for (let d = 0; d < tableGradient.length; ++d) total[d]! += tableGradient[d]!;
  }
  return oldStates;
}

function zeroGradients(parameters: Parameters): Gradients {
  const dense: Parameters = new Map();
  const rows = new Map<string, Map<number, Float64Array>>();
  for (const [name, parameter] of parameters) {
    if (isTable(name)) rows.set(name, new Map());
    else dense.set(name, new Matrix(parameter.rows, parameter.cols));
  }
  return { dense, rows };
}

/** The summed gradient of one row of a table; the row counts as touched from now on. */
function rowGradient(gradients: Gradients, table: string, item: number, width: number): Float64Array {
  const rows = gradients.rows.get(table)!;
  let gradient = rows.get(item);
  if (!gradient) {
    gradient = new Float64Array(width);
    rows.set(item, gradient);
  }
  return gradient;
}
