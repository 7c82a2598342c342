#include "engine/snapshot.h"

#include "core/error.h"

namespace gru4rec {

namespace {

int64_t total_bytes(const StoredTensors& tensors) {
  int64_t bytes = 0;
  for (const StoredTensor& tensor : tensors) bytes += tensor.bytes();
  return bytes;
}

}  // namespace

void Snapshot::take(Backend& backend, const StoredTensors& tensors) {
  const int64_t bytes = total_bytes(tensors);
  if (bytes != bytes_ || !content_) content_.reset(new char[bytes]);
  bytes_ = bytes;
  char* to = content_.get();
  for (const StoredTensor& tensor : tensors) {
    tensor.read(backend, 0, tensor.size(), to);
    to += tensor.bytes();
  }
}

void Snapshot::restore(Backend& backend, const StoredTensors& tensors) const {
  if (!taken() || total_bytes(tensors) != bytes_)
    throw Error(ErrorCode::argument, "Expected a snapshot of these tensors but there is none");
  const char* from = content_.get();
  for (const StoredTensor& tensor : tensors) {
    tensor.write(backend, 0, tensor.size(), from);
    from += tensor.bytes();
  }
}

}  // namespace gru4rec
