import { readFileSync } from "node:fs";
import { ExplainedError } from "../support/run.mjs";

const usage = "npm run bench -- compare A.json B.json   two results of npm run gpu:check";

function readResult(path) {
  let result;
  try {
    result = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ExplainedError(`Expected ${path} to be a result of npm run gpu:check but received: ${error.message}`);
  }
  if (result?.program !== "gpu_check") {
    throw new ExplainedError(`Expected ${path} to be a result of npm run gpu:check but received another JSON file`);
  }
  return result;
}

/** What an element of a list is about, so that lists of other lengths are compared by their elements. */
const nameOf = (element, index) =>
  [element?.id ?? element?.configuration ?? element?.name ?? index, element?.data]
    .filter((part) => part !== undefined)
    .join(" on ");

/** The numbers of a result by their path: "configurations / bench-100-32 / step_us" -> 41.2. */
function numbersIn(value, path = [], found = new Map()) {
  if (typeof value === "number") found.set(path.join(" / "), value);
  else if (Array.isArray(value)) {
    value.forEach((element, i) => numbersIn(element, [...path, nameOf(element, i)], found));
  } else if (value !== null && typeof value === "object") {
    for (const [key, member] of Object.entries(value)) numbersIn(member, [...path, key], found);
  }
  return found;
}

const cell = (value) => (value === undefined ? "-" : String(Number(value.toPrecision(6)))).padStart(14);
const verdictOf = (stage) => (stage?.verdict ?? "-").padStart(14);
/** The device, and what makes the figures those of no GPU or of no real size. */
const deviceOf = ({ device, emulated, small, stages }) =>
  [stages.environment?.data?.description ?? device, emulated && "emulated", small && "small sizes"]
    .filter(Boolean)
    .join(", ");

/** Two results of `npm run gpu:check` side by side: verdicts, and every number that one of them has. */
export function benchCompare(args) {
  if (args.length !== 2) throw new ExplainedError(`Expected two files but received ${args.length}\n\n${usage}`);
  const [a, b] = args.map(readResult);
  console.log(`A  ${args[0]}  ${a.date}  ${deviceOf(a)}\nB  ${args[1]}  ${b.date}  ${deviceOf(b)}\n`);
  const stages = [...new Set([...Object.keys(a.stages), ...Object.keys(b.stages)])].map((name) => {
    const [ours, theirs] = [a, b].map((result) => numbersIn(result.stages[name]?.data ?? {}));
    return { name, ours, theirs, paths: [...new Set([...ours.keys(), ...theirs.keys()])] };
  });
  const width = 2 + Math.max(...stages.flatMap(({ name, paths }) => [name, ...paths]).map((text) => text.length));
  for (const { name, ours, theirs, paths } of stages) {
    console.log(`${name.padEnd(width)}${verdictOf(a.stages[name])}${verdictOf(b.stages[name])}     B / A`);
    for (const path of paths) {
      const [x, y] = [ours.get(path), theirs.get(path)];
      const ratio = x !== undefined && y !== undefined && x !== 0 ? (y / x).toFixed(3).padStart(10) : "";
      console.log(`${`  ${path}`.padEnd(width)}${cell(x)}${cell(y)}${ratio}`.trimEnd());
    }
  }
}
