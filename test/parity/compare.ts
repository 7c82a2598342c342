import type { NativeModel, NativeTensor } from "../../lib/native/addon";
import { Matrix } from "../reference/matrix";
import type { Parameters } from "../reference/parameters";

function readTensor(model: NativeModel, { name, rows, cols }: NativeTensor): Float32Array {
  const values = new Float32Array(rows * cols);
  model.readTensor(name, 0, values);
  return values;
}

/** The parameters of a native model, without the state of its optimiser. */
function parametersOf(model: NativeModel): NativeTensor[] {
  return model.tensors().filter(({ name }) => !name.startsWith("optimiser."));
}

/** All parameters of a native model. */
export function readParameters(model: NativeModel): Parameters {
  return new Map(
    parametersOf(model)
      .filter(({ rows, cols }) => rows * cols > 0)
      .map((tensor) => [tensor.name, Matrix.from(tensor.rows, tensor.cols, readTensor(model, tensor))]),
  );
}

/** Sets all parameters of a native model, rounded to float32. */
export function writeParameters(model: NativeModel, parameters: Parameters): void {
  for (const [name, { values }] of parameters) model.writeTensor(name, 0, Float32Array.from(values));
}

export function largest(values: Float64Array): number {
  return values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

/** The bits of all parameters, for comparisons that allow no rounding. */
export function parameterBits(model: NativeModel): Record<string, Uint32Array> {
  return Object.fromEntries(parametersOf(model).map((tensor) => [tensor.name, bits(readTensor(model, tensor))]));
}

export function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Tables have the same names and shapes, and no value is further away than `tolerance`(expected table). */
export function expectParameters(
  actual: Parameters,
  expected: Parameters,
  tolerance: (name: string, expected: Matrix) => number,
): void {
  const shapes = (parameters: Parameters): string[] =>
    [...parameters].map(([name, { rows, cols }]) => `${name} [${rows}, ${cols}]`).sort();
  expect(shapes(actual)).toEqual(shapes(expected));
  const problems: string[] = [];
  for (const [name, table] of expected) {
    const limit = tolerance(name, table);
    let worst = 0;
    let where = 0;
    actual.get(name)!.values.forEach((value, i) => {
      const difference = Math.abs(value - table.values[i]!);
      if (!(difference <= worst)) [worst, where] = [difference, i];
    });
    if (!(worst <= limit)) {
      problems.push(
        `${name}[${Math.floor(where / table.cols)}, ${where % table.cols}]: expected ${table.values[where]!} within ` +
          `${limit.toExponential(2)} but received ${actual.get(name)!.values[where]!} (${worst.toExponential(2)} away)`,
      );
    }
  }
  expect(problems).toEqual([]);
}

/** Relative difference of two numbers. */
export function relativeError(actual: number, expected: number): number {
  return Math.abs(actual - expected) / Math.abs(expected);
}
