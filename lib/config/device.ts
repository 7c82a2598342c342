/** Where to compute: `cuda` is the first GPU that can be used, `auto` that one or else the CPU. */
export type DeviceName = "auto" | "cpu" | "cuda" | `cuda:${number}`;

const DEVICE = /^(?:auto|cpu|cuda(?::\d{1,4})?)$/;

export function isDeviceName(value: unknown): value is DeviceName {
  return typeof value === "string" && DEVICE.test(value);
}
