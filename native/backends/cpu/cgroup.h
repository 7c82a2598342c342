#pragma once

#include <functional>
#include <string>

namespace gru4rec::cpu {

/// A group of processes whose limits hold for this one.
struct Cgroup {
  std::string folder;  ///< where its files are; may not be there
  int version;         ///< 1 or 2: what the files are called
};

/// Calls `visit` for this process's group of `controller` ("cpu", "memory") and for every group above it: the tighter
/// limit of a parent holds for its children. Does nothing where there are no groups.
void for_each_cgroup(const std::string& controller, const std::function<void(const Cgroup&)>& visit);

}  // namespace gru4rec::cpu
