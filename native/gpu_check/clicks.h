#pragma once

#include <string>
#include <vector>

#include "core/schedule.h"

namespace gru4rec::gpu_check {

/// Sessions of clicks on `items` items, oldest session first.
struct Clicks {
  int64_t items = 0;
  std::vector<int32_t> events, offsets{0};

  void add(const std::vector<int32_t>& session);
  Sessions sessions() const;
  int64_t count() const { return static_cast<int64_t>(offsets.size()) - 1; }
  /// All session numbers, ascending.
  std::vector<int32_t> order() const;
  /// Events of each item, and one more, so that each has at least one.
  std::vector<uint32_t> support() const;
};

/// A click log: the last tenth of the sessions is the test.
struct Log {
  std::string name;
  Clicks train, test;
};

/// Sessions that a recurrent network can learn something from: items come in groups of ten, a session stays in its
/// group most of the time, where an item is mostly followed by the next one of the group. Groups are unequally popular.
/// The same on every machine.
Log generate_log(int64_t sessions, int64_t items, uint64_t seed);

/// Sessions of 2 to `longest` events over items that are skewed to the lower ones, as those of test/parity.
Clicks random_clicks(int64_t sessions, int64_t longest, int64_t items, uint64_t seed);

/// Reads the first `most_events` of a file of lines `session item time` between tabs, under a line that names them, in
/// any order of columns, the events of a session one behind the other. Sessions keep the order of the file; items of
/// the test that are not in the training are left out. Throws std::runtime_error that names the line.
Log read_log(const std::string& path, int64_t most_events);

/// Writes sessions as such a file.
void write_clicks(const Clicks& clicks, const std::string& path);

}  // namespace gru4rec::gpu_check
