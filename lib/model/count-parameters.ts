import type { Config } from "../config";

/** Floats of a model's weights (docs/model.md), without making it. */
export function countParameters({ layers, embedding, resetAfter }: Config, items: number): number {
  const hidden = layers.at(-1)!;
  const widths = { shared: hidden, none: 0, layersize: layers[0]! };
  const width = typeof embedding === "number" ? embedding : widths[embedding];
  const dense = layers.map((units, layer) => {
    const input = layer === 0 ? width : layers[layer - 1]!;
    return 3 * units * (input + units + 1) + (resetAfter ? units : 0);
  });
  const inputColumns = embedding === "shared" ? 0 : embedding === "none" ? 3 * layers[0]! : width;
  return dense.reduce((a, b) => a + b, 0) + items * (hidden + 1 + inputColumns);
}
