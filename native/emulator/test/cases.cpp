#include "emulator/test/cases.h"

#include <cstring>

namespace gru4rec::emulator::test {

namespace {

std::vector<Case>& cases() {
  static std::vector<Case> cases;
  return cases;
}

}  // namespace

Registration::Registration(const char* name, void (*run)()) { cases().push_back({name, run}); }

}  // namespace gru4rec::emulator::test

int main(int argc, char** argv) {
  for (const auto& test : gru4rec::emulator::test::cases()) {
    if (argc != 2 || std::strcmp(argv[1], test.name) != 0) continue;
    test.run();
    std::fflush(stdout);
    std::_Exit(0);  // what a case has allocated is not its point
  }
  std::printf("Expected the name of a case\n");
  return 2;
}
