#include "gpu_check/stage.h"
#include "test/harness.h"

/// Every operation against its float64 reference, on the device alone: the cases of native/test.
namespace gru4rec::gpu_check {

void check_operations(const Options& options, Report& report) {
  test::test_only_on(options.device);
  test::CaseFilter filter;
  filter.only_operations = true;
  // The cases whose sizes make the emulator, or a sanitizer's instrumentation, take minutes.
  if (options.small)
    filter.except = {"40,000",
                     "70,000",
                     "5000",
                     "200,000",
                     "many rows",
                     "every loss and activation",
                     "ties are everywhere",
                     "does not depend",
                     "wherever its item",
                     "every operation",
                     "step: gradients",
                     "every activation"};
  // One case at a time, so that what failed is known whatever becomes of those behind it.
  test::CaseCounts counts;
  counts.left = 1;
  for (int64_t number = 0; counts.left > 0; ++number) {
    if (number > 0 && report.left() <= 0.0) break;
    if (!report.time_for("all cases but " + std::to_string(number))) return;
    int64_t asked = 0;
    filter.go_on = [&] { return asked++ == number; };
    const test::CaseCounts one = test::run_cases(filter);
    const int64_t run = one.passed + one.failed + one.skipped;
    if (run != 1) return report.fail("expected one case to run, received " + std::to_string(run));
    report.count(one.comparisons);
    counts.passed += one.passed;
    counts.failed += one.failed;
    counts.skipped += one.skipped;
    counts.comparisons += one.comparisons;
    counts.left = one.left - number;
    for (const test::FailedCase& failed : one.failures) report.fail(failed.name + ": " + failed.message);
    report.data["passed"] = counts.passed;
    report.data["failed"] = counts.failed;
    report.data["skipped"] = counts.skipped;
    report.data["comparisons"] = counts.comparisons;
  }
  report.line("%lld cases passed, %lld failed, %lld skipped: %lld comparisons", static_cast<long long>(counts.passed),
              static_cast<long long>(counts.failed), static_cast<long long>(counts.skipped),
              static_cast<long long>(counts.comparisons));
  if (counts.left > 0) report.leave_out(std::to_string(counts.left) + " cases");
}

}  // namespace gru4rec::gpu_check
