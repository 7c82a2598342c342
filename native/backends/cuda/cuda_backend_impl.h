#pragma once

#include <string>

#include "backend/backend.h"
#include "backends/cuda/gemm/gemm.h"
#include "backends/cuda/lines.h"
#include "backends/cuda/score_tiles.h"
#include "backends/cuda/scratch.h"
#include "backends/cuda/sort.h"
#include "backends/cuda/staging.h"

namespace gru4rec::cuda {

/// What adam's moments are multiplied with, so that they do not lean towards their zero start.
struct AdamCorrection {
  float first = 1.0f, second = 1.0f;
};

/// Every operation is enqueued on the stream of the current line and returns at once; two of them use branches by
/// themselves (backend.h). What waits: download, finish_read and synchronize, for what they read; release and work
/// space that has to grow, for the device; uploads, for a staging buffer. Nothing is summed in an order that depends on
/// timing: same calls, same bits, on every run. Work space that two lines use at a time is not shared.
class CudaBackend final : public Backend {
 public:
  CudaBackend(int device, const std::string& cublas_path);

  std::string description() const override;
  Missing missing() const override { return gemm_.missing(); }
  bool supports(Precision precision) const override { return gemm_.supports(precision); }
  void set_precision(Precision precision) override;
  void* allocate(int64_t bytes) override;
  void release(void* memory) override;
  void upload(const void* host, int64_t bytes, void* device) override;
  void download(const void* device, int64_t bytes, void* host) override;
  void upload_beside(const void* host, int64_t bytes, void* device) override;
  void start_read(int place, const void* device, int64_t bytes) override;
  void finish_read(int place, int64_t bytes, void* host) override;
  bool records() const override { return true; }
  void begin_recording() override;
  std::unique_ptr<Recording> end_recording() override;
  void abandon_recording() override;
  void enter(Branch branch) override;
  void leave() override;
  void join(Branch branch) override { lines_.join(branch); }
  void synchronize() override;
  DeviceMemory memory() const override;

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

  cudaStream_t stream() const { return lines_.current(); }

  /// The part of gru_backward that works row by row, for layers that are too large for the cell: all but the gates'
  /// part of the gradients of input and old state.
  void backward_by_products(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                            Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient);
  /// Makes the scores of tile `tile` in tile_scores_, where they stay until the next one. Enqueued.
  /// @param items  items of the columns; null = all
  ScoreTile score_tile(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, const int32_t* items,
                       const TileShape& shape, int64_t tile);
  /// target_ranks for as many rows as a tile has.
  void rank_rows(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                 const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal);
  /// top_k for as many rows as a tile has; `log_sum_exp` null = not wanted.
  void list_rows(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, const ListedColumns& columns,
                 const Exclusions& exclusions, int32_t* items, Matrix scores, float* log_sum_exp);

  const int device_;
  std::string name_;
  Lines lines_;
  Stream copies_;  ///< of upload_beside
  Event copied_;
  Staging staging_;
  Reads reads_;
  Gemm gemm_;

  Scratch<float> item_rows_;                  ///< [C, D] rows of the table that scores and rankings multiply
  Scratch<float> joined_gradient_;            ///< [M, H + in] of gru_backward
  Scratch<Key> keys_;                         ///< what is sorted: rows of group_rows, scored items of top_k
  Scratch<double> norm_parts_;                ///< partial sums of a squared norm
  Scratch<AdamCorrection> adam_corrections_;  ///< one for each group
  Scratch<AdamCorrection> dense_correction_;  ///< [1]
  Scratch<float> tile_scores_;                ///< [R, T] products of a ranking
  Scratch<int32_t> tile_items_;               ///< candidates, then targets: the columns of target_ranks
  Scratch<float> target_scores_;              ///< [R]
  Scratch<int32_t> bad_scores_;               ///< [R] scores that are not finite
  Scratch<uint32_t> candidate_bits_;          ///< [I / 32] which items are candidates
  Scratch<PartSummary> part_summaries_;       ///< [R, parts]
};

}  // namespace gru4rec::cuda
