import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(__dirname, "..");

test("the README's example runs as printed and prints ten recommendations", async () => {
  const examples = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/^```js\n(.*?)^```$/gms)];
  expect(examples).toHaveLength(1);
  const example = examples[0]![1]!;

  // Inside the package, so that `gru4rec` is found by its own name.
  mkdirSync(join(root, "build"), { recursive: true });
  const folder = mkdtempSync(join(root, "build", "readme-"));
  try {
    writeFileSync(join(folder, "example.mjs"), example);
    const generate = `import { generate } from "${join(root, "scripts/demo/generate.mjs")}";
      await generate("clicks.tsv", { events: 4000, items: 900 });`;
    const run = promisify(execFile);
    await run(process.execPath, ["--input-type=module", "--eval", generate], { cwd: folder });
    const { stdout, stderr } = await run(process.execPath, ["example.mjs"], { cwd: folder });

    expect(stderr).toBe("");
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(10);
    for (const line of lines) expect(line).toMatch(/^[a-z]+-[a-z]+-\d+ -?\d+\.\d+(e-\d+)?$/);
    expect(statSync(join(folder, "shop.safetensors")).size).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
