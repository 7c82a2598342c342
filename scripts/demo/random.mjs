/** Random numbers in [0, 1), the same for the same seed everywhere (mulberry32). */
export function makeRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A function that draws one of `values` with probability proportional to `weights`. */
export function makeSampler(values, weights, random) {
  let total = 0;
  const cumulative = weights.map((weight) => (total += weight));
  return () => {
    const threshold = random() * total;
    let low = 0;
    let high = values.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle] > threshold) high = middle;
      else low = middle + 1;
    }
    return values[low];
  };
}
