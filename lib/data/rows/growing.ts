type Numbers = Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A column of numbers that is filled from its beginning, of a length that nobody knows yet. */
export class GrowingColumn<A extends Numbers> {
  /** With room for what {@link reserve} was asked for. */
  values: A;

  constructor(private readonly make: (length: number) => A) {
    this.values = make(1 << 16);
  }

  /** Makes room for `length` values; those before stay. What is not yet filled takes no memory of the machine. */
  reserve(length: number): void {
    if (length <= this.values.length) return;
    const larger = this.make(Math.max(length, 2 * this.values.length));
    larger.set(this.values);
    this.values = larger;
  }

  /** The first `length` values. */
  take(length: number): A {
    return this.values.subarray(0, length) as A;
  }
}
