#include <cstdio>

#include "check.h"

int main(int argc, char** argv) {
  gru4rec::test::CaseFilter filter;
  filter.parts.assign(argv + 1, argv + argc);
  const gru4rec::test::CaseCounts counts = gru4rec::test::run_cases(filter);
  std::printf("%lld comparisons\n", static_cast<long long>(counts.comparisons));
  std::printf("%lld passed, %lld failed, %lld skipped\n", static_cast<long long>(counts.passed),
              static_cast<long long>(counts.failed), static_cast<long long>(counts.skipped));
  return counts.failed == 0 && counts.passed + counts.skipped > 0 ? 0 : 1;
}
