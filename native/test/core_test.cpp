#include "check.h"
#include "core/philox.h"

namespace gru4rec {

TEST_CASE("philox: known answer of key 0, counter 0") {
  const PhiloxBlock block = philox({0, 0, 0}, 0);
  CHECK_EQUAL(0x6627e8d5u, block.word[0]);
  CHECK_EQUAL(0xe169c58du, block.word[1]);
  CHECK_EQUAL(0xbc57ac4cu, block.word[2]);
  CHECK_EQUAL(0x9b00dbd8u, block.word[3]);
}

}  // namespace gru4rec
