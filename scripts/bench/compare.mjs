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
  [element?.configuration ?? element?.name ?? element?.id ?? index, element?.data]
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
const verdictOf = (stage) => stage?.verdict ?? "-";

/** Two results of `npm run gpu:check` side by side: verdicts, then every number that both or one of them has. */
export function benchCompare(args) {
  if (args.length !== 2) throw new ExplainedError(`Expected two files but received ${args.length}\n\n${usage}`);
  const [a, b] = args.map(readResult);
  console.log(`A  ${args[0]}  ${a.date}\nB  ${args[1]}  ${b.date}\n`);
  const stages = [...new Set([...Object.keys(a.stages), ...Object.keys(b.stages)])];
  for (const stage of stages) {
    const [first, second] = [a.stages[stage], b.stages[stage]];
    console.log(`${stage.padEnd(60)}${verdictOf(first).padStart(14)}${verdictOf(second).padStart(14)}     B / A`);
    const [ours, theirs] = [first, second].map((result) => numbersIn(result?.data ?? {}));
    for (const path of new Set([...ours.keys(), ...theirs.keys()])) {
      const [x, y] = [ours.get(path), theirs.get(path)];
      const ratio = x !== undefined && y !== undefined && x !== 0 ? (y / x).toFixed(3).padStart(10) : "";
      console.log(`  ${path.padEnd(58)}${cell(x)}${cell(y)}${ratio}`.trimEnd());
    }
  }
}
