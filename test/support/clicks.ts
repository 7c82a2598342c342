import { train, type EventColumns, type TrainOptions } from "../../lib";
import { randomIntegers } from "./random";

/**
 * A small click log whose sessions walk round a circle of items, now and then with a jump: easy to learn.
 * @param idOf - Makes the item ids of the numbers from 0.
 */
export function circleClicks({
  sessions = 200,
  items = 30,
  seed = 1,
  idOf = (item: number): number | bigint | string => item,
} = {}) {
  const random = randomIntegers(seed);
  const columns = { sessionId: [] as number[], itemId: [] as (number | bigint | string)[], time: [] as number[] };
  for (let session = 0; session < sessions; ++session) {
    let item = random(items);
    const length = 2 + random(6);
    for (let event = 0; event < length; ++event) {
      columns.sessionId.push(session);
      columns.itemId.push(idOf(item));
      columns.time.push(session * 10 + event);
      item = (item + (random(10) === 0 ? random(items) : 1)) % items;
    }
  }
  return columns satisfies EventColumns;
}

/** Parameters that learn {@link circleClicks} in a moment. */
export const SMALL = { layers: [12], batchSize: 16, nSample: 24, nEpochs: 3, sampleStore: 10_000, threads: 1 } as const;

/** A click log as the text of a TSV file. */
export function tsvOf(columns: EventColumns): string {
  const rows = Array.from(columns.time, (time, i) => `${columns.sessionId[i]}\t${columns.itemId[i]}\t${String(time)}`);
  return `SessionId\tItemId\tTime\n${rows.join("\n")}\n`;
}

/** A model with linear scores, so that ranks can be found from what predict returns. */
export const trainLinear = (options: TrainOptions = {}, data = circleClicks()) =>
  train(data, { ...SMALL, loss: "bpr", ...options });
