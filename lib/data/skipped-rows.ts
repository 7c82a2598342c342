/** Rows that were left out as they are no events. */
export class SkippedRows {
  /** Most rows that a report shows. */
  static readonly mostShown = 3;

  #count = 0;
  readonly #shown: string[] = [];

  /** What is wrong with the first one; undefined where there is none. */
  get first(): string | undefined {
    return this.#shown[0];
  }

  /** @param why - What was expected and received, and where. */
  add(why: string): void {
    ++this.#count;
    if (this.#shown.length < SkippedRows.mostShown) this.#shown.push(why);
  }

  /** Counts rows of which no more is known. */
  addUnseen(count: number): void {
    this.#count += count;
  }

  /** Says how many there are, and what is wrong with the first ones. */
  report(name: string, note: (text: string) => void): void {
    if (this.#count === 0) return;
    const more = this.#count > this.#shown.length ? "; …" : "";
    note(`skipped ${this.#count} row${this.#count > 1 ? "s" : ""} of ${name}: ${this.#shown.join("; ")}${more}`);
  }
}
