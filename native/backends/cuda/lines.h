#pragma once

#include "backend/backend.h"
#include "backends/cuda/stream.h"

namespace gru4rec::cuda {

/// The main line of work of a back end and its branches, each a stream. `current` is where operations go.
class Lines {
 public:
  Lines() = default;
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  cudaStream_t current() const { return current_; }
  cudaStream_t main() const { return main_; }
  /// 0 on the main line, else 1 + the branch.
  int number() const { return number_; }

  void enter(Branch branch);
  void leave();
  /// Nothing to do where the branch was not entered since.
  void join(Branch branch);
  void join_all();
  /// Back to the main line, wherever an error left off.
  void reset();

 private:
  Stream main_, branches_[kBranches];
  Event left_;                 ///< the main line, when a branch was entered
  Event ends_[kBranches];      ///< the end of what was called in a branch
  bool open_[kBranches] = {};  ///< left and not joined
  cudaStream_t current_ = main_;
  int number_ = 0;
};

}  // namespace gru4rec::cuda
