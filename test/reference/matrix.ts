/** A dense float64 matrix, row-major. A vector is a matrix of one row. */
export class Matrix {
  readonly values: Float64Array;

  constructor(
    readonly rows: number,
    readonly cols: number,
  ) {
    this.values = new Float64Array(rows * cols);
  }

  static from(rows: number, cols: number, values: ArrayLike<number>): Matrix {
    if (values.length !== rows * cols) {
      throw new Error(`Expected ${rows * cols} values of a matrix [${rows}, ${cols}] but received ${values.length}`);
    }
    const matrix = new Matrix(rows, cols);
    matrix.values.set(values);
    return matrix;
  }

  at(row: number, col: number): number {
    return this.values[this.index(row, col)]!;
  }

  set(row: number, col: number, value: number): void {
    this.values[this.index(row, col)] = value;
  }

  add(row: number, col: number, value: number): void {
    this.values[this.index(row, col)]! += value;
  }

  /** A view of one row, [cols]. */
  row(row: number): Float64Array {
    return this.values.subarray(this.index(row, 0), this.index(row, 0) + this.cols);
  }

  /** In a reference an index out of range is a wrong result that nobody sees, so it is checked. */
  private index(row: number, col: number): number {
    if (!(row >= 0 && row < this.rows && col >= 0 && (col < this.cols || this.cols === 0))) {
      throw new Error(`Expected an element of a matrix [${this.rows}, ${this.cols}] but received (${row}, ${col})`);
    }
    return row * this.cols + col;
  }
}
