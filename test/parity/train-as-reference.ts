import type { NativeDeviceOptions } from "../../lib/native/addon";
import { ReferenceModel } from "../reference/model";
import { expectParameters, largest, readParameters, relativeError } from "./compare";
import { ascending, randomSessions, scrambled, supportOf, type Combination } from "./fixtures";
import { FROM_THE_START, withModelOn } from "./native";

/**
 * Trains a model and the reference, each on its own from the same initial weights, for at least 200 steps. float32 and
 * float64 differ by at most 5e-8 in the losses and 5e-6 in the weights here, with every instruction set; the limits leave
 * a factor of 20.
 */
export async function expectTrainingAsReference(
  device: NativeDeviceOptions,
  { model: spec, training, initial, sessionCount }: Combination,
): Promise<void> {
  const sessions = randomSessions(sessionCount, 8, spec.items, 1);
  // With trainRandomOrder the order is drawn from the seed, starting from ascending session numbers.
  const order = training.randomOrder ? ascending(sessionCount) : scrambled(sessionCount);
  const support = supportOf(sessions, spec.items);
  const reference = new ReferenceModel(spec, initial);
  reference.prepareTraining(training, support);

  await withModelOn(device, spec, async (model) => {
    await model.initialise(initial);
    await model.prepareTraining(training, support, FROM_THE_START);
    for (let steps = 0; steps < 200;) {
      const expected = reference.trainEpoch(sessions, order);
      const actual = await model.trainEpoch(sessions, order, { learningRate: training.learningRate }, undefined);
      expect({ steps: actual.steps, events: actual.events }).toEqual({
        steps: expected.steps,
        events: expected.events,
      });
      expect(relativeError(actual.loss, expected.loss)).toBeLessThan(1e-6);
      steps += expected.steps;
    }
    const expected = reference.parameters;
    expectParameters(readParameters(model), expected, (_, { values }) => 1e-4 * largest(values));
  });
}
