/** How many test cases passed, failed and were skipped. */

export const noCounts = { passed: 0, failed: 0, skipped: 0 };

export const addCounts = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

export const formatCounts = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** Counts in the last line of a C++ test program, or undefined where the program did not get that far. */
export function parseCounts(output) {
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  const match = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(line.trim());
  return match === null ? undefined : { passed: +match[1], failed: +match[2], skipped: +match[3] };
}
