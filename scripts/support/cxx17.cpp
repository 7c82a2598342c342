// Compiled by scripts/support/tools.mjs to see whether there is a C++17 compiler with its library.
#include <optional>

static_assert(__cplusplus >= 201703L);
std::optional<int> answer() { return 42; }
