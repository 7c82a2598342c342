#include "engine/stored_tensor.h"

#include "core/error.h"

namespace gru4rec {

char* StoredTensor::element(int64_t first, int64_t count) const {
  if (first < 0 || count < 0 || first > size() - count)
    throw Error(ErrorCode::argument, "Expected elements of the " + std::to_string(size()) + " of the tensor \"" + name +
                                         "\" but received " + std::to_string(count) + " from " + std::to_string(first));
  return static_cast<char*>(data) + first * kElementBytes;
}

void StoredTensor::read(Backend& backend, int64_t first, int64_t count, void* host) const {
  backend.download(element(first, count), count * kElementBytes, host);
}

void StoredTensor::write(Backend& backend, int64_t first, int64_t count, const void* host) const {
  backend.upload(host, count * kElementBytes, element(first, count));
}

}  // namespace gru4rec
