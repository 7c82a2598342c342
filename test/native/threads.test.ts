import { PACKAGE, runScript } from "../support/processes";

// What a program does around the native calls, in processes of its own. All train the same log of 40,000 events.
const SETUP = `
  const columns = { sessionId: new Int32Array(40_000), itemId: new Int32Array(40_000), time: new Float64Array(40_000) };
  for (let i = 0; i < 40_000; ++i) {
    columns.sessionId[i] = i >> 2;
    columns.itemId[i] = (i * 7919) % 1009;
    columns.time[i] = i;
  }
  const small = { layers: [24], nSample: 128, nEpochs: 1, sampleStore: 100_000, threads: 1 };
  const endless = { ...small, nEpochs: 1_000_000 };
  const assert = require("node:assert");
`;

async function expectSuccess(script: string): Promise<void> {
  const outcome = await runScript(`${SETUP}(async () => {${script}})().then(() => console.log("finished"));`);
  expect(outcome).toMatchObject({ code: 0, stdout: "finished\n", stderr: "" });
}

test("training leaves the event loop and libuv's pool free", async () => {
  await expectSuccess(`
    process.env.UV_THREADPOOL_SIZE = "1";
    const { readFile } = require("node:fs/promises");
    const controller = new AbortController();
    const training = gru4rec.train(columns, { ...endless, signal: controller.signal });
    training.catch(() => {});
    let turns = 0;
    for (const end = performance.now() + 500; performance.now() < end; ++turns) {
      await readFile(${JSON.stringify(PACKAGE)});
      await new Promise((resolve) => setImmediate(resolve));
    }
    controller.abort();
    await assert.rejects(training, { code: "ERR_ABORTED" });
    assert.ok(turns > 50, "only " + turns + " turns of the event loop");
  `);
});

test("two models train and answer at once, with the bits that each has alone", async () => {
  await expectSuccess(`
    const scores = async (seed) => {
      const model = await gru4rec.train(columns, { ...small, seed });
      return Buffer.from((await model.predict([[1, 2, 3]])).buffer);
    };
    const alone = [await scores(1), await scores(2)];
    const together = await Promise.all([scores(1), scores(2)]);
    assert.ok(alone[0].equals(together[0]) && alone[1].equals(together[1]));
    assert.ok(!alone[0].equals(alone[1]));
  `);
});

test("a worker thread trains, and may end in the middle of it", async () => {
  await expectSuccess(`
    const { Worker } = require("node:worker_threads");
    const source = (options) => \`
      const gru4rec = require(\${JSON.stringify(${JSON.stringify(PACKAGE)})});
      const { parentPort, workerData } = require("node:worker_threads");
      gru4rec.train(workerData, { ...\${JSON.stringify(options)}, onProgress: () => parentPort.postMessage("progress") })
        .then((model) => parentPort.postMessage(model.itemCount));
    \`;
    const run = (options) => new Worker(source(options), { eval: true, workerData: columns });
    const { once } = require("node:events");

    const worker = run(small);
    let last;
    worker.on("message", (message) => (last = message));
    assert.deepEqual(await once(worker, "exit"), [0]);
    assert.equal(last, 1009);

    // At moments of all kinds: between two calls, within one, while one reports progress.
    for (let moment = 0; moment < 10; ++moment) {
      const interrupted = run(endless);
      await once(interrupted, "message");
      await new Promise((resolve) => setTimeout(resolve, moment));
      await interrupted.terminate();
    }
  `);
}, 60_000);

test("the process may end in the middle of training", async () => {
  const { code, stdout, stderr } = await runScript(`${SETUP}
    gru4rec.train(columns, { ...endless, onProgress: () => { console.log("ending"); process.exit(3); } });
  `);
  expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: "ending\n", stderr: "" });
});

test("a process that lost its model ends by itself", async () => {
  await expectSuccess(`await gru4rec.train(columns, small);`);
});
