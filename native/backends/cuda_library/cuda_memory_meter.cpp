#include "backends/cuda_library/cuda_memory_meter.h"

#include "backends/cuda_library/workspace.h"

namespace gru4rec::cuda_library {

namespace {

/// The work space of the training operations of the CUDA back end; members are called as there.
class CudaMemoryMeter final : public MemoryMeter {
 public:
  int64_t workspace() const override { return item_rows_.bytes() + joined_gradient_.bytes(); }
  int64_t host_bytes() const override { return kStagingBuffers * kStagingBytes; }

 private:
  void do_scores(ConstMatrix hidden, ConstMatrix, ConstMatrix, Span<const int32_t> items, const LogQ&,
                 Matrix) override {
    item_rows_.reserve(items.size * hidden.cols);
  }
  void do_gru_backward(const GruLayer& layer, const GruTrace&, const Dropout&, Matrix gradient, Matrix, Matrix,
                       const GruGradients&) override {
    joined_gradient_.reserve(gradient.rows * (layer.hidden() + layer.in()));
  }

  ScratchMeter<float> item_rows_, joined_gradient_;
};

}  // namespace

std::unique_ptr<MemoryMeter> create_memory_meter() { return std::make_unique<CudaMemoryMeter>(); }

}  // namespace gru4rec::cuda_library
