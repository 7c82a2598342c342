import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "../support/files";
import { runNode } from "../support/processes";

// Each case starts a process.
jest.setTimeout(60_000);

const { write } = temporaryFolder();
const roofline = pathToFileURL(join(__dirname, "../../scripts/bench/roofline.mjs")).href;

/** What an expression comes to that uses a function of the script. */
async function evaluate(name: string, expression: string): Promise<unknown> {
  const script = `import { ${name} } from "${roofline}"; console.log(JSON.stringify(${expression}));`;
  const { stdout, stderr } = await runNode(["--input-type=module", "-e", script]);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

test("the longest path follows the nodes that wait for each other, not those that take longest by themselves", async () => {
  //   0 (1) ── 1 (2) ──┐
  //      └──── 2 (5) ──┴─ 3 (1) ── 5 (3)       4 (8) alone: 1 + 5 + 1 + 3 = 10 are more than 8
  const nodes = [
    { time: 1, after: [] },
    { time: 2, after: [0] },
    { time: 5, after: [0] },
    { time: 1, after: [1, 2] },
    { time: 8, after: [] },
    { time: 3, after: [3] },
  ];
  const paths = `[longestPath(nodes, ({ time }) => time), longestPath(nodes, () => 1), longestPath([], () => 1)]`;
  expect(await evaluate("longestPath", paths.replaceAll("nodes", JSON.stringify(nodes)))).toEqual([10, 4, 0]);
});

test("a step is what is replayed, and what a chunk adds stands apart", async () => {
  const node = (name: string, graph: number, after: number[]) => ({
    ...{ kind: "kernel", name, graph, after, blocks: 1, flops: 0, milliseconds: 0 },
    ...{ bytesRead: 32, bytesWritten: 32, bytesFetched: 0, bytesWrittenBack: 0 },
  });
  // A step is a diamond of four kernels. The long epoch has one step more, in a chunk of its own.
  const step = (graph: number, first: number) => [
    node("begin", graph, [first - 1]),
    node("left", graph, [first]),
    node("right", graph, [first]),
    node("end", graph, [first + 1, first + 2]),
  ];
  const short = [node("copy", 0, []), ...step(1, 1)];
  const long = [...short, node("copy", 0, [4]), ...step(2, 6)];
  const epoch = (steps: number, nodes: object[]) => ({
    ...{ steps, graphLaunches: steps, graphNodes: 4, graphDepth: 3, synchronisations: steps, allocations: 0 },
    profile: write(`${steps}.json`, JSON.stringify({ kernelsAreCounted: true, nodes })),
  });
  const counts = { epochs: [epoch(1, short), epoch(2, long)] };
  expect(await evaluate("countStep", `countStep(${JSON.stringify(counts)})`)).toMatchObject({
    nodes: 4,
    chain: 3,
    stepsPerLaunch: 1,
    cacheBytes: 4 * 64,
    chunk: { nodes: [{ name: "copy", count: 1 }], waits: 1, allocations: 0 },
  });
});
