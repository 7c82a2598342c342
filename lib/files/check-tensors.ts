import { FormatError, type SafetensorsFile, type TensorInfo } from "./safetensors";

/** A tensor that belongs into a file; one without a shape may have any. */
export type ExpectedTensor = Omit<TensorInfo, "shape"> & { readonly shape?: readonly number[] };

/** Refuses a file without one of these tensors, or with another type or shape of it. */
export function checkTensors(file: SafetensorsFile, expected: readonly ExpectedTensor[]): void {
  for (const { name, dtype, shape } of expected) {
    const tensor = file.tensors.find((candidate) => candidate.name === name);
    if (tensor === undefined) throw new FormatError(`it has no tensor ${name}`);
    const wanted = shape ?? [tensor.shape[0] ?? 0];
    if (tensor.dtype !== dtype || String(tensor.shape) !== String(wanted))
      throw new FormatError(
        `tensor ${name} is ${tensor.dtype} [${tensor.shape.join(", ")}] where ${dtype} [${wanted.join(", ")}] belongs`,
      );
  }
}

/** Refuses a file with a tensor that is none of these. */
export function checkNoOthers(file: SafetensorsFile, expected: readonly ExpectedTensor[]): void {
  const names = new Set(expected.map(({ name }) => name));
  const stranger = file.tensors.find(({ name }) => !names.has(name));
  if (stranger !== undefined) throw new FormatError(`it has a tensor ${stranger.name}, which does not belong there`);
}
