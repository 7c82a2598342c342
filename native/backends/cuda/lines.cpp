#include "backends/cuda/lines.h"

namespace gru4rec::cuda {

void Lines::enter(Branch branch) {
  const int entered = static_cast<int>(branch);
  number_ = 1 + entered;
  current_ = branches_[entered];
  left_.record(main_);
  left_.hold(current_);
}

void Lines::leave() {
  const int left = number_ - 1;
  number_ = 0;
  current_ = main_;
  ends_[left].record(branches_[left]);
  open_[left] = true;
}

void Lines::join(Branch branch) {
  const int joined = static_cast<int>(branch);
  if (open_[joined]) ends_[joined].hold(main_);
  open_[joined] = false;
}

void Lines::join_all() {
  for (int branch = 0; branch < kBranches; ++branch) join(static_cast<Branch>(branch));
}

void Lines::reset() {
  for (bool& open : open_) open = false;
  number_ = 0;
  current_ = main_;
}

}  // namespace gru4rec::cuda
