import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runNode } from "../support/processes";

const script = pathToFileURL(join(__dirname, "../../scripts/support/gpu-check.mjs")).href;

/** The value of an expression over what scripts/support/gpu-check.mjs exports. */
async function valueOf(expression: string): Promise<unknown> {
  const program = `import { chosenGpu, needsLibrary, withDefaults } from ${JSON.stringify(script)};
    console.log(JSON.stringify(${expression}));`;
  const { stdout, stderr } = await runNode(["--input-type=module", "--eval", program]);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

const place = (gpu: string, taken: string[]) =>
  `{ results: "r", gpu: "${gpu}", date: new Date("2026-01-02T03:04:05.678Z"),
     exists: (path) => ${JSON.stringify(taken)}.includes(path) }`;

test("a result never takes the place of another one", async () => {
  const first = join("r", "2026-01-02T03-04-05-a-gpu.json");
  const second = join("r", "2026-01-02T03-04-05-a-gpu-2.json");
  expect(await valueOf(`withDefaults(["--small"], ${place("a-gpu", [])})`)).toEqual(["--small", "--out", first]);
  expect(await valueOf(`withDefaults([], ${place("a-gpu", [first])})`)).toEqual(["--out", second]);
  expect(await valueOf(`withDefaults(["--out", "x"], ${place("a-gpu", [])})`)).toEqual(["--out", "x"]);
});

test("the floors of the GPU go with it, and no other ones", async () => {
  const file = join("r", "roofline.json");
  const gpu = "nvidia-h100-80gb-hbm3";
  const floors = ["--out", "x", "--roofline", file];
  expect(await valueOf(`withDefaults(["--out", "x"], ${place(gpu, [file])})`)).toEqual(floors);
  expect(await valueOf(`withDefaults(["--out", "x"], ${place(gpu, [])})`)).toEqual(["--out", "x"]);
  expect(await valueOf(`withDefaults(["--out", "x"], ${place("nvidia-t4", [file])})`)).toEqual(["--out", "x"]);
  const own = ["--out", "x", "--roofline", "y"];
  expect(await valueOf(`withDefaults(${JSON.stringify(own)}, ${place(gpu, [file])})`)).toEqual(own);
});

test("the GPU is the one of --device", async () => {
  const names = JSON.stringify("NVIDIA H100 80GB HBM3\nNVIDIA T4\n");
  expect(await valueOf(`chosenGpu([], ${names})`)).toBe("nvidia-h100-80gb-hbm3");
  expect(await valueOf(`chosenGpu(["--device", "cuda"], ${names})`)).toBe("nvidia-h100-80gb-hbm3");
  expect(await valueOf(`chosenGpu(["--device", "cuda:1"], ${names})`)).toBe("nvidia-t4");
  expect(await valueOf(`chosenGpu([], "")`)).toBe("gpu");
});

test("help needs no CUDA library, and nothing is added to it", async () => {
  expect(await valueOf(`needsLibrary(["--help"], {})`)).toBe(false);
  expect(await valueOf(`needsLibrary(["--library", "x"], {})`)).toBe(false);
  expect(await valueOf(`needsLibrary([], { GRU4REC_CUDA_LIBRARY: "x" })`)).toBe(false);
  expect(await valueOf(`needsLibrary([], {})`)).toBe(true);
  expect(await valueOf(`withDefaults(["--help"], ${place("a-gpu", [])})`)).toEqual(["--help"]);
});
