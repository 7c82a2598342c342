/** What goes to standard error: lines, and one line that is redrawn in its place on a terminal. */
export class Messages {
  #drawn = false;

  constructor(readonly stream: NodeJS.WriteStream) {}

  /** A line of its own; what was drawn goes. */
  note(text: string): void {
    this.stream.write(`${this.#drawn ? "\r\x1b[K" : ""}${text}\n`);
    this.#drawn = false;
  }

  /** Draws a line in place of the one drawn before. */
  draw(line: string): void {
    this.stream.write(`\r\x1b[K${line}`);
    this.#drawn = true;
  }

  /** Whether a line can be drawn in the place of another. */
  get canDraw(): boolean {
    return this.stream.isTTY && process.env.TERM !== "dumb";
  }
}
