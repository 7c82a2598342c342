import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { Gru4Rec, type Evaluation, type Recommendations } from "../../lib";
import { circleClicks, tsvOf } from "../support/clicks";
import { temporaryFolder } from "../support/files";
import { runCli } from "../support/processes";

const folder = temporaryFolder();
const data = folder.write("train.tsv", tsvOf(circleClicks()));
const testData = folder.write("test.tsv", tsvOf(circleClicks({ seed: 2 })));
const PARAMETERS = "layers=12,batch_size=16,n_sample=24,n_epochs=2,loss=bpr-max,sample_store=1000";
const modelPath = folder.path("model");
const train = (...args: string[]) => runCli(["train", data, "--output", modelPath, "-ps", PARAMETERS, ...args]);

beforeAll(async () => {
  expect(await train()).toMatchObject({ code: 0 });
});

describe("train", () => {
  test("writes the model; progress goes to standard error, nothing to standard output", async () => {
    const { code, stdout, stderr } = await train();
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(
      /^epoch 1\/2  100 %  loss [\d.]+  [\d,]+ mini-batches\/s  [\d,]+ events\/s  \d+:\d\d left\nepoch 2\/2/,
    );
    const model = await Gru4Rec.load(modelPath);
    expect(model.config).toMatchObject({ layers: [12], batchSize: 16, loss: "bpr-max", logq: 0, nEpochs: 2 });
    model.dispose();
  });

  test("evaluates on --test; the author's flags are understood", async () => {
    const args = ["train", data, "-ps", PARAMETERS, "-t", testData, "-m", "1", "5", "-s", modelPath];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Recall@1 0\.\d{6} {2}MRR@1 0\.\d{6}\nRecall@5 0\.\d{6} {2}MRR@5 0\.\d{6}\n\d+ targets in 200 sessions, conservative ties, 0 events/,
    );
  });

  test("notes parameters without effect", async () => {
    const { code, stderr } = await runCli(["train", data, "-s", modelPath, "-ps", `${PARAMETERS},logq=1`]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: logq has no effect with loss bpr-max\nepoch 1/);
  });

  test("stops at Ctrl-C with 130 and leaves an existing model as it is", async () => {
    const before = readFileSync(modelPath);
    const args = ["train", data, "--output", modelPath, "-ps", "n_epochs=100000,layers=100"];
    let sent = false;
    const { code, stderr } = await runCli(args, (_, kill) => {
      if (!sent) kill("SIGINT");
      sent = true;
    });
    expect(code).toBe(130);
    expect(stderr).toMatch(/\ngru4rec: .*abort/i);
    expect(readFileSync(modelPath)).toEqual(before);
  });
});

