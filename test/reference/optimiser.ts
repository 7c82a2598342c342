import type { NativeTrainingSpec } from "../../lib/native/addon";
import type { Matrix } from "./matrix";
import { type Parameters } from "./parameters";
import type { Gradients } from "./step";

const epsilon = 1e-6;

/** What an optimiser remembers of one row (a dense parameter: of all its rows, which are always touched together). */
interface RowState {
  /** [cols] adagrad's sum, the running mean of g^2, adam's second moment */
  readonly squares: Float64Array;
  /** [cols] adadelta's running mean of d^2, adam's first moment */
  readonly second: Float64Array;
  /** [cols] momentum */
  readonly velocity: Float64Array;
  /** Updates so far. */
  count: number;
}

/** Updates parameters from the gradients of one step; untouched rows neither decay nor coast. */
export class Optimiser {
  private readonly states = new Map<string, Map<number, RowState>>();

  constructor(private readonly training: NativeTrainingSpec) {}

  update(parameters: Parameters, gradients: Gradients): void {
    const factor = this.capFactor(gradients);
    for (const [name, gradient] of gradients.dense) {
      for (let row = 0; row < gradient.rows; ++row) {
        this.updateRow(name, parameters.get(name)!, row, gradient.row(row), factor);
      }
    }
    for (const [name, rows] of gradients.rows) {
      for (const [row, gradient] of rows) this.updateRow(name, parameters.get(name)!, row, gradient, factor);
    }
  }

  /** What gradCap multiplies all gradients with. */
  private capFactor(gradients: Gradients): number {
    const { gradCap } = this.training;
    if (!(gradCap > 0)) return 1;
    let squares = 0;
    const add = (values: Float64Array): void => values.forEach((value) => (squares += value * value));
    for (const gradient of gradients.dense.values()) add(gradient.values);
    for (const rows of gradients.rows.values()) for (const gradient of rows.values()) add(gradient);
    const norm = Math.sqrt(squares);
    return norm >= gradCap ? gradCap / norm : 1;
  }

  private updateRow(name: string, parameter: Matrix, row: number, gradient: Float64Array, factor: number): void {
    const { learningRate, lmbd, momentum } = this.training;
    const state = this.stateOf(name, row, parameter.cols);
    state.count += 1;
    const p = parameter.row(row);
    for (let d = 0; d < p.length; ++d) {
      const change = this.adapt(state, d, gradient[d]! * factor) + learningRate * lmbd * p[d]!;
      if (momentum > 0) {
        state.velocity[d] = momentum * state.velocity[d]! - change;
        p[d]! += state.velocity[d]!;
      } else {
        p[d]! -= change;
      }
    }
  }

  /** The amount to subtract from element `d` of a row for its gradient `g`. */
  private adapt(state: RowState, d: number, g: number): number {
    const { optimiser, learningRate, decay, secondDecay } = this.training;
    const { squares, second } = state;
    switch (optimiser) {
      case "sgd":
        return learningRate * g;
      case "adagrad":
        squares[d]! += g * g;
        return (learningRate * g) / Math.sqrt(squares[d]! + epsilon);
      case "rmsprop":
        squares[d] = decay * squares[d]! + (1 - decay) * g * g;
        return (learningRate * g) / Math.sqrt(squares[d] + epsilon);
      case "adadelta": {
        squares[d] = decay * squares[d]! + (1 - decay) * g * g;
        const change = g * Math.sqrt((second[d]! + epsilon) / (squares[d] + epsilon));
        second[d] = decay * second[d]! + (1 - decay) * change * change;
        return change;
      }
      case "adam": {
        second[d] = decay * second[d]! + (1 - decay) * g;
        squares[d] = secondDecay * squares[d]! + (1 - secondDecay) * g * g;
        const mean = second[d] / (1 - decay ** state.count);
        const variance = squares[d] / (1 - secondDecay ** state.count);
        return (learningRate * mean) / (Math.sqrt(variance) + epsilon);
      }
    }
  }

  private stateOf(name: string, row: number, cols: number): RowState {
    const rows = this.states.get(name) ?? new Map<number, RowState>();
    this.states.set(name, rows);
    let state = rows.get(row);
    if (!state) {
      const zeros = (): Float64Array => new Float64Array(cols);
      rows.set(row, (state = { squares: zeros(), second: zeros(), velocity: zeros(), count: 0 }));
    }
    return state;
  }
}
