import { PACKAGE, runNode, runScript } from "../support/processes";

// What many calls leave behind and what overlapping calls do, in processes of their own.
const SETUP = `
  const columns = { sessionId: new Int32Array(8_000), itemId: new Int32Array(8_000), time: new Float64Array(8_000) };
  for (let i = 0; i < 8_000; ++i) {
    columns.sessionId[i] = i >> 2;
    columns.itemId[i] = (i * 7919) % 1009;
    columns.time[i] = i;
  }
  const small = { layers: [100], nSample: 128, nEpochs: 1, sampleStore: 100_000 };
  const assert = require("node:assert");
  const settle = async () => {
    for (let i = 0; i < 3; ++i) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
`;

const wrapped = (script: string) => `${SETUP}(async () => {${script}})().then(() => console.log("finished"));`;

test("1,000 recommend calls and 50 trainings do not grow the process by more than 20 MB", async () => {
  const script = wrapped(`
    const trainAndRecommend = async (trainings, calls) => {
      for (let i = 0; i < trainings; ++i) {
        // Models that are disposed of and models that are left to the garbage collector; snapshots, a validation.
        const model = await gru4rec.train(columns, { ...small, nEpochs: 2, validation: { lastSessions: 50 } });
        await model.recommend([1, 2]);
        if (i % 2 === 0) model.dispose();
      }
      const model = await gru4rec.train(columns, small);
      for (let i = 0; i < calls; ++i) {
        await model.recommend([[i % 1009, 2], [3]], { k: 100, exclude: [4, 5], excludeSeen: i % 2 === 0 });
        if (i % 50 === 0) await model.predictor({ batchSize: 4 }).next([1, 2, 3, 4], [5, 6, 7, 8]);
      }
      model.dispose();
    };
    await trainAndRecommend(10, 200);
    await settle();
    const before = process.memoryUsage().rss;
    await trainAndRecommend(50, 1_000);
    await settle();
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(grown < 20, "grown by " + grown.toFixed(1) + " MiB");
  `);
  const load = `const gru4rec = require(${JSON.stringify(PACKAGE)});\n`;
  expect(await runNode(["--expose-gc", "-e", load + script])).toMatchObject({
    code: 0,
    stdout: "finished\n",
    stderr: "",
  });
}, 120_000);

test("200 recommend calls at once while disposing is tried: all are answered, the same as one by one", async () => {
  const outcome = await runScript(
    wrapped(`
      const model = await gru4rec.train(columns, small);
      const sessions = Array.from({ length: 200 }, (_, i) => [i, i + 1, 2 * i]);
      const alone = [];
      for (const session of sessions) alone.push(await model.recommend(session));
      const busy = () => assert.throws(() => model.dispose(), { code: "ERR_BUSY" });
      const together = sessions.map((session, i) => {
        const call = model.recommend(session);
        if (i % 10 === 0) busy();
        return call;
      });
      let settled = 0;
      for (const call of together) {
        void call.then(() => {
          if (++settled < 200) busy();
        });
      }
      assert.deepEqual(await Promise.all(together), alone);
      model.dispose();
      await assert.rejects(model.recommend([1]), { code: "ERR_DISPOSED" });
    `),
  );
  expect(outcome).toMatchObject({ code: 0, stdout: "finished\n", stderr: "" });
}, 60_000);
