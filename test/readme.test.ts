import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(__dirname, "..");
const run = promisify(execFile);
const snippets = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/^```js\n(.*?)^```$/gms)].map(
  ([, code]) => code!,
);

// What each snippet of the tour prints, in their order.
const printed: [title: string, output: RegExp][] = [
  ["train and recommend", /^(\d \d\.\d{4} \d\.\d{4}\n){1,5}([a-z]+-[a-z]+-\d+ -?\d\.\d+(e-\d+)?\n){10}$/],
  ["data from memory", /^3 \[ 'tea', 'milk', 'cup' \]\n2 \[ 'tea', 'milk' \]\n$/],
  ["recommend", /^\[ '[a-z]+-[a-z]+-\d+', '[a-z]+-[a-z]+-\d+' \]\n(([a-z]+-[a-z]+-\d+ ?){5}\n){2}true\n$/],
  [
    "measure and train on",
    /^\{ '5': 0\.\d+, '20': 0\.\d+ \} \{ '5': 0\.\d+, '20': 0\.\d+ \} \d+\n0\.\d+ 0\.\d+\n[2-6] \d+ \d\d\n$/,
  ],
  [
    "stop, and errors",
    /^ERR_ABORTED \d+\nERR_CONFIG Unknown parameter los; did you mean loss\?; Expected layers\[0\] to be an integer from 1 to \d+ but received 0 \(number\)\n$/,
  ],
  [
    "prepare",
    /^\d \d+ 0\n(session gap all -?\d+\n)repeats all \d+\n([a-z]+ [a-z]+ all \d+\n)+split test \d+\n([a-z]+ [a-z]+ train \d+\n)?split validation \d+\n([a-z]+ [a-z]+ train \d+\n)?true true\n$/,
  ],
  [
    "devices and memory",
    /^\[ 'cpu true'.* \] (cpu|cuda:\d+)\n(Expected .*|CUDA .*)\n\d\.\d\d GB tables optimiserState batchBuffers sampleStore workspace\n$/,
  ],
];

// Inside the package, so that `gru4rec` is found by its own name.
mkdirSync(join(root, "build"), { recursive: true });
const folder = mkdtempSync(join(root, "build", "readme-"));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  const generate = `import { generate } from "${join(root, "scripts/demo/generate.mjs")}";
    await generate("clicks.tsv", { events: 4000, items: 900 });`;
  await run(process.execPath, ["--input-type=module", "--eval", generate], { cwd: folder });
});

test("every snippet of the README has its expectation here", () => {
  expect(snippets).toHaveLength(printed.length);
});

test.each(printed.map(([title, output], i) => [title, i, output] as const))(
  "the README's snippet runs as printed: %s",
  async (_, i, output) => {
    writeFileSync(join(folder, "example.mjs"), snippets[i]!);
    const { stdout, stderr } = await run(process.execPath, ["example.mjs"], { cwd: folder });
    expect(stderr).toBe("");
    expect(stdout).toMatch(output);
    if (i === 0) expect(statSync(join(folder, "shop.safetensors")).size).toBeGreaterThan(0);
  },
  120_000,
);
