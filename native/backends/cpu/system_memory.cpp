#include "backends/cpu/system_memory.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "backends/cpu/cgroup.h"

namespace gru4rec::cpu {

namespace {

/// The number behind `key` in a file of lines "key number …"; -1 where there is none.
int64_t read_field(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string name, rest;
  for (int64_t value = 0; file >> name >> value; std::getline(file, rest))
    if (name == key) return value;
  return -1;
}

/// The number that a file consists of; -1 where there is none, such as for "max".
int64_t read_number(const std::string& path) {
  std::ifstream file(path);
  int64_t value = -1;
  return file >> value ? value : -1;
}

/// Narrows `memory` to what the limit of `group`, if it has one, leaves.
void apply_limit(const Cgroup& group, DeviceMemory& memory) {
  const bool v2 = group.version == 2;
  const int64_t limit = read_number(group.folder + (v2 ? "/memory.max" : "/memory.limit_in_bytes"));
  const int64_t used = read_number(group.folder + (v2 ? "/memory.current" : "/memory.usage_in_bytes"));
  if (limit < 0 || used < 0 || limit >= memory.total) return;
  const int64_t cache = read_field(group.folder + "/memory.stat", v2 ? "inactive_file" : "total_inactive_file");
  memory.total = limit;
  memory.free = std::max<int64_t>(0, std::min(memory.free, limit - used + std::max<int64_t>(0, cache)));
}

}  // namespace

DeviceMemory system_memory() {
  constexpr int64_t kKilo = 1024;
  const int64_t total = read_field("/proc/meminfo", "MemTotal:");
  const int64_t available = read_field("/proc/meminfo", "MemAvailable:");
  if (total < 0 || available < 0) return {};
  DeviceMemory memory{total * kKilo, available * kKilo};
  for_each_cgroup("memory", [&](const Cgroup& group) { apply_limit(group, memory); });
  return memory;
}

}  // namespace gru4rec::cpu
