#include "backends/cpu/cgroup.h"

#include <fstream>

namespace gru4rec::cpu {

void for_each_cgroup(const std::string& controller, const std::function<void(const Cgroup&)>& visit) {
  const std::string root = "/sys/fs/cgroup";
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {  // "0::/path" is version 2, "4:cpu,cpuacct:/path" version 1
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const int version = controllers == ",," ? 2 : 1;
    if (version == 1 && controllers.find("," + controller + ",") == std::string::npos) continue;
    const std::string mount = version == 2 ? root : root + "/" + controller;
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    while (true) {
      visit({mount + group, version});
      const size_t slash = group.rfind('/');
      if (slash == std::string::npos) break;
      group.resize(slash);
    }
  }
}

}  // namespace gru4rec::cpu
