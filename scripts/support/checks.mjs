import { addCounts, noCounts } from "./counts.mjs";
import { report } from "./run.mjs";

/**
 * Runs checks one after the other and prints a line for each; one that throws has failed.
 * @param {Record<string, () => unknown>} checks - By name.
 * @returns counts of checks
 */
export async function runChecks(checks) {
  let counts = noCounts;
  for (const [name, check] of Object.entries(checks)) {
    const start = performance.now();
    let result = "passed";
    try {
      await check();
    } catch (error) {
      report(error);
      result = "failed";
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`  ${result === "passed" ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
    counts = addCounts(counts, { ...noCounts, [result]: 1 });
  }
  return counts;
}