describe("evaluate", () => {
  test("prints JSON for machines", async () => {
    const { code, stdout, stderr } = await runCli([
      "evaluate",
      modelPath,
      testData,
      "--k",
      "5,20",
      "--ties",
      "median",
      "--json",
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    const model = await Gru4Rec.load(modelPath);
    const evaluation = await model.evaluate(testData, { k: [5, 20], ties: "median" });
    expect(JSON.parse(stdout) as Evaluation).toEqual(JSON.parse(JSON.stringify(evaluation)));
    model.dispose();
  });
});

describe("recommend", () => {
  test("prints one line an item", async () => {
    const { code, stdout, stderr } = await runCli(["recommend", modelPath, "--session", "1, 2,3", "--k", "3"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^1\t\d+\t[-\d.e]+\n2\t\d+\t[-\d.e]+\n3\t\d+\t[-\d.e]+\n$/);
  });

  test("prints JSON for machines", async () => {
    const { code, stdout } = await runCli(["recommend", modelPath, "--session", "1,x,3", "--json"]);
    expect(code).toBe(0);
    const model = await Gru4Rec.load(modelPath);
    expect(JSON.parse(stdout) as Recommendations).toEqual(await model.recommend([1, "x", 3]));
    model.dispose();
  });

  test("says when it fell back to the most popular items", async () => {
    const { code, stderr } = await runCli(["recommend", modelPath, "--session", "x,y"]);
    expect(code).toBe(0);
    expect(stderr).toBe(
      "2 unknown items skipped\nno known item in the session: the most popular items of the training data\n",
    );
  });
});

describe("a failure is one line, without a stack, and the exit code says whose it is:", () => {
  const bad = folder.write("bad.tsv", "SessionId\tItemId\tTime\n1\t1\t1\n1\t2\n");
  const cut = folder.path("cut");
  const output = folder.path("new");
  beforeAll(() => {
    folder.write("cut", readFileSync(modelPath).subarray(0, 1000));
    mkdirSync(folder.path("folder"));
  });

  test.each<[string, () => string[], number, RegExp]>([
    ["no command", () => [], 2, /^Usage: gru4rec/],
    ["an unknown command", () => ["tran"], 2, /^gru4rec: unknown command 'tran'\n\(Did you mean train\?\)\n$/],
    ["no output", () => ["train", data], 2, /^gru4rec: required option '--output <model>' not specified\n$/],
    ["a list length that is none", () => ["evaluate", modelPath, data, "--k", "5,x"], 2, /^gru4rec: option '--k <lengths>' argument '5,x' is invalid/],
    ["an unknown tie mode", () => ["evaluate", modelPath, data, "--ties", "best"], 2, /^gru4rec: option '--ties <mode>' argument 'best' is invalid/],
    ["wrong parameters", () => ["train", data, "-s", output, "-ps", "layer=3,batch_size=0"], 2, /^gru4rec: Unknown parameter layer; did you mean layers\?; Expected batch_size .* received 0 \(number\)\n$/],
    ["k above the items", () => ["recommend", modelPath, "--session", "1", "--k", "31"], 2, /^gru4rec: Expected k to be an integer from 1 to 30 but received 31 \(number\)\n$/],
    ["k 0", () => ["evaluate", modelPath, testData, "--k", "0"], 2, /^gru4rec: Expected k to be an integer from 1 to 30 but received 0 \(number\)\n$/],
    ["no data", () => ["train", folder.path("none"), "-s", output], 1, /^gru4rec: Expected .* there is no such file\n$/],
    ["a folder for data", () => ["train", folder.path("folder"), "-s", output], 1, /^gru4rec: Expected .* it is a directory\n$/],
    ["a bad row", () => ["train", bad, "-s", output], 1, /^gru4rec: Expected 3 fields \(SessionId, ItemId, Time\) on line 3 but received 2 in .*\n$/],
    ["no model", () => ["evaluate", folder.path("none"), data], 1, /^gru4rec: Expected .* there is no such file\n$/],
    ["half a model", () => ["evaluate", cut, data], 1, /^gru4rec: Expected .* to be a gru4rec model file but .*\n$/],
    ["an output in no folder", () => ["train", data, "-s", folder.path("none/model")], 1, /^gru4rec: Expected to write .* but ENOENT.*\n$/],
    ["a folder for output", () => ["train", data, "-s", folder.path("folder")], 1, /^gru4rec: Expected to write .* but it is a directory\n$/],
    ["a loss that is no number", () => ["train", data, "-s", output, "-ps", "loss=bpr-max,learning_rate=1e30"], 1, /^gru4rec: Expected a finite loss but epoch 1, step \d+ gave one that is not: .*\n$/],
  ])("%s", async (_, args, code, message) => {
    const outcome = await runCli(args());
    expect(outcome.stderr).toMatch(message);
    expect([outcome.code, outcome.stdout]).toEqual([code, ""]);
    expect(existsSync(output)).toBe(false);
  }); // prettier-ignore
});

test("help goes to standard output and is no failure", async () => {
  const { code, stdout } = await runCli(["train", "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("--parameters <string>");
});
