import type { CudaDevice, DeviceList, DeviceMemory, Evaluation, Metrics, ModelInfo, Recommendations } from "../index";

/** JSON for machines; a bigint becomes text, as JSON has no such number. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) => (typeof entry === "bigint" ? String(entry) : entry));
}

/** A table of the metrics, one line a list length, and what was measured. */
export function evaluationText({ recall, mrr, targets, sessions, skippedEvents, ties }: Evaluation): string {
  const lines = Object.keys(recall).map((k) => {
    const length = Number(k);
    return `Recall@${k} ${recall[length]!.toFixed(6)}  MRR@${k} ${mrr[length]!.toFixed(6)}`;
  });
  return `${lines.join("\n")}\n${targets} targets in ${sessions} sessions, ${ties} ties, ${skippedEvents} events of unknown items skipped`;
}

/** Metrics in one line, as the history of a training has them. */
export function metricsText({ recall, mrr }: Metrics): string {
  return Object.entries({ recall, mrr })
    .flatMap(([name, byLength]) => Object.entries(byLength).map(([k, value]) => `${name}@${k} ${value.toFixed(6)}`))
    .join("  ");
}

/** The line that the author's tool prints for programs that tune parameters: recall at the first list length. */
export function primaryMetricText({ recall }: Evaluation, k: number): string {
  return `PRIMARY METRIC: ${recall[k]!.toFixed(6)}`;
}

/** One line an item: place, id and score. */
export function recommendationText({ items, scores }: Recommendations): string {
  return items.map((item, i) => `${i + 1}\t${String(item)}\t${scores[i]!.toPrecision(6)}`).join("\n");
}

/** What is to say about a session besides its list. */
export function recommendationNotes({ skipped, fallback }: Recommendations): string[] {
  const notes: string[] = [];
  if (skipped > 0) notes.push(`${skipped} unknown item${skipped > 1 ? "s" : ""} skipped`);
  if (fallback) notes.push("no known item in the session: the most popular items of the training data");
  return notes;
}

/** What a model file holds: counts, configuration and the epochs. */
export function modelInfoText(info: ModelInfo): string {
  const number = (value: number) => value.toLocaleString("en-US");
  const facts = [
    ["file", `${info.path}, ${number(info.bytes)} bytes`],
    ["written by", `gru4rec ${info.packageVersion}, format version ${info.formatVersion}`],
    ["items", `${number(info.items)}, ids: ${info.itemKind}`],
    ["parameters", number(info.parameters)],
    ["epoch", `${info.epoch} of ${info.history.length}`],
    ["optimiser", info.optimiserState ? "state kept" : "state not kept"],
  ] as const;
  const tensors = info.tensors.map(({ name, dtype, shape }) => [name, `${dtype} [${shape.join(", ")}]`] as const);
  const epochs = info.history.map(({ epoch, loss, seconds, validation }) => {
    const metrics = validation === undefined ? "" : `  ${metricsText(validation)}`;
    return [String(epoch), `loss ${loss.toFixed(4)}  ${seconds.toFixed(1)} s${metrics}`] as const;
  });
  return [
    aligned(facts),
    `\nTensors\n${aligned(tensors, "  ")}`,
    `\nEpochs\n${aligned(epochs, "  ")}`,
    `\n${info.config.describe()}`,
  ].join("\n");
}

/** The devices, one a line, and what GPUs need. */
export function deviceListText({ devices: [cpu, ...gpus], auto, cuda }: DeviceList): string {
  const threads = `${cpu.threads} thread${cpu.threads > 1 ? "s" : ""}`;
  const gpu = ({ name, computeCapability, memory, reason }: CudaDevice) =>
    [name, `compute capability ${computeCapability}`, memoryText(memory), reason ?? "usable"].join(", ");
  const cublas = cuda.cublas && (cuda.cublas.reason ?? `${cuda.cublas.version} in ${cuda.cublas.path}`);
  const facts: (readonly [string, string | undefined])[] = [
    ["CUDA", cuda.reason ?? "usable"],
    ["library", cuda.library],
    ["driver", cuda.driver && `knows CUDA ${cuda.driver}`],
    ["runtime", cuda.runtime && `CUDA ${cuda.runtime}`],
    ["cuBLAS", cublas],
  ];
  return [
    aligned([
      ["cpu", [cpu.instructionSet, threads, memoryText(cpu.memory)].join(", ")],
      ...gpus.map((device) => [device.id, gpu(device)] as const),
      ["auto", `takes ${auto}`],
    ]),
    "",
    aligned(facts.filter((fact): fact is [string, string] => fact[1] !== undefined)),
  ].join("\n");
}

function memoryText({ total, free }: DeviceMemory): string {
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  return total === 0 ? "memory unknown" : `${gigabytes(free)} of ${gigabytes(total)} GB free`;
}

/** Names and values, one pair a line. */
export function aligned(rows: readonly (readonly [string, string])[], indent = ""): string {
  const width = Math.max(...rows.map(([name]) => name.length), 0);
  return rows.map(([name, value]) => `${indent}${name.padEnd(width)}  ${value}`).join("\n");
}
