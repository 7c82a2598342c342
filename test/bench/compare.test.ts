import { join } from "node:path";
import { temporaryFolder } from "../support/files";
import { runNode } from "../support/processes";

// Each case starts processes.
jest.setTimeout(60_000);

const { path, write } = temporaryFolder();
const compare = (...files: string[]) =>
  runNode([join(__dirname, "../../scripts/bench/bench.mjs"), "compare", ...files]);

const result = (stages: object, more = {}) =>
  JSON.stringify({ program: "gpu_check", date: "2026-01-02T03:04:05Z", device: "cuda", ...more, stages });
const speed = (configurations: object[]) => ({ verdict: "passed", data: { configurations } });

test("two results of gpu:check side by side: verdicts, ratios, and what only one of them has", async () => {
  const a = write(
    "a.json",
    result({
      environment: { verdict: "passed", data: { description: "cuda:0 (one GPU)" } },
      speed: speed([
        { name: "small", step_us: 40, roofline_us: null },
        { name: "large", step_us: 200 },
      ]),
    }),
  );
  const b = write(
    "b.json",
    result(
      { speed: speed([{ name: "large", step_us: 150 }]), errors: { verdict: "failed", data: {} } },
      { emulated: true, small: true },
    ),
  );
  const { code, stdout } = await compare(a, b);
  expect(code).toBe(0);
  const lines = stdout.split("\n").map((line) => line.trim().replace(/ {2,}/g, " | "));
  expect(lines.slice(0, 2)).toEqual([
    `A | ${a} | 2026-01-02T03:04:05Z | cuda:0 (one GPU)`,
    `B | ${b} | 2026-01-02T03:04:05Z | cuda, emulated, small sizes`,
  ]);
  expect(lines.slice(3, -1)).toEqual([
    "environment | passed | - | B / A",
    "speed | passed | passed | B / A",
    "configurations / small / step_us | 40 | -",
    "configurations / large / step_us | 200 | 150 | 0.750",
    "errors | - | failed | B / A",
  ]);
});

test("files that are no results are named", async () => {
  const other = write("other.json", "{}");
  expect(await compare(other, other)).toMatchObject({
    code: 1,
    stderr: `Expected ${other} to be a result of npm run gpu:check but received another JSON file\n`,
  });
  const { code, stderr } = await compare(path("none.json"), other);
  expect([code, stderr.startsWith(`Expected ${path("none.json")} to be a result of npm run gpu:check but`)]).toEqual([
    1,
    true,
  ]);
  expect((await compare(other)).stderr).toMatch(/^Expected two files but received 1\n\nnpm run bench -- compare/);
});
