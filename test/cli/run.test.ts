import { existsSync, mkdirSync, readFileSync } from "node:fs";
import {
  Gru4Rec,
  parseConfig,
  readEvents,
  readModelInfo,
  writeLog,
  type Evaluation,
  type Recommendations,
} from "../../lib";
import { circleClicks, tsvOf } from "../support/clicks";
import { runSql } from "../support/duckdb";
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
    const args = ["train", data, "-ps", PARAMETERS, "-t", testData, "-m", "1", "5", "-e", "median", "-s", modelPath];
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("ties")]);
    expect(stdout).toMatch(
      /^Recall@1 0\.\d{6} {2}MRR@1 0\.\d{6}\nRecall@5 0\.\d{6} {2}MRR@5 0\.\d{6}\n\d+ targets in 200 sessions, median ties, 0 events/,
    );
  });

  test("notes parameters without effect", async () => {
    const { code, stderr } = await runCli(["train", data, "-s", modelPath, "-ps", `${PARAMETERS},logq=1`]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: logq has no effect with loss bpr-max\nepoch 1/);
  });

  test("flags win over the string, the string over the file; the model remembers them", async () => {
    const config = folder.write("config.py", "p = OrderedDict([('layers', [7]), ('n_epochs', 9), ('batch_size', 8)])");
    const args = ["train", data, "-pf", config, "-ps", "n_epochs=3,n_sample=16", "--n-epochs", "1", "--no-time-sort"];
    const { code, stderr } = await runCli([...args, "-s", modelPath, "--sample-store", "1000", "--optimiser-state"]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^epoch 1\/1 .*\n.*: 30 items, epoch 1, trained on cpu/)]);
    const { config: trained, optimiserState } = await readModelInfo(modelPath);
    expect(trained).toMatchObject({ layers: [7], nEpochs: 1, batchSize: 8, nSample: 16, timeSort: false, logq: 0 });
    expect(optimiserState).toBe(true);
  });

  test("leaves the events of a prepared log in its file with --window: the same model", async () => {
    const log = folder.path("train.g4r");
    await writeLog(await readEvents(data), log);
    const weights = async (...args: string[]) => {
      expect(await runCli(["train", log, "-s", modelPath, "-ps", PARAMETERS, ...args])).toMatchObject({ code: 0 });
      const model = await Gru4Rec.load(modelPath);
      const scores = await model.predict([[1, 2], [7]]);
      model.dispose();
      return scores;
    };
    expect(await weights("--window", "20")).toEqual(await weights());
  });

  test("validates, and chooses the epoch", async () => {
    const args = [
      "--validation-sessions",
      "20",
      "--metric",
      "mrr@5",
      "--every",
      "2",
      "--patience",
      "1",
      "-e",
      "median",
    ];
    const { code, stderr } = await train("-ps", `${PARAMETERS},n_epochs=5`.replace("n_epochs=2,", ""), ...args);
    expect(code).toBe(0);
    const lines = stderr.split("\n");
    expect(lines[0]).toMatch(/^epoch 1\/5 .* left$/);
    expect(lines[1]).toMatch(/^epoch 2\/5 .* left {2}recall@5 0\.\d{6} {2}mrr@5 0\.\d{6}$/);
    const { history, epoch } = await readModelInfo(modelPath);
    const best = history.reduce((a, b) => ((b.validation?.mrr[5] ?? 0) > (a.validation?.mrr[5] ?? 0) ? b : a));
    expect(epoch).toBe(best.epoch);
  });

  test("reads standard input and columns of other names", async () => {
    const text = tsvOf(circleClicks()).replace("SessionId\tItemId\tTime", "s\ti\tt");
    const flags = ["-sk", "s", "-ik", "i", "-tk", "t", "--time-unit", "s"];
    const args = ["train", "-", "-s", modelPath, "-ps", PARAMETERS, ...flags];
    expect(await runCli(args, undefined, text)).toMatchObject({ code: 0 });
    expect((await readModelInfo(modelPath)).items).toBe(30);
  });

  test("evaluates a model without training; PRIMARY METRIC is recall at the first length of the first data", async () => {
    const { code, stdout, stderr } = await runCli([
      "train",
      modelPath,
      "-l",
      "-t",
      testData,
      data,
      "-m",
      "5",
      "1",
      "-lpm",
    ]);
    expect(code).toBe(0);
    expect(stderr).toBe(
      "note: ties count against the model (conservative); the author's tool has them count for it, which is --ties standard\n",
    );
    const metrics = /Recall@1 .*\nRecall@5 .*\n\d+ targets in 200 sessions, .*\n/.source;
    expect(stdout).toMatch(
      new RegExp(`^.*test\\.tsv:\n${metrics}PRIMARY METRIC: 0\\.\\d{6}\n.*train\\.tsv:\n${metrics}$`),
    );
    expect(/PRIMARY METRIC: (.*)/.exec(stdout)![1]).toBe(/Recall@5 (\S+)/.exec(stdout)![1]);
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

describe("click logs of other kinds", () => {
  const evaluate = (...args: string[]) => runCli(["evaluate", modelPath, ...args, "--json"]);
  const rows = `read_csv('${testData}')`;
  const usual = `SELECT SessionId AS session_id, ItemId AS sku, Time AS ts FROM ${rows}`;
  let expected: string;
  beforeAll(async () => {
    expected = (await evaluate(testData)).stdout;
    await runSql(
      `COPY (FROM ${rows}) TO '${folder.path("test.parquet")}' (FORMAT parquet)`,
      `COPY (${usual}) TO '${folder.path("usual.jsonl")}' (FORMAT json)`,
      `ATTACH '${folder.path("shop")}' AS shop`,
      `CREATE TABLE shop.clicks AS ${usual}`,
    );
  });

  test("Parquet files, also by a pattern", async () => {
    expect(await evaluate(folder.path("test.parquet"))).toEqual(expect.objectContaining({ code: 0, stdout: expected, stderr: "" })); // prettier-ignore
    expect((await evaluate(folder.path("tes*.parquet"))).stdout).toBe(expected);
  });

  test("columns of usual names are noted", async () => {
    const { stdout, stderr } = await evaluate(folder.path("usual.jsonl"));
    expect(stdout).toBe(expected);
    expect(stderr).toMatch(/^note: columns of .*usual\.jsonl told by their names: sessionId is session_id, itemId is sku, time is ts\n$/); // prettier-ignore
    const columns = ["--session-column", "session_id", "--item-column", "sku", "--time-column", "ts"];
    expect(await evaluate(folder.path("usual.jsonl"), ...columns)).toMatchObject({ stdout: expected, stderr: "" });
  });

  test("tables and queries of a database, whatever its name", async () => {
    expect((await evaluate(folder.path("shop"), "--table", "clicks")).stdout).toBe(expected);
    expect((await evaluate(folder.path("shop"), "--query", "FROM clicks")).stdout).toBe(expected);
  });

  test("a format that the name does not tell, from standard input, too", async () => {
    const text = readFileSync(folder.path("usual.jsonl"), "utf8");
    expect((await runCli(["evaluate", modelPath, "-", "--format", "jsonl", "--json"], undefined, text)).stdout).toBe(expected); // prettier-ignore
  });

  test("bad rows are skipped and counted", async () => {
    const bad = folder.write("skip.tsv", `${readFileSync(testData, "utf8")}1\t2\n`);
    const { stdout, stderr } = await evaluate(bad, "--skip-bad-rows", "--memory-limit", "1GB");
    expect(stdout).toBe(expected);
    expect(stderr).toMatch(/^note: skipped 1 row of .*skip\.tsv: Expected 3 fields .* but received 2 in .*\n$/);
    expect((await evaluate(bad)).code).toBe(1);
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

describe("recommend --session -", () => {
  test("prints a line of JSON for every line of standard input", async () => {
    const args = ["recommend", modelPath, "--session", "-", "--k", "3", "--exclude-seen", "--exclude", "4,x"];
    const { code, stdout } = await runCli(args, undefined, "1, 2,3\r\n\n5\n");
    expect(code).toBe(0);
    const model = await Gru4Rec.load(modelPath);
    const options = { k: 3, excludeSeen: true, exclude: [4] };
    const lists = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Recommendations); // prettier-ignore
    expect(lists).toEqual(await model.recommend([[1, 2, 3], [], [5]], options));
    model.dispose();
  });
});

describe("info", () => {
  test("prints what a model file holds, as text and as JSON", async () => {
    const info = await readModelInfo(modelPath);
    const { code, stdout } = await runCli(["info", modelPath]);
    expect(code).toBe(0);
    expect(stdout).toContain("items       30, ids: number\n");
    expect(stdout).toContain(`\n  1  loss ${info.history[0]!.loss.toFixed(4)}  `);
    expect(stdout).toContain(info.config.describe());
    const json = await runCli(["info", modelPath, "--json"]);
    expect(JSON.parse(json.stdout)).toEqual(JSON.parse(JSON.stringify(info)));
  });
});

describe("config", () => {
  test("prints the effective configuration, as text and as JSON that --config reads", async () => {
    const args = ["config", "--parameters", "loss=bpr-max,logq=1", "--layers", "100/50", "--train-random-order"];
    const { config } = parseConfig({ loss: "bpr-max", logq: 1, layers: [100, 50], trainRandomOrder: true });
    expect(await runCli(args)).toMatchObject({
      code: 0,
      stdout: `${config.describe()}\n`,
      stderr: "warning: logq has no effect with loss bpr-max\n",
    });
    const { stdout } = await runCli([...args, "--json"]);
    expect(JSON.parse(stdout)).toEqual(config);
    const again = await runCli(["config", "--config", folder.write("config.json", stdout), "--json"]);
    expect(again.stdout).toBe(stdout);
  });
});

describe("a failure is one line, without a stack, and the exit code says whose it is:", () => {
  const bad = folder.write("bad.tsv", "SessionId\tItemId\tTime\n1\t1\t1\n1\t2\n");
  const code = folder.write("code.py", "p = exec('')");
  const cut = folder.path("cut");
  const output = folder.path("new");
  beforeAll(() => {
    folder.write("cut", readFileSync(modelPath).subarray(0, 1000));
    mkdirSync(folder.path("folder"));
  });

  test.each<[string, () => string[], number, RegExp]>([
    ["no command", () => [], 2, /^Usage: gru4rec/],
    ["an unknown command", () => ["tran"], 2, /^gru4rec: unknown command 'tran'\n\(Did you mean train\?\)\n$/],
    ["nothing to do with the model", () => ["train", data], 2, /^gru4rec: Expected --output or --test: .*\n$/],
    ["a model to evaluate on nothing", () => ["train", modelPath, "-l"], 2, /^gru4rec: Expected --test with --load-model, .*\n$/],
    ["a model to evaluate, and parameters", () => ["train", modelPath, "-l", "-t", data, "-ps", "loss=bpr"], 2, /^gru4rec: option '--load-model' cannot be used with option '--parameters <string>'\n$/],
    ["a model to evaluate, and a hyperparameter", () => ["train", modelPath, "-l", "-t", data, "--layers", "5"], 2, /^gru4rec: option '--load-model' cannot be used with option '--layers <value>'\n$/],
    ["a metric of no validation", () => ["train", data, "-s", output, "--metric", "mrr@5"], 2, /^gru4rec: Expected --validation, --validation-sessions or --validation-time with --metric\n$/],
    ["a window over what is no prepared log", () => ["train", data, "-s", output, "--window", "5"], 2, /^gru4rec: Expected data with window to be the path of a prepared log \(\.g4r\) but received .*\n$/],
    ["a window that is no integer", () => ["train", data, "-s", output, "--window", "x"], 2, /^gru4rec: option '--window <events>' argument 'x' is invalid\. Expected an integer\.\n$/],
    ["two validations", () => ["train", data, "-s", output, "--validation", data, "--validation-time", "5"], 2, /^gru4rec: option '--validation <data>' cannot be used with option '--validation-time <seconds>'\n$/],
    ["a metric that is none", () => ["train", data, "-s", output, "--validation", data, "--metric", "f1"], 2, /^gru4rec: Expected validation.metric to be recall@k or mrr@k, .*\n$/],
    ["standard input twice", () => ["train", "-", "-s", output, "-t", "-"], 2, /^gru4rec: Expected - once: .*\n$/],
    ["another device", () => ["evaluate", modelPath, data, "-d", "gpu"], 2, /^gru4rec: Expected --device to be auto, cpu, cuda or cuda:N \(such as cuda:0\) but received "gpu" \(string\)\n$/],
    ["no session at once", () => ["recommend", modelPath, "--session", "-", "--sessions-at-once", "0"], 2, /^gru4rec: Expected --sessions-at-once to be an integer from 1 to 65536 but received 0 \(number\)\n$/],
    ["no session at once of a single one", () => ["recommend", "no-model", "--session", "1", "--sessions-at-once", "0"], 2, /^gru4rec: Expected --sessions-at-once to be an integer/],
    ["a misspelt flag", () => ["train", data, "-s", output, "--n_epochs", "3"], 2, /^gru4rec: unknown option '--n_epochs'\n\(Did you mean --n-epochs\?\)\n$/],
    ["wrong flags, one a line", () => ["train", data, "-s", output, "--n-epochs", "x", "--layers", "100/0"], 2, /^gru4rec: Expected --layers\[1\] to be .* but received 0 \(number\)\ngru4rec: Expected --n-epochs to be .* but received "x" \(string\)\n$/],
    ["code in a parameter file", () => ["train", data, "-s", output, "-pf", code], 2, /^gru4rec: .*code\.py:1:5: Expected OrderedDict.* but received exec\n$/],
    ["a primary metric of no test", () => ["train", data, "-s", output, "-lpm"], 2, /^gru4rec: Expected --test with --log-primary-metric\n$/],
    ["no parameter file", () => ["train", data, "-s", output, "-pf", folder.path("none")], 1, /^gru4rec: Expected .*none to be a readable file but there is no such file\n$/],
    ["a list length that is none", () => ["evaluate", modelPath, data, "--k", "5,x"], 2, /^gru4rec: option '--k <lengths>' argument '5,x' is invalid/],
    ["an unknown tie mode", () => ["evaluate", modelPath, data, "--ties", "best"], 2, /^gru4rec: option '--ties <mode>' argument 'best' is invalid/],
    ["wrong parameters", () => ["train", data, "-s", output, "-ps", "layer=3,batch_size=0"], 2, /^gru4rec: Unknown parameter layer; did you mean layers\?\ngru4rec: Expected batch_size .* received 0 \(number\)\n$/],
    ["k above the items", () => ["recommend", modelPath, "--session", "1", "--k", "31"], 2, /^gru4rec: Expected k to be an integer from 1 to 30 but received 31 \(number\)\n$/],
    ["k 0", () => ["evaluate", modelPath, testData, "--k", "0"], 2, /^gru4rec: Expected k to be an integer from 1 to 30 but received 0 \(number\)\n$/],
    ["no data", () => ["train", folder.path("none"), "-s", output], 1, /^gru4rec: Expected .* there is no such file\n$/],
    ["a folder for data without files", () => ["train", folder.path("folder"), "-s", output], 1, /^gru4rec: Expected files that end in .* in the folder .* but there are none\n$/],
    ["a table of a text file", () => ["train", data, "-s", output, "--table", "clicks"], 2, /^gru4rec: Expected a DuckDB or SQLite file with --table but received .*train\.tsv\n$/],
    ["a table and a query", () => ["evaluate", modelPath, data, "--table", "a", "--query", "b"], 2, /^gru4rec: option '--table <name>' cannot be used with option '--query <sql>'\n$/],
    ["a database without a table", () => ["evaluate", modelPath, folder.write("x.duckdb", "")], 2, /^gru4rec: Expected \{ database: .* \(--table or --query\) for a database but received its path\n$/],
    ["an unknown format", () => ["evaluate", modelPath, data, "--format", "xlsx"], 2, /^gru4rec: option '--format <format>' argument 'xlsx' is invalid/],
    ["a memory limit that is none", () => ["evaluate", modelPath, data, "--memory-limit", "much"], 2, /^gru4rec: Expected memoryLimit to be a size such as "512MB" or "2GB" but received "much" \(string\)\n$/],
    ["a bad row", () => ["train", bad, "-s", output], 1, /^gru4rec: Expected 3 fields \(SessionId, ItemId, Time\) on line 3 but received 2 in .*\n$/],
    ["no model", () => ["evaluate", folder.path("none"), data], 1, /^gru4rec: Expected .* there is no such file\n$/],
    ["half a model", () => ["evaluate", cut, data], 1, /^gru4rec: Expected .* to be a gru4rec model file but .*\n$/],
    ["an output in no folder", () => ["train", data, "-s", folder.path("none/model")], 1, /^gru4rec: Expected to write .* but there is no such directory\n$/],
    ["a device for output", () => ["train", data, "-s", "/dev/null"], 1, /^gru4rec: Expected to write \/dev\/null but it is no regular file\n$/],
    ["an output without a name", () => ["train", data, "-s", ""], 1, /^gru4rec: Expected to write {2}but it names no file\n$/],
    ["an output that is too long a name", () => ["train", data, "-s", "x".repeat(300)], 1, /^gru4rec: Expected to write x+ but its name is too long\n$/],
    ["a test that is not there, before training", () => ["train", data, "-s", output, "-t", folder.path("none"), "-e", "median"], 1, /^gru4rec: Expected .* but there is no such file\n$/],
    ["a validation that is not there, before training", () => ["train", data, "-s", output, "--validation", folder.path("none")], 1, /^gru4rec: Expected .* but there is no such file\n$/],
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
  for (const part of [
    "--parameters <string>",
    "Initial weights:",
    "--sample-alpha <value>",
    "Examples:\n  gru4rec train",
  ])
    expect(stdout).toContain(part);
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(await runCli(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
});
