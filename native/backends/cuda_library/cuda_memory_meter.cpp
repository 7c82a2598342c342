#include "backends/cuda_library/cuda_memory_meter.h"

#include "backends/cuda_library/cell_size.h"
#include "backends/cuda_library/workspace.h"

namespace gru4rec::cuda_library {

namespace {

/// The work space of the training operations of CudaBackend; members are called as there. Its partial sums of norms are
/// too small to count.
class CudaMemoryMeter final : public MemoryMeter {
 public:
  explicit CudaMemoryMeter(int64_t cublas_workspace) : cublas_workspace_(cublas_workspace) {}

  int64_t workspace() const override {
    return cublas_workspace_ + item_rows_.bytes() + joined_gradient_.bytes() + keys_.bytes() +
           adam_corrections_.bytes();
  }
  int64_t host_bytes() const override { return kStagingBuffers * kStagingBytes; }

  bool records() const override { return true; }

 private:
  void do_gru_backward(const GruLayer& layer, const GruTrace&, const Dropout&, Matrix gradient, Matrix,
                       Matrix input_gradient, Matrix, const GruGradients&) override {
    if (layer.reset_after() || cell_suits(layer)) return;
    joined_gradient_.reserve(gradient.rows * (layer.hidden() + (input_gradient.empty() ? 0 : layer.in())));
  }
  void do_scores(ConstMatrix, ConstMatrix weight, ConstMatrix, Span<const int32_t> items, const LogQ&,
                 Matrix) override {
    item_rows_.reserve(items.size * weight.cols);
  }
  void do_group_rows(Span<const int32_t> items, int64_t, const RowGroups&) override { keys_.reserve(2 * items.size); }
  void do_update_rows(const Optimiser& optimiser, const RowGroups& groups, ConstMatrix, const float*,
                      const TrainableMatrix&) override {
    if (optimiser.kind == OptimiserKind::adam) adam_corrections_.reserve(2 * (groups.start.size - 1));
  }

  const int64_t cublas_workspace_;
  ScratchMeter<float> item_rows_, joined_gradient_;
  ScratchMeter<uint64_t> keys_;
  ScratchMeter<float> adam_corrections_;
};

}  // namespace

std::unique_ptr<MemoryMeter> create_memory_meter(int64_t cublas_workspace) {
  return std::make_unique<CudaMemoryMeter>(cublas_workspace);
}

}  // namespace gru4rec::cuda_library
