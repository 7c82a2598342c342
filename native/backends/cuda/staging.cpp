#include "backends/cuda/staging.h"

#include <algorithm>
#include <cstring>

#include "backends/cuda/memory.h"

namespace gru4rec::cuda {

Staging::Buffer::Buffer() : data(static_cast<char*>(allocate_pinned_memory(kBytes))) {}

Staging::Buffer::~Buffer() { cudaFreeHost(data); }

Staging::Buffer& Staging::next() {
  turn_ = 1 - turn_;
  buffers_[turn_].done.synchronize();
  return buffers_[turn_];
}

void Staging::upload(const void* host, int64_t bytes, void* device, cudaStream_t stream) {
  const char* from = static_cast<const char*>(host);
  char* to = static_cast<char*>(device);
  for (int64_t first = 0; first < bytes; first += kBytes) {
    const size_t size = static_cast<size_t>(std::min(kBytes, bytes - first));
    Buffer& buffer = next();
    std::memcpy(buffer.data, from + first, size);
    GRU_CHECK(cudaMemcpyAsync(to + first, buffer.data, size, cudaMemcpyHostToDevice, stream));
    buffer.done.record(stream);
  }
}

void Staging::download(const void* device, int64_t bytes, void* host, cudaStream_t stream) {
  const char* from = static_cast<const char*>(device);
  char* to = static_cast<char*>(host);
  const int64_t pieces = (bytes + kBytes - 1) / kBytes;
  const auto size = [&](int64_t piece) { return static_cast<size_t>(std::min(kBytes, bytes - piece * kBytes)); };
  Buffer* on_its_way = nullptr;
  for (int64_t piece = 0; piece <= pieces; ++piece) {
    Buffer* before = on_its_way;
    if (piece < pieces) {
      on_its_way = &next();
      GRU_CHECK(cudaMemcpyAsync(on_its_way->data, from + piece * kBytes, size(piece), cudaMemcpyDeviceToHost, stream));
      on_its_way->done.record(stream);
    }
    if (before != nullptr) {
      before->done.synchronize();
      std::memcpy(to + (piece - 1) * kBytes, before->data, size(piece - 1));
    }
  }
}

void Reads::start(int place, const void* device, int64_t bytes, cudaStream_t stream) {
  auto& [done, data, under_way] = places_[place];
  if (under_way) done.synchronize();  // nobody finished it
  under_way = true;
  GRU_CHECK(cudaMemcpyAsync(data.reserve(bytes), device, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream));
  done.record(stream);
}

void Reads::finish(int place, int64_t bytes, void* host) {
  auto& [done, data, under_way] = places_[place];
  done.synchronize();
  under_way = false;
  std::memcpy(host, data.reserve(bytes), static_cast<size_t>(bytes));
}

}  // namespace gru4rec::cuda
