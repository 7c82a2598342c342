/** What `npm run gpu:check` adds to the options of the program: its library, where the result goes, and the floors. */
import { join } from "node:path";

/** "NVIDIA H100 80GB HBM3" -> "nvidia-h100-80gb-hbm3" */
const slug = (name) =>
  name
    .toLowerCase()
    .match(/[a-z0-9]+/g)
    ?.join("-") ?? "gpu";

/** The GPU that `args` are about, of the names that nvidia-smi lists, one a line. */
export function chosenGpu(args, names) {
  const number = Number(/^cuda:(\d+)$/.exec(args[args.lastIndexOf("--device") + 1])?.[1] ?? 0);
  return slug(names.split("\n")[args.includes("--device") ? number : 0] ?? "");
}

/** Whether the CUDA library has to be built. */
export const needsLibrary = (args, environment) =>
  !args.includes("--help") && !args.includes("--library") && environment.GRU4REC_CUDA_LIBRARY === undefined;

/** Files of floors in scripts/bench/results by the GPU that they were made for. */
const floors = { "nvidia-h100-80gb-hbm3": "roofline.json" };

/**
 * The options, with a place for the result where `args` name none, which no other run of that GPU has, and with the
 * floors of the GPU where `args` name none and there are some.
 * @param {readonly string[]} args
 * @param {{ results: string, gpu: string, date: Date, exists: (path: string) => boolean }} place
 */
export function withDefaults(args, { results, gpu, date, exists }) {
  if (args.includes("--help")) return [...args];
  const all = [...args];
  if (!args.includes("--out")) {
    const time = date.toISOString().slice(0, 19).replaceAll(":", "-");
    const file = (number) => join(results, `${time}-${gpu}${number > 1 ? `-${number}` : ""}.json`);
    let number = 1;
    while (exists(file(number))) ++number;
    all.push("--out", file(number));
  }
  const floor = floors[gpu] && join(results, floors[gpu]);
  if (!args.includes("--roofline") && floor !== undefined && exists(floor)) all.push("--roofline", floor);
  return all;
}
