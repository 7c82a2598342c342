/**
 * One measured step of the loading benchmark in a process of its own, whose memory nothing has touched before: started
 * by load.mjs with a JSON description as its argument, prints a JSON result.
 *
 *   { action: "make" | "read" | "read in pieces" | "load", path, items, layer, ids }
 */
import { open, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { peakBytes } from "../support/memory.mjs";
import { runMain } from "../support/run.mjs";

const require = createRequire(import.meta.url);
const threads = 2;

/** Writes a model with drawn weights. */
async function make({ path, items, layer, ids }) {
  const { parseConfig } = require("../../dist/config");
  const { Vocabulary } = require("../../dist/data");
  const { writeModelFile } = require("../../dist/model/model-file");
  const { createModel } = require("../../dist/native");
  const { config } = parseConfig({ layers: [layer], threads });
  const native = createModel(config, items);
  await native.initialise({ sigma: 0, normal: false, seed: 1 });
  const vocabulary =
    ids === "text"
      ? new Vocabulary(
          "string",
          Array.from({ length: items }, (_, i) => `item-${i}-é`),
        )
      : new Vocabulary(
          "number",
          Float64Array.from({ length: items }, (_, i) => i * 1_000_003),
        );
  const support = new Uint32Array(items).fill(1);
  await writeModelFile(path, native, { config, history: [], epoch: 0, vocabulary, support });
}

async function readInPieces({ path }) {
  const file = await open(path);
  const piece = Buffer.alloc(2 ** 20);
  let position = 0;
  for (let read = 1; read > 0; position += read) read = (await file.read(piece, 0, piece.length, position)).bytesRead;
  await file.close();
}

const actions = {
  make,
  read: ({ path }) => readFile(path),
  "read in pieces": readInPieces,
  load: ({ path }) => require("../../dist").Gru4Rec.load(path, { threads }),
};

await runMain(async () => {
  const { action, ...description } = JSON.parse(process.argv[2]);
  if (action === "load") require("../../dist/native").loadAddon();
  const before = peakBytes();
  const start = performance.now();
  await actions[action](description);
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ seconds, bytes: peakBytes() - before }));
});
