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
  filter.go_on = [&] { return report.left() > 0.0; };
  const test::CaseCounts counts = test::run_cases(filter);
  report.data["passed"] = counts.passed;
  report.data["failed"] = counts.failed;
  report.data["skipped"] = counts.skipped;
  report.data["comparisons"] = counts.comparisons;
  report.line("%lld cases passed, %lld failed, %lld skipped: %lld comparisons", static_cast<long long>(counts.passed),
              static_cast<long long>(counts.failed), static_cast<long long>(counts.skipped),
              static_cast<long long>(counts.comparisons));
  for (const test::FailedCase& failed : counts.failures) report.fail(failed.name + ": " + failed.message);
  report.expect(counts.passed > 0, "expected cases that pass, received none");
  if (counts.left > 0) report.leave_out(std::to_string(counts.left) + " cases");
}

}  // namespace gru4rec::gpu_check
