import { open, type FileHandle } from "node:fs/promises";
import { aborted, Gru4RecError, reason } from "../../errors";
import type { InputFile } from "./files";
import { linesOf, type RowJudge } from "./row-judge";
import type { SkippedRows } from "../skipped-rows";

/** A row is not longer: DuckDB would refuse it. A quote without an end makes one of all that follows. */
const LONGEST_ROW = 2_000_000;
/** Characters that are written at a time. */
const PIECE = 1 << 20;

/**
 * Copies a text file without the rows that are no events.
 * @param to - Path of the copy.
 * @param skipped - Takes the others.
 */
export async function copyEvents(
  { path, name }: InputFile,
  to: string,
  judge: RowJudge,
  skipped: SkippedRows,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(to, "w");
  try {
    const copy = new Copy(file, to);
    let row: [line: string, number: number][] = []; // the lines of a row that is not over
    let length = 0;
    const take = async (line: string, number: number): Promise<void> => {
      row.push([line, number]);
      length += line.length;
      let verdict = judge.judge(line, number);
      if (verdict === "open" && length < LONGEST_ROW) return;
      const lines = row;
      [row, length] = [[], 0];
      if (verdict === "open") verdict = { bad: judge.giveUp() };
      else if (typeof verdict !== "object") return copy.write(lines.map(([text]) => `${text}\n`).join(""));
      skipped.add(`${verdict.bad} in ${name}`);
      for (const [text, at] of lines.slice(1)) await take(text, at); // a quote of the first line may have swallowed them
    };
    for await (const [line, number] of linesOf(path)) {
      if (signal?.aborted) throw aborted(signal);
      await take(line, number);
    }
    while (row.length > 0) {
      const [, ...rest] = row;
      [row, length] = [[], 0];
      skipped.add(`${judge.giveUp()} in ${name}`);
      for (const [line, number] of rest) await take(line, number);
    }
    await copy.finish();
  } finally {
    await file.close();
  }
}

class Copy {
  #text = "";

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
  ) {}

  async write(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= PIECE) await this.finish();
  }

  async finish(): Promise<void> {
    await this.file.appendFile(this.#text).catch((error: unknown) => {
      const message = `Expected to copy rows to ${this.path} but ${reason(error)}`;
      throw new Gru4RecError("ERR_FILE", message, { cause: error });
    });
    this.#text = "";
  }
}
