#include "backends/cpu/cpu_memory_meter.h"

#include "backends/cpu/gemm/gemm.h"
#include "backends/cpu/scratch.h"
#include "backends/cpu/thread_pool.h"

namespace gru4rec::cpu {

namespace {

/// The work space of the training operations of CpuBackend; members are called as there. Its sums of blocks are too
/// small to count.
class CpuMemoryMeter final : public MemoryMeter {
 public:
  explicit CpuMemoryMeter(int threads) : threads_(threads) {}

  int64_t workspace() const override {
    return Gemm::workspace_bytes(choose_isa(), threads_) + allocation_size(column_add_.bytes()) +
           allocation_size(joined_gradient_.bytes()) + allocation_size(row_work_.bytes()) +
           allocation_size(group_of_.bytes()) + allocation_size(row_group_.bytes());
  }

 private:
  int64_t rounded(int64_t bytes) const override { return allocation_size(bytes); }

  void do_gru_backward(const GruLayer& layer, const GruTrace&, const Dropout&, Matrix gradient, Matrix,
                       Matrix input_gradient, Matrix, const GruGradients&) override {
    if (layer.reset_after()) return;
    joined_gradient_.reserve(gradient.rows * (layer.hidden() + (input_gradient.empty() ? 0 : layer.in())));
  }
  void do_scores(ConstMatrix, ConstMatrix, ConstMatrix, Span<const int32_t>, const LogQ&, Matrix out) override {
    column_add_.reserve(out.cols);
  }
  void do_loss_gradient(const Loss&, int64_t, const int32_t*, Matrix scores, Span<float>) override {
    row_work_.reserve(threads_ * 4 * scores.cols);
  }
  void do_group_rows(Span<const int32_t> items, int64_t table_rows, const RowGroups&) override {
    group_of_.reserve(table_rows);
    row_group_.reserve(items.size);
  }

  const int threads_;
  ScratchMeter<float> column_add_, joined_gradient_, row_work_;
  ScratchMeter<int32_t> group_of_, row_group_;
};

}  // namespace

std::unique_ptr<MemoryMeter> create_memory_meter(int threads) {
  return std::make_unique<CpuMemoryMeter>(threads > 0 ? threads : available_threads());
}

}  // namespace gru4rec::cpu
