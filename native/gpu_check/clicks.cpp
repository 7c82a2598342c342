#include "gpu_check/clicks.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "core/philox.h"

namespace gru4rec::gpu_check {

namespace {

constexpr int64_t kGroup = 10;      ///< items of a group
constexpr double kTestShare = 0.1;  ///< of the sessions

/// Random numbers of one log.
class Random {
 public:
  explicit Random(uint64_t seed) : stream_(random_stream(seed, Purpose::shuffle, 0)) {}

  /// [0, 1)
  double uniform() { return random_word(stream_, next_++) * 0x1p-32; }
  int64_t below(int64_t bound) {
    return std::min(bound - 1, static_cast<int64_t>(uniform() * static_cast<double>(bound)));
  }
  /// Below `bound`, the lower ones more likely; the exponent is that of test/parity/fixtures.ts.
  int64_t skewed(int64_t bound) {
    return std::min(bound - 1, static_cast<int64_t>(static_cast<double>(bound) * std::pow(uniform(), 1.7)));
  }

 private:
  RandomStream stream_;
  uint64_t next_ = 0;
};

[[noreturn]] void refuse(const std::string& path, int64_t line, const std::string& what) {
  throw std::runtime_error("Expected " + what + " in line " + std::to_string(line) + " of " + path);
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
  if (!fields.empty() && !fields.back().empty() && fields.back().back() == '\r') fields.back().pop_back();
  return fields;
}

}  // namespace

void Clicks::add(const std::vector<int32_t>& session) {
  events.insert(events.end(), session.begin(), session.end());
  offsets.push_back(static_cast<int32_t>(events.size()));
}

Sessions Clicks::sessions() const {
  return {{events.data(), static_cast<int64_t>(events.size())}, {offsets.data(), static_cast<int64_t>(offsets.size())}};
}

std::vector<int32_t> Clicks::order() const {
  std::vector<int32_t> order(count());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<uint32_t> Clicks::support() const {
  std::vector<uint32_t> support(items, 1);
  for (const int32_t item : events) ++support[item];
  return support;
}

Log generate_log(int64_t sessions, int64_t items, uint64_t seed) {
  Random random(seed);
  Log log;
  log.name = "generated, " + std::to_string(items) + " items";
  log.train.items = log.test.items = items;
  const int64_t groups = (items + kGroup - 1) / kGroup;
  const auto first_test = static_cast<int64_t>((1.0 - kTestShare) * static_cast<double>(sessions));
  std::vector<int32_t> session;
  for (int64_t s = 0; s < sessions; ++s) {
    session.clear();
    const int64_t first = random.skewed(groups) * kGroup, size = std::min(kGroup, items - first);
    int64_t item = first + random.below(size);
    const int64_t length = 2 + random.below(7);
    for (int64_t e = 0; e < length; ++e) {
      session.push_back(static_cast<int32_t>(item));
      const double how = random.uniform();
      if (item < first || item >= first + size || how >= 0.7) {
        item = how < 0.95 ? first + random.below(size) : random.below(items);
      } else {
        item = first + (item - first + 1) % size;
      }
    }
    (s < first_test ? log.train : log.test).add(session);
  }
  return log;
}

Clicks random_clicks(int64_t sessions, int64_t longest, int64_t items, uint64_t seed) {
  Random random(seed);
  Clicks clicks;
  clicks.items = items;
  for (int64_t s = 0; s < sessions; ++s) {
    std::vector<int32_t> session(2 + random.below(longest - 1));
    for (int32_t& item : session) item = static_cast<int32_t>(random.skewed(items));
    clicks.add(session);
  }
  return clicks;
}

Log read_log(const std::string& path, int64_t most_events) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) refuse(path, 1, "names of columns");
  const std::vector<std::string> names = split(line);
  const auto column = [&](const char* name) {
    const auto place = std::find(names.begin(), names.end(), name);
    if (place == names.end()) refuse(path, 1, std::string("a column ") + name);
    return static_cast<size_t>(place - names.begin());
  };
  const size_t session_column = column("SessionId"), item_column = column("ItemId");

  std::vector<std::vector<std::string>> sessions;
  std::unordered_set<std::string> seen;
  std::string current;
  int64_t number = 1, events = 0;
  while (events < most_events && std::getline(file, line)) {
    ++number;
    std::vector<std::string> fields = split(line);
    if (fields.size() < names.size()) refuse(path, number, std::to_string(names.size()) + " fields between tabs");
    if (sessions.empty() || fields[session_column] != current) {
      current = fields[session_column];
      if (!seen.insert(current).second) refuse(path, number, "no more events of session " + current);
      sessions.emplace_back();
    }
    sessions.back().push_back(std::move(fields[item_column]));
    ++events;
  }
  sessions.erase(std::remove_if(sessions.begin(), sessions.end(), [](const auto& s) { return s.size() < 2; }),
                 sessions.end());
  if (sessions.size() < 10) refuse(path, number, "ten sessions of two events or more up to there");

  Log log;
  log.name = std::filesystem::path(path).filename().string();
  std::unordered_map<std::string, int32_t> indices;
  const auto first_test = static_cast<size_t>((1.0 - kTestShare) * static_cast<double>(sessions.size()));
  for (size_t s = 0; s < sessions.size(); ++s) {
    std::vector<int32_t> session;
    for (const std::string& id : sessions[s]) {
      if (s < first_test) {
        session.push_back(indices.try_emplace(id, static_cast<int32_t>(indices.size())).first->second);
      } else if (const auto known = indices.find(id); known != indices.end()) {
        session.push_back(known->second);
      }
    }
    if (session.size() >= 2) (s < first_test ? log.train : log.test).add(session);
  }
  log.train.items = log.test.items = static_cast<int64_t>(indices.size());
  return log;
}

void write_clicks(const Clicks& clicks, const std::string& path) {
  std::ofstream file(path);
  file << "SessionId\tItemId\tTime\n";
  for (int64_t s = 0; s < clicks.count(); ++s)
    for (int32_t e = clicks.offsets[s]; e < clicks.offsets[s + 1]; ++e)
      file << s << '\t' << clicks.events[e] << '\t' << e << '\n';
  file.close();
  if (!file) throw std::runtime_error("Expected to write " + path + " but could not");
}

}  // namespace gru4rec::gpu_check
