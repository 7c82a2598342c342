#pragma once

#include <map>

#include "backend/backend.h"

namespace gru4rec {

/// The most that was asked of a Scratch of a back end.
template <class T>
class ScratchMeter {
 public:
  void reserve(int64_t size) {
    if (size > size_) size_ = size;
  }
  int64_t bytes() const { return size_ * static_cast<int64_t>(sizeof(T)); }

 private:
  int64_t size_ = 0;
};

/// A back end for rehearsals: it takes no memory and computes nothing, but adds up what the real one would ask for. Its
/// addresses lead nowhere, and downloads leave host memory as it is.
class MemoryMeter : public Backend {
 public:
  std::string description() const override { return "memory meter"; }
  bool supports(Precision) const override { return true; }
  void set_precision(Precision) override {}
  void* allocate(int64_t bytes) override;
  void release(void* memory) override;
  void upload(const void*, int64_t, void*) override {}
  void download(const void*, int64_t, void*) override {}
  void start_read(int, const void*, int64_t) override {}
  void finish_read(int, int64_t, void*) override {}
  void synchronize() override {}
  DeviceMemory memory() const override { return {}; }

  /// Bytes that are allocated now.
  int64_t allocated() const { return allocated_; }
  /// Bytes of the work space that the back end and the operations so far would have taken.
  virtual int64_t workspace() const = 0;
  /// Bytes of host memory that a back end on a device takes besides.
  virtual int64_t host_bytes() const { return 0; }

 protected:
  /// What the back end asks of the system for an allocation of `bytes`.
  virtual int64_t rounded(int64_t bytes) const { return bytes; }

  void do_begin_step(const StepFeed&) override {}
  void do_keep_step(Span<const int32_t>, StepState*, MatrixView<int32_t>) override {}
  void do_fill(float, Matrix) override {}
  void do_copy(ConstMatrix, Matrix) override {}
  void do_gather_rows(ConstMatrix, Span<const int32_t>, const Dropout&, Matrix) override {}
  void do_carry_state(ConstMatrix, Span<const int32_t>, Matrix) override {}
  void do_dropout_backward(const Dropout&, Matrix) override {}
  void do_carry_items(Span<const int32_t>, Span<const int32_t>, Span<int32_t>) override {}
  void do_add(ConstMatrix, Matrix) override {}
  void do_multiply(ConstMatrix, Matrix) override {}
  void do_gru_forward(const GruLayer&, ConstMatrix, const Dropout&, const GruTrace&, Matrix) override {}
  void do_gru_backward(const GruLayer&, const GruTrace&, const Dropout&, Matrix, Matrix, Matrix, Matrix,
                       const GruGradients&) override {}
  void do_draw_negatives(const SamplingTableView&, const RandomStream&, MatrixView<int32_t>) override {}
  void do_scores(ConstMatrix, ConstMatrix, ConstMatrix, Span<const int32_t>, const LogQ&, Matrix) override {}
  void do_loss_gradient(const Loss&, int64_t, const int32_t*, Matrix, Span<float>) override {}
  void do_accumulate_loss(Span<const float>, int64_t, StepState*, LossTotals*) override {}
  void do_scores_backward(ConstMatrix, ConstMatrix, ConstMatrix, Span<const int32_t>, Matrix, Matrix, Matrix) override {
  }
  void do_activate_scores(const Activation&, Matrix) override {}
  void do_group_rows(Span<const int32_t>, int64_t, const RowGroups&) override {}
  void do_add_squared_norm(ConstMatrix, double*) override {}
  void do_add_squared_norm_rows(const RowGroups&, ConstMatrix, double*) override {}
  void do_clip_scale(double, double*, float*) override {}
  void do_update_dense(const Optimiser&, ConstMatrix, const float*, const TrainableMatrix&) override {}
  void do_update_rows(const Optimiser&, const RowGroups&, ConstMatrix, const float*, const TrainableMatrix&) override {}
  void do_target_ranks(ConstMatrix, ConstMatrix, ConstMatrix, Span<const int32_t>, const Candidates&, Span<int32_t>,
                       Span<int32_t>) override {}
  void do_top_k(ConstMatrix, ConstMatrix, ConstMatrix, int64_t, const Candidates&, const Exclusions&, Span<int32_t>,
                Matrix, Span<float>) override {}

 private:
  std::map<void*, int64_t> sizes_;
  int64_t allocated_ = 0;
  uintptr_t next_address_ = 4096;
};

}  // namespace gru4rec
