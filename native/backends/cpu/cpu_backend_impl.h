#pragma once

#include <string>
#include <vector>

#include "backend/backend.h"
#include "backends/cpu/gemm/gemm.h"
#include "backends/cpu/isa.h"
#include "backends/cpu/kernels/kernels.h"
#include "backends/cpu/scratch.h"
#include "backends/cpu/system_memory.h"
#include "backends/cpu/thread_pool.h"

namespace gru4rec::cpu {

/// One score of a row, on its way to the list of the best.
struct ScoredItem {
  float score;
  int32_t item;
};

/// How many scores a thread keeps of a row, and what a further one must exceed.
struct KeptRow {
  int32_t size;
  float threshold;
  bool finite;
};

/// A row's counts over a range of candidates.
struct RankPart {
  int32_t greater;
  int32_t equal;
  bool finite;
};

/// Sum of exp(score - max) over a tile of items.
struct ExpSum {
  float max;
  double sum;
};

/// Every operation ends before its call returns. Work is cut into blocks whose bounds depend on the sizes alone, never
/// on the number of threads, and whatever is summed is summed in the order of the blocks: same bits on every run.
class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads);

  std::string description() const override;
  void* allocate(int64_t bytes) override;
  void release(void* memory) override;
  void upload(const void* host, int64_t bytes, void* device) override;
  void download(const void* device, int64_t bytes, void* host) override;
  void start_read(int place, const void* device, int64_t bytes) override;
  void finish_read(int place, int64_t bytes, void* host) override;
  void synchronize() override {}
  DeviceMemory memory() const override { return system_memory(); }

 private:
  void do_begin_step(const StepFeed& feed) override;
  void do_keep_step(Span<const int32_t> values, StepState* state, MatrixView<int32_t> rows) override;
  void do_fill(float value, Matrix out) override;
  void do_copy(ConstMatrix from, Matrix out) override;
  void do_gather_rows(ConstMatrix table, Span<const int32_t> rows, const Dropout& dropout, Matrix out) override;
  void do_carry_state(ConstMatrix state, Span<const int32_t> source, Matrix out) override;
  void do_dropout_backward(const Dropout& dropout, Matrix gradient) override;
  void do_carry_items(Span<const int32_t> items, Span<const int32_t> source, Span<int32_t> out) override;
  void do_add(ConstMatrix from, Matrix out) override;
  void do_multiply(ConstMatrix factor, Matrix out) override;
  void do_gru_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout, const GruTrace& trace,
                      Matrix hidden) override;
  void do_gru_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                       Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient,
                       const GruGradients& gradients) override;
  void do_draw_negatives(const SamplingTableView& table, const RandomStream& stream,
                         MatrixView<int32_t> samples) override;
  void do_scores(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> items, const LogQ& logq,
                 Matrix out) override;
  void do_loss_gradient(const Loss& loss, int64_t divisor, const int32_t* active, Matrix scores,
                        Span<float> row_losses) override;
  void do_accumulate_loss(Span<const float> row_losses, int64_t divisor, StepState* state, LossTotals* totals) override;
  void do_scores_backward(ConstMatrix score_gradient, ConstMatrix hidden, ConstMatrix weight, Span<const int32_t> items,
                          Matrix hidden_gradient, Matrix weight_gradient, Matrix bias_gradient) override;
  void do_activate_scores(const Activation& activation, Matrix scores) override;
  void do_group_rows(Span<const int32_t> items, int64_t table_rows, const RowGroups& groups) override;
  void do_add_squared_norm(ConstMatrix gradient, double* total) override;
  void do_add_squared_norm_rows(const RowGroups& groups, ConstMatrix gradient, double* total) override;
  void do_clip_scale(double cap, double* total, float* scale) override;
  void do_update_dense(const Optimiser& optimiser, ConstMatrix gradient, const float* scale,
                       const TrainableMatrix& dense) override;
  void do_update_rows(const Optimiser& optimiser, const RowGroups& groups, ConstMatrix gradient, const float* scale,
                      const TrainableMatrix& table) override;
  void do_target_ranks(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                       const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal) override;
  void do_top_k(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k, const Candidates& candidates,
                const Exclusions& exclusions, Span<int32_t> items, Matrix scores, Span<float> log_sum_exp) override;

  /// to <- from * mask, row `i` of a matrix of this width.
  void drop(Dropout dropout, int64_t i, const float* from, int64_t width, float* to) const {
    dropout.stream = dropout.stream_of_step();
    kernels_.dropout(dropout, static_cast<uint64_t>(i * width), width, from, to);
  }
  /// `items` with the first one in the place of kNoItem.
  Span<const int32_t> existing_items(Span<const int32_t> items);
  void top_k_of_rows(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k, int64_t capacity,
                     const Candidates& candidates, const Exclusions& exclusions, Span<int32_t> items, Matrix scores,
                     Span<float> log_sum_exp);
  /// Raw scores of the rows for items [first, first + count), or for those places of the list `items`, in the tile of
  /// `thread`.
  Matrix score_tile(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, const int32_t* items, int64_t first,
                    int64_t count, int thread);
  static const float* tile_bias(ConstMatrix bias, const int32_t* items, int64_t first, int64_t count, float* room);
  void reserve_tiles();

  /// Calls body(first, last) for the blocks [first, last) of at most `block` that cover [0, count).
  template <class Body>
  void for_blocks(int64_t count, int64_t block, const Body& body);

  const Isa isa_;
  const Kernels& kernels_;
  ThreadPool pool_;
  Gemm gemm_;

  Scratch<float> column_add_;             ///< [C] of scores and scores_backward
  Scratch<int32_t> existing_items_;       ///< [C] of scores and scores_backward, where some are kNoItem
  Scratch<float> joined_gradient_;        ///< [M, H + in] of gru_backward
  Scratch<float> row_work_;               ///< [threads, 4 C] of loss_gradient
  Scratch<int32_t> group_of_;             ///< [table rows] of group_rows, all 0 between its calls
  Scratch<int32_t> row_group_;            ///< [n] of group_rows
  Scratch<double> block_sums_;            ///< a sum for each block of a norm
  Scratch<float> tiles_;                  ///< a tile of scores and its biases for each thread
  Scratch<float> target_scores_;          ///< [M] of target_ranks
  Scratch<RankPart> rank_parts_;          ///< [ranges, M] of target_ranks
  Scratch<ScoredItem> kept_;              ///< [threads, M, capacity] of top_k
  Scratch<KeptRow> kept_rows_;            ///< [threads, M] of top_k
  Scratch<ExpSum> exp_sums_;              ///< [M, tiles] of top_k
  std::vector<char> reads_[kReadPlaces];  ///< of start_read
};

template <class Body>
void CpuBackend::for_blocks(int64_t count, int64_t block, const Body& body) {
  const int64_t blocks = (count + block - 1) / block;
  const auto run_block = [&](int64_t b, int) { body(b * block, (b + 1) * block < count ? (b + 1) * block : count); };
  if (blocks == 1) {
    run_block(0, 0);
  } else {
    pool_.run(blocks, run_block);
  }
}

}  // namespace gru4rec::cpu
