import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { DataReport, Prepared } from "../../lib";
import { circleClicks, tsvOf } from "../support/clicks";
import { temporaryFolder } from "../support/files";
import { runCli } from "../support/processes";

const folder = temporaryFolder();
const data = folder.write("clicks.tsv", tsvOf(circleClicks()));
type Report = Prepared["report"];

describe("prepare", () => {
  test("writes the parts, names them on standard error, and prints what each step removed", async () => {
    const output = folder.path("parts");
    const flags = ["--min-item-support", "5", "--min-session-length", "2", "--test-time", "300", "--validation", "--by", "start", "--straddling", "cut"]; // prettier-ignore
    const { code, stdout, stderr } = await runCli(["prepare", data, "--output", output, ...flags]);
    expect(code).toBe(0);
    expect(stderr).toBe(["train", "valid", "test"].map((name) => `${output}/${name}.tsv\n`).join(""));
    expect(stdout).toMatch(/^ +removed +left\nstep +events +sessions +items +events +sessions +items\ninput /);
    expect(stdout).toMatch(/\npart +events +sessions +items\ntrain +\d+ +\d+ +\d+\nvalidation .*\ntest .*\n$/);
    const rows = (name: string) => readFileSync(`${output}/${name}.tsv`, "utf8").split("\n").slice(1, -1).map((line) => line.split("\t").map(Number)); // prettier-ignore
    const last = Math.max(...circleClicks().time);
    const times = (name: string) => rows(name).map(([, , time]) => time!);
    expect(Math.min(...times("test"))).toBeGreaterThanOrEqual(last - 300);
    expect(Math.max(...times("train"), ...times("valid"))).toBeLessThan(last - 300);
    expect(Math.max(...times("train"))).toBeLessThan(Math.min(...times("valid")));
  });

  test("users, types and repeats, as JSON", async () => {
    const rows = ["1 a 0 view", "1 b 10 cart", "1 a 20 view", "1 c 100 view", "1 d 105 view"];
    const log = folder.write("users.tsv", `user\tItemId\tTime\tkind\n${rows.join("\n").replaceAll(" ", "\t")}\n`);
    const flags = ["--session-column", "user", "--event-type-column", "kind", "--event-types", "view", "--session-gap", "10", "--remove-repeats"]; // prettier-ignore
    const { code, stdout } = await runCli(["prepare", log, "--output", folder.path("users"), ...flags, "--json"]);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Report).steps.map(({ step, removed }) => [step, removed.events, removed.sessions])).toEqual([["session gap", 0, -1], ["event types", 1, 0], ["repeats", 1, 0]]); // prettier-ignore
    expect(readFileSync(folder.path("users/train.tsv"), "utf8")).toBe("SessionId\tItemId\tTime\n1\ta\t0\n2\tc\t100\n2\td\t105\n"); // prettier-ignore
  });

  test("a recipe prints the published counts beside its own; fractions may be divided", async () => {
    const lines = [1, 2, 3, 4, 5, 6, 7].flatMap((session) =>
      [1, 2].map((item) => `${session},2014-04-${session === 7 ? 20 : "07"}T10:0${session}:0${item}.277Z,${item},0`),
    );
    mkdirSync(folder.path("raw"));
    writeFileSync(folder.path("raw/yoochoose-clicks.dat"), `${lines.join("\n")}\n`);
    const args = ["prepare", folder.path("raw"), "--recipe", "rsc15"];
    const whole = await runCli([...args, "--output", folder.path("rsc15")]);
    expect(whole.code).toBe(0);
    expect(whole.stdout).toMatch(/\ntrain +12 +6 +2 +31,637,239 +7,966,257 +37,483\ntest +2 +1 +2 +71,222 +15,324 +-\npublished in arXiv 1511.06939\n$/); // prettier-ignore
    expect(readdirSync(folder.path("rsc15")).sort()).toEqual(["test.tsv", "train.tsv"]);
    const part = await runCli([...args, "--recent-fraction", "1/3", "--output", folder.path("third")]);
    expect(part.stdout).toMatch(/\ntrain +4 +2 +2 +unverified\ntest +2 +1 +2 +unverified\n$/);
  });

  test("windows go into folders of their own", async () => {
    const output = folder.path("windows");
    const flags = ["--windows", "2", "--test-sessions", "5", "--json"];
    const { code, stdout } = await runCli(["prepare", data, "--output", output, ...flags]);
    expect([code, readdirSync(output)]).toEqual([0, ["window-1", "window-2"]]);
    expect((JSON.parse(stdout) as Report[]).map(({ test }) => test!.sessions)).toEqual([5, 5]);
    expect(readdirSync(`${output}/window-2`).sort()).toEqual(["test.tsv", "train.tsv"]);
  });

  test.each<[string, string[], number, string]>([
    ["no such file", ["/nowhere.tsv"], 1, "there is no such file"],
    ["nothing left", [data, "--min-session-length", "99"], 1, "Expected events to be left after the step short sessions"],
    ["two rules", [data, "--test-time", "1", "--test-sessions", "2"], 2, "cannot be used with"],
    ["a rule of no part", [data, "--by", "start"], 2, "Expected a test or validation part with --by"],
    ["half a window", [data, "--window-length", "5"], 2, "Expected --windows with --window-length"],
    ["a fraction", [data, "--test-fraction", "1/2/3"], 2, "Expected a fraction such as 1/64"],
    ["a recipe with filters", [data, "--recipe", "rsc15", "--min-item-support", "3"], 2, "minItemSupport to be absent"],
  ])("%s: says so and leaves no folder", async (_, args, exit, message) => {
    const output = folder.path("nothing/here");
    const { code, stdout, stderr } = await runCli(["prepare", ...args, "--output", output]);
    expect([code, stdout, stderr]).toEqual([exit, "", expect.stringContaining(message)]);
    expect(existsSync(folder.path("nothing"))).toBe(false);
  }); // prettier-ignore
});

describe("inspect", () => {
  test("prints counts, histograms and warnings", async () => {
    const rows = "1\ta\t10\n1\tb\t20\n1\tb\t20\n2\ta\t30\n";
    const { code, stdout, stderr } = await runCli(["inspect", "-"], undefined, `SessionId\tItemId\tTime\n${rows}`);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`events    4
sessions  2, of which 50.0 % have two events or more and train
items     2
time      1970-01-01T00:00:10.000Z to 1970-01-01T00:00:30.000Z, 0.0 days
repeats   1, 25.0 % of the events

Events of a session: min 1, 25 % 1, 50 % 1, 75 % 3, 90 % 3, 99 % 3, max 3, mean 2.00
    1  1  ████████████████████████████████████████
    2  0
  3-4  1  ████████████████████████████████████████

Events of an item: min 2, 25 % 2, 50 % 2, 75 % 2, 90 % 2, 99 % 2, max 2, mean 2.00
  1  0
  2  2  ████████████████████████████████████████

warning: 1 events repeat another one: the same session, item and time
`);
  });

  test("prints JSON", async () => {
    const { code, stdout } = await runCli(["inspect", data, "--json"]);
    const report = JSON.parse(stdout) as DataReport;
    expect([code, report.sessions, report.warnings]).toEqual([0, 200, []]);
  });
});
