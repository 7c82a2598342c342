import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/**
 * What a line ends: a row that is an event, nothing that counts (a header, a blank line, the middle of a row), or a row
 * that is none, with what was expected and received on which line.
 */
export type Verdict = "event" | "blank" | "open" | { readonly bad: string };

/** Tells the rows of a text file that are events from others, line by line. It is slow: only for files with bad rows. */
export interface RowJudge {
  /** @param line - Without its line break. @param number - The first line of a file has 1. */
  judge(line: string, number: number): Verdict;
  /** What is wrong with a row that is not over at the end of the file, and begins a new one. */
  giveUp(): string;
}

/** The lines of a file and their numbers. */
export async function* linesOf(path: string): AsyncGenerator<[line: string, number: number]> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity }))
    yield [line, ++number];
}

/** What is wrong with the first row that cannot be an event; undefined if all rows are fine. */
export async function findBadRow(path: string, judge: RowJudge): Promise<string | undefined> {
  let verdict: Verdict = "blank";
  for await (const [line, number] of linesOf(path)) {
    verdict = judge.judge(line, number);
    if (typeof verdict === "object") return verdict.bad;
  }
  return verdict === "open" ? judge.giveUp() : undefined;
}

/** Rows by which {@link leastStrict} chooses. */
const ROWS_TO_CHOOSE_BY = 1000;

/** Of judges that differ in what they take for an event, the place of the first that refuses fewest of the first rows. */
export async function leastStrict(path: string, judges: readonly RowJudge[]): Promise<number> {
  const refused = judges.map(() => 0);
  for await (const [line, number] of linesOf(path)) {
    if (number > ROWS_TO_CHOOSE_BY) break;
    judges.forEach((judge, i) => (refused[i]! += Number(typeof judge.judge(line, number) === "object")));
  }
  return refused.indexOf(Math.min(...refused));
}
