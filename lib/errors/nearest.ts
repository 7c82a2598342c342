import { shorten } from "./expected";

/** Number of letters to insert, delete, replace or swap with their neighbour to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; ++i) {
    const current = [i];
    for (let j = 1; j <= b.length; ++j) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min(replace, previous[j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        current[j] = Math.min(current[j]!, before[j - 2]! + 1);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}

const bare = (name: string) => name.toLowerCase().replaceAll(/[_-]/g, "");

/** Nobody meant a known name by a longer one, and comparing takes time. */
const LONGEST_NAME = 40;

/** The name that someone who wrote `name` most likely meant; underscores and capitals do not count. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(bare(name), bare(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Message for a name that is none of the `known` ones, of parameters or of options. */
export function unknownName(what: "parameter" | "option", name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return `Unknown ${what} ${shorten(name)}${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}
