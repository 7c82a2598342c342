/**
 * One measured training in a process of its own, so that its peak memory is the training's: started by train.mjs with a
 * JSON description as its argument, prints a JSON result.
 *
 *   { data: path | { items, events }, parameters, options, steps }
 */
import { makeRandom } from "../demo/random.mjs";
import { peakBytes } from "../support/memory.mjs";
import { ExplainedError, runMain } from "../support/run.mjs";

/** Sessions of five events over `items` items, each of which occurs; the others are drawn uniformly. */
function syntheticColumns({ items, events }) {
  const random = makeRandom(1);
  const itemId = new Int32Array(events);
  for (let e = 0; e < events; ++e) itemId[e] = e < items ? e : Math.floor(random() * items);
  for (let e = events - 1; e > 0; --e) {
    const other = Math.floor(random() * (e + 1));
    [itemId[e], itemId[other]] = [itemId[other], itemId[e]];
  }
  return {
    sessionId: Int32Array.from(itemId, (_, e) => Math.floor(e / 5)),
    itemId,
    time: Float64Array.from(itemId, (_, e) => e),
  };
}

/** Trains as described and returns what the benchmark wants to know. */
async function measure({ data, parameters, options, steps }, { readEvents, train }) {
  const log = await readEvents(typeof data === "string" ? data : syntheticColumns(data));
  const stop = new AbortController();
  const epochs = [];
  let model;
  try {
    model = await train(log, {
      ...options,
      parameters,
      signal: stop.signal,
      onProgress: ({ epoch, step, events, loss, miniBatchesPerSecond, eventsPerSecond }) => {
        epochs[epoch - 1] = { steps: step, events, loss, miniBatchesPerSecond, eventsPerSecond };
        if (steps !== undefined && step >= steps) stop.abort();
      },
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  const { items, sessionIds, itemIds } = log;
  const counts = { events: items.length, sessions: sessionIds.length, items: itemIds.length };
  return { ...counts, device: model?.device, config: model?.config, epochs };
}

await runMain(async () => {
  const description = JSON.parse(process.argv[2]);
  // Without data: how much a bare Node takes.
  let result = {};
  if (description.data !== undefined) {
    const gru4rec = await import("../../dist/index.js");
    try {
      result = await measure(description, gru4rec);
    } catch (error) {
      throw error instanceof gru4rec.Gru4RecError ? new ExplainedError(`${error.code}: ${error.message}`) : error;
    }
  }
  console.log(JSON.stringify({ ...result, peakBytes: peakBytes() }));
});
