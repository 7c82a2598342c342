import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { Gru4Rec } from "../../lib";
import { Messages } from "../../lib/cli/messages";
import { Interruption } from "../../lib/cli/signals";
import { circleClicks, tsvOf } from "../support/clicks";
import { temporaryFolder } from "../support/files";
import { CLI, runCli } from "../support/processes";

const folder = temporaryFolder();
const data = folder.write("train.tsv", tsvOf(circleClicks()));
const LONG = ["--n-epochs", "1000000", "--layers", "12", "--n-sample", "24", "--sample-store", "1000"];

/** Sends a signal once standard error shows `pattern`. */
function sendAt(pattern: RegExp, signal: NodeJS.Signals) {
  let sent = false;
  return (text: string, kill: (signal: NodeJS.Signals) => void) => {
    if (sent || !pattern.test(text)) return;
    sent = true;
    kill(signal);
  };
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s stops training, keeps the last whole epoch and exits with %d", async (signal, exitCode) => {
  const output = folder.path(signal);
  const { code, stdout, stderr } = await runCli(
    ["train", data, "--output", output, ...LONG],
    sendAt(/epoch +3\//, signal),
  );
  expect([code, stdout]).toEqual([exitCode, ""]);
  expect(stderr).toMatch(
    /\nstopping; once more to leave at once\n(.*\n)*.*: 30 items, epoch \d+, trained on cpu .*\n$/,
  );
  const model = await Gru4Rec.load(output);
  expect(model.epoch).toBeGreaterThanOrEqual(3);
  expect(model.history).toHaveLength(model.epoch);
  model.dispose();
});

test("Ctrl-C says when what it would keep cannot be written", async () => {
  mkdirSync(folder.path("gone"));
  const send = sendAt(/epoch +3\//, "SIGINT");
  const { code, stderr } = await runCli(["train", data, "--output", folder.path("gone/m"), ...LONG], (text, kill) => {
    if (/epoch +3\//.test(text)) rmSync(folder.path("gone"), { recursive: true, force: true });
    send(text, kill);
  });
  expect(code).toBe(130);
  expect(stderr).toMatch(/\ngru4rec: Expected to write .* but there is no such directory\n$/);
});

test("training that diverges keeps its last whole epoch", async () => {
  const columns = { sessionId: [] as number[], itemId: [] as number[], time: [] as number[] };
  for (let i = 0; i < 300; ++i) {
    for (let j = 0; j < 6; ++j) {
      columns.sessionId.push(i);
      columns.itemId.push((7 * i + j) % 30);
      columns.time.push(6 * i + j);
    }
  }
  const log = folder.write("diverging.tsv", tsvOf(columns));
  const output = folder.path("diverged");
  const parameters =
    "loss=bpr-max,adapt=sgd,learning_rate=8,momentum=0.9,final_act=linear,batch_size=100,layers=12,n_sample=24," +
    "sample_store=1000,n_epochs=1000";
  const { code, stderr } = await runCli(["train", log, "-s", output, "-ps", parameters]);
  expect(code).toBe(1);
  const [, epoch, failed] = /items, epoch (\d+), .*\ngru4rec: Expected a finite loss but epoch (\d+),/.exec(stderr)!;
  expect(Number(failed)).toBe(Number(epoch) + 1);
  const model = await Gru4Rec.load(output);
  expect(model.history).toHaveLength(Number(epoch));
  model.dispose();
});

test("Ctrl-C without --output writes nothing", async () => {
  const { code, stderr } = await runCli(["train", data, "--test", data, ...LONG], sendAt(/epoch +1\//, "SIGINT"));
  expect(code).toBe(130);
  expect(stderr).toMatch(/stopping; once more to leave at once\n$/);
});

test("Ctrl-C before the first epoch, while standard input is awaited, leaves an existing model as it is", async () => {
  const output = folder.write("model", "as it was");
  const args = ["train", "-", "--output", output, "--loss", "bpr", "--logq", "1"];
  const { code, stderr } = await runCli(args, sendAt(/warning/, "SIGINT"));
  expect([code, stderr]).toEqual([
    130,
    "warning: --logq has no effect with loss bpr\nstopping; once more to leave at once\n",
  ]);
  expect(readFileSync(output, "utf8")).toBe("as it was");
});

test("the first signal asks to stop, the second leaves at once", () => {
  const exit = jest.spyOn(process, "exit").mockReturnValue(undefined as never);
  const destroy = jest.spyOn(process.stdin, "destroy").mockReturnValue(process.stdin);
  const write = jest.fn();
  const interruption = new Interruption(new Messages({ write } as unknown as NodeJS.WriteStream));
  try {
    expect(interruption.signal.aborted).toBe(false);
    process.emit("SIGTERM", "SIGTERM");
    expect([interruption.signal.aborted, interruption.exitCode]).toEqual([true, 143]);
    expect(write.mock.calls).toEqual([["stopping; once more to leave at once\n"]]);
    expect(exit).not.toHaveBeenCalled();
    process.emit("SIGINT", "SIGINT");
    expect(exit.mock.calls).toEqual([[130]]);
  } finally {
    interruption.release();
    exit.mockRestore();
    destroy.mockRestore();
  }
});

test("a reader that has seen enough is no error", async () => {
  const model = folder.path("small");
  expect(await runCli(["train", data, "--output", model, ...LONG, "--n-epochs", "1"])).toMatchObject({ code: 0 });
  const script = `set -o pipefail
    yes 1,2,3 | head -n 100000 | { "$1" "$2" recommend "$3" --session - --k 5; echo "exit $?" >&2; } | head -n 1`;
  const { stdout, stderr } = await promisify(execFile)("bash", [
    "-c",
    script,
    "bash",
    process.execPath,
    CLI,
    model,
  ]).catch(
    (error: unknown) => error as { stdout: string; stderr: string }, // yes itself dies of the closed pipe
  );
  expect(stderr.replace(/^yes: .*\n/m, "")).toBe("exit 0\n");
  expect(stdout).toMatch(/^\{"items":\[.*\}\n$/);
});

test.each([
  ["results on a full disk are a failure of one line", '"$1" "$2" config > /dev/full', 1, /^gru4rec: Expected to write to standard output but ENOSPC: [^\n]*\nexit 1\n$/],
  ["messages on a full disk change nothing", '"$1" "$2" config --loss bpr --logq 1 2> /dev/full', 0, /^exit 0\n$/],
])("%s", async (_, command, code, stderr) => {
  const script = `${command}; code=$?; echo "exit $code" >&2; exit $code`;
  const outcome = await promisify(execFile)("bash", ["-c", script, "bash", process.execPath, CLI]).catch(
    (error: unknown) => error as { code: number; stdout: string; stderr: string },
  );
  expect(outcome.stderr).toMatch(stderr);
  expect("code" in outcome ? outcome.code : 0).toBe(code);
  expect(outcome.stdout !== "").toBe(code === 0);
}); // prettier-ignore
