#include <vector>

#include "harness.h"

/// Copies between the host and a back end, and what memory there is.
namespace gru4rec::test {

namespace {

/// Sizes around those of the pieces in which a back end may copy.
constexpr int64_t kPiece = int64_t{1} << 20;
constexpr int64_t kByteCounts[] = {0, 1, 257, kPiece - 1, kPiece, kPiece + 1, 2 * kPiece, 5 * kPiece + 3};

std::vector<uint8_t> pattern(int64_t size, uint32_t seed) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24);
  return bytes;
}

}  // namespace

OPERATION_TEST("copies: what goes up comes down, whatever becomes of the host's copy") {
  for (const int64_t size : kByteCounts) {
    const Context context(std::to_string(size) + " bytes");
    const std::vector<uint8_t> sent = pattern(size, 1), beside = pattern(size, 2);
    const Array<uint8_t> first(backend, size), second(backend, size);
    std::vector<uint8_t> host = sent;
    backend.upload(host.data(), size, first.data());
    host = beside;
    backend.upload(host.data(), size, second.data());
    host.assign(size, 0);
    std::vector<uint8_t> received(size), received_beside(size);
    backend.download(first.data(), size, received.data());
    backend.download(second.data(), size, received_beside.data());
    CHECK(sent == received);
    CHECK(beside == received_beside);
  }
}

OPERATION_TEST("copies: many uploads in flight do not disturb each other, nor what was enqueued between them") {
  constexpr int64_t kUploads = 9, kFloats = 300000;
  Array<float> newest(backend, kFloats);
  std::vector<Array<float>> kept;
  for (int64_t i = 0; i < kUploads; ++i) {
    const std::vector<float> values(kFloats, static_cast<float>(i));
    newest.upload({values.data(), kFloats});
    kept.emplace_back(backend, kFloats);
    backend.copy(newest.matrix(1, kFloats), kept.back().matrix(1, kFloats));
  }
  for (int64_t i = 0; i < kUploads; ++i) {
    std::vector<float> received(kFloats);
    kept[i].download({received.data(), kFloats});
    CHECK(received == std::vector<float>(kFloats, static_cast<float>(i)));
  }
}

OPERATION_TEST("copies: what is free is part of what there is") {
  const DeviceMemory memory = backend.memory();
  CHECK(memory.free >= 0 && memory.free <= memory.total);
}

}  // namespace gru4rec::test
