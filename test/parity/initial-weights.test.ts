import type { NativeModelSpec } from "../../lib/native/addon";
import { initialParameters } from "../reference/parameters";
import { expectParameters, readParameters } from "./compare";
import { plainModel } from "./fixtures";
import { withModel } from "./native";

const models: Record<string, NativeModelSpec> = {
  shared: plainModel,
  "shared, layers 17/33, reset after": { ...plainModel, layers: [17, 33], resetAfter: true },
  none: { ...plainModel, embedding: "none", layers: [13] },
  "none, layers 31/5, reset after": { ...plainModel, embedding: "none", layers: [31, 5], resetAfter: true },
  "separate, layers 9/5/7": { ...plainModel, items: 257, embedding: "separate", embeddingSize: 6, layers: [9, 5, 7] },
  "separate, one of each": { ...plainModel, items: 1, embedding: "separate", embeddingSize: 1, layers: [1] },
};

describe.each(Object.entries(models))("initial weights: %s", (_, spec) => {
  test.each([
    { sigma: 0, seed: 42 },
    { sigma: 0, seed: 0 },
    { sigma: 0.1, seed: 2 ** 45 + 3 },
  ])("uniform ones are the documented numbers bit for bit, sigma $sigma, seed $seed", async ({ sigma, seed }) => {
    const how = { sigma, seed, normal: false };
    await withModel(spec, async (model) => {
      await model.initialise(how);
      expectParameters(readParameters(model), initialParameters(spec, how), () => 0);
    });
  });

  // log and cos may differ in the last bit of a float64 between libraries, so the float32 in its last bit.
  test.each([0, 0.3])(
    "normal ones are the documented numbers within the rounding of float32, sigma %d",
    async (sigma) => {
      const how = { sigma, seed: 5, normal: true };
      await withModel(spec, async (model) => {
        await model.initialise(how);
        const actual = readParameters(model);
        const expected = initialParameters(spec, how);
        expectParameters(actual, expected, (_name, { values }) =>
          values.reduce((limit, value) => Math.max(limit, Math.abs(value) * 2 ** -23), 0),
        );
        let same = 0;
        let all = 0;
        for (const [name, { values }] of expected) {
          all += values.length;
          values.forEach((value, i) => (same += Number(value === actual.get(name)!.values[i])));
        }
        expect(same / all).toBeGreaterThan(0.999);
      });
    },
  );
});
