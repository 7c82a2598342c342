#include "engine/session_file/session_windows.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include "core/schedule.h"
#include "harness.h"
#include "small_training.h"

/// Sessions that are read from a file window by window while they are trained: the same walk and the same bits as of
/// sessions in memory, errors of the file, and no wait that cannot be cancelled.
namespace gru4rec::test {

namespace {

template <class T>
Span<const T> span(const std::vector<T>& values) {
  return {values.data(), static_cast<int64_t>(values.size())};
}

/// Sessions of 0 to `longest` events, with an order that may show some of them. `items` are below `item_count`.
struct RandomLog {
  std::vector<int32_t> items, offsets{0}, order;
  int32_t item_count;

  RandomLog(Data& data, int64_t count, int64_t longest, int32_t items_) : item_count(items_) {
    for (int64_t s = 0; s < count; ++s) {
      const int64_t length = data.integer(0, longest);
      for (int64_t e = 0; e < length; ++e) items.push_back(static_cast<int32_t>(data.integer(0, item_count - 1)));
      offsets.push_back(static_cast<int32_t>(items.size()));
      order.push_back(static_cast<int32_t>(s));
    }
    if (data.integer(0, 3) > 0)
      for (int64_t s = count - 1; s > 0; --s) std::swap(order[s], order[data.integer(0, s)]);
    if (count > 3 && data.integer(0, 3) == 0) order.resize(count / 2);
  }

  Sessions view() const { return {span(items), span(offsets)}; }
  SessionFile file(int64_t window) const {
    return {"memory", {}, 0, window, item_count, span(offsets), span(offsets), {}};
  }
  /// Reads `items` as if they were a file, and counts. On a thread of its own, where nothing can be checked.
  ItemReader reader(std::atomic<int64_t>* reads = nullptr) const {
    return {[this, reads](int64_t first, Span<int32_t> out) {
              if (reads != nullptr) ++*reads;
              if (first < 0 || first + out.size > static_cast<int64_t>(items.size()))
                throw Error(ErrorCode::file, "Expected to read what is there");
              std::copy_n(items.begin() + first, out.size, out.begin());
            },
            [] {}};
  }
  /// Numbers of the sessions that are walked.
  std::vector<int32_t> walked() const {
    std::vector<int32_t> out;
    for (const int32_t s : order)
      if (offsets[s + 1] - offsets[s] >= 2) out.push_back(s);
    return out;
  }
};

/// All steps of a walk, their rows one behind the other with -2 between the steps.
std::vector<int32_t> steps_of(SessionSource& sessions, int64_t batch, int64_t min_active = 1) {
  std::vector<int32_t> out;
  Schedule schedule(sessions, batch, min_active);
  for (ScheduleStep step; schedule.next(step);) {
    for (const Span<const int32_t>& part : {step.input, step.target, step.source})
      out.insert(out.end(), part.begin(), part.end());
    out.push_back(-2);
  }
  return out;
}

std::vector<int32_t> steps_in_memory(const Sessions& sessions, Span<const int32_t> order, int64_t batch) {
  SessionsInOrder in_order(sessions, order);
  return steps_of(in_order, batch);
}

constexpr int64_t kHeader = 24;

/// The items of a log in a file, behind a header.
class LogFile {
 public:
  explicit LogFile(const std::vector<int32_t>& items)
      : path_((std::filesystem::temp_directory_path() /
               ("gru4rec-windows-" + std::to_string(std::hash<const void*>()(this)) + "-" +
                std::to_string(reinterpret_cast<uintptr_t>(items.data())) + ".bin"))
                  .string()) {
    write(items);
  }
  ~LogFile() { std::remove(path_.c_str()); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  const std::string& path() const { return path_; }
  void write(const std::vector<int32_t>& items) const {
    std::ofstream out(path_, std::ios::binary | std::ios::trunc);
    out << std::string(kHeader, '#');
    out.write(reinterpret_cast<const char*>(items.data()), static_cast<std::streamsize>(items.size() * 4));
  }
  SessionFile sessions(const std::vector<int32_t>& offsets, int32_t item_count, int64_t window) const {
    struct stat status;
    CHECK_EQUAL(0, stat(path_.c_str(), &status));
#if defined(__APPLE__)
    const timespec& time = status.st_mtimespec;
#else
    const timespec& time = status.st_mtim;
#endif
    const FileStamp stamp{status.st_size, int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec};
    return {path_, stamp, kHeader, window, item_count, span(offsets), span(offsets), {}};
  }

 private:
  std::string path_;
};

/// The message of the error, with this code, that a walk over a file ends with.
std::string failure(ErrorCode code, const SessionFile& file, const std::vector<int32_t>& order) {
  try {
    const Cancellation cancellation;
    SessionWindows windows(file, span(order), 2, cancellation, open_items(file));
    steps_of(windows, 2);
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("windows: hold every session once, in their order, as many as fit, in 2000 random cases") {
  Data data(1);
  for (int i = 0; i < 2000; ++i) {
    const Context context("case " + std::to_string(i));
    const RandomLog log(data, data.integer(0, 30), data.integer(1, 9), 5);
    const int64_t most = data.integer(1, 20);
    const std::vector<int32_t> walked = log.walked();
    const auto length = [&](int32_t s) { return log.offsets[s + 1] - log.offsets[s]; };
    WindowPlanner planner(SessionOrder(span(log.offsets), span(log.order)), most);
    const WindowSizes sizes = planner.measure();
    WindowSizes largest;
    size_t next = 0;
    for (Window window; planner.next(window); ++largest.windows) {
      std::vector<WindowPart> parts = window.parts;
      CHECK(std::is_sorted(parts.begin(), parts.end(),
                           [](const auto& a, const auto& b) { return a.session < b.session; }));
      std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
      int64_t events = 0;
      for (const WindowPart& part : parts) {
        CHECK_EQUAL(walked.at(next++), part.session);
        CHECK_EQUAL(events, part.begin);
        events += length(part.session);
      }
      CHECK_EQUAL(events, window.events);
      CHECK(events <= most || parts.size() == 1);
      if (next < walked.size()) CHECK(events + length(walked[next]) > most);
      largest.events = std::max(largest.events, events);
      largest.sessions = std::max(largest.sessions, static_cast<int64_t>(parts.size()));
    }
    CHECK_EQUAL(walked.size(), next);
    CHECK_EQUAL(largest.events, sizes.events);
    CHECK_EQUAL(largest.sessions, sizes.sessions);
    CHECK_EQUAL(largest.windows, sizes.windows);
  }
}

TEST_CASE("windows: neighbours are read at once, and what lies far apart is not") {
  const std::vector<int32_t> places{0, 4, 10, 8200, 20'000, 40'000, 40'005};
  Window window;
  for (const int32_t session : {0, 1, 3, 3, 5}) window.parts.push_back({session, 0});
  const auto check = [&](int64_t first_part, const WindowRun& expected) {
    const WindowRun run = join_parts(window, first_part, span(places));
    CHECK_EQUAL(expected.first, run.first);
    CHECK_EQUAL(expected.end, run.end);
    CHECK_EQUAL(expected.end_part, run.end_part);
  };
  check(0, {0, 20'000, 0, 3});     // over a gap of 8190 events
  check(3, {8200, 20'000, 3, 4});  // a session that comes twice is read twice; 20,000 events lie before the next
  check(4, {40'000, 40'005, 4, 5});
}

TEST_CASE("windows: a file in order is read in long pieces") {
  Data data(2);
  RandomLog log(data, 100'000, 8, 100);
  std::iota(log.order.begin(), log.order.end(), 0);
  log.order.resize(99'000);
  const auto reads = [&](int64_t window) {
    std::atomic<int64_t> count{0};
    const Cancellation cancellation;
    SessionWindows windows(log.file(window), span(log.order), 32, cancellation, log.reader(&count));
    CHECK(steps_of(windows, 32) == steps_in_memory(log.view(), span(log.order), 32));
    return count.load();
  };
  CHECK_EQUAL(4, reads(1'000'000));  // 400,000 events in pieces of 131,072
  CHECK(reads(10'000) < 60);
}

TEST_CASE("windows: the walk is that of sessions in memory, for any window and batch, in 400 random cases") {
  Data data(3);
  for (int i = 0; i < 400; ++i) {
    const RandomLog log(data, data.integer(0, 40), data.integer(1, 9), 1000);
    const int64_t batch = data.integer(1, 12);
    const std::vector<int32_t> expected = steps_in_memory(log.view(), span(log.order), batch);
    for (const int64_t window : {int64_t{1}, int64_t{2}, int64_t{7}, data.integer(3, 60), int64_t{1'000'000}}) {
      const Context context("case " + std::to_string(i) + ", window " + std::to_string(window));
      const Cancellation cancellation;
      SessionWindows windows(log.file(window), span(log.order), batch, cancellation, log.reader());
      CHECK_BITS(expected, steps_of(windows, batch));
    }
  }
}

TEST_CASE("windows: sessions longer than what is read at once, among short ones and gaps") {
  Data data(4);
  RandomLog log(data, 0, 1, 1000);
  for (const int32_t length : {3, 300'000, 2, 131'072, 1, 131'071, 5000, 262'144, 4}) {
    for (int32_t e = 0; e < length; ++e) log.items.push_back(static_cast<int32_t>(data.integer(0, 999)));
    log.offsets.push_back(static_cast<int32_t>(log.items.size()));
  }
  for (const std::vector<int32_t>& order :
       {std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}, {8, 1, 5, 0, 7}, {3, 3, 6, 1, 1}}) {
    const std::vector<int32_t> expected = steps_in_memory(log.view(), span(order), 3);
    for (const int64_t window : {1, 300'003, 10'000'000}) {
      const Cancellation cancellation;
      SessionWindows windows(log.file(window), span(order), 3, cancellation, log.reader());
      CHECK(expected == steps_of(windows, 3));
    }
  }
}

TEST_CASE("windows: events of items that the model does not know are left out, in 400 random cases") {
  Data data(5);
  for (int i = 0; i < 400; ++i) {
    const RandomLog log(data, data.integer(1, 30), data.integer(2, 9), 6);
    const std::vector<int32_t> index_of{4, kNoItem, 2, 0, kNoItem, 9};
    std::vector<int32_t> known, offsets{0};
    for (size_t s = 0; s + 1 < log.offsets.size(); ++s) {
      for (int32_t e = log.offsets[s]; e < log.offsets[s + 1]; ++e)
        if (index_of[log.items[e]] != kNoItem) known.push_back(index_of[log.items[e]]);
      offsets.push_back(static_cast<int32_t>(known.size()));
    }
    SessionFile file = log.file(data.integer(1, 20));
    file.offsets = span(offsets);
    file.index_of = span(index_of);
    const Cancellation cancellation;
    SessionWindows windows(file, span(log.order), 3, cancellation, log.reader());
    CHECK_BITS(steps_in_memory({span(known), span(offsets)}, span(log.order), 3), steps_of(windows, 3));
  }
}

TEST_CASE("windows: training gives the same bits as in memory, for any window, on every back end") {
  const Clicks clicks(40);
  const LogFile log(clicks.items);
  for (const bool random : {false, true}) {
    const ModelSpec spec = small_model(random ? EmbeddingMode::separate : EmbeddingMode::shared);
    TrainingSpec training = small_training(spec);
    training.random_order = random;
    training.bptt = random ? 3 : 1;
    for (const BackendChoice& choice : backend_choices()) {
      const auto train = [&](const auto& sessions) {
        Model model(spec, choice.options);
        Training in_training(model, training, clicks);
        std::vector<double> losses;
        for (int epoch = 0; epoch < 3; ++epoch) {
          const Progress progress = in_training.trainer.epoch(sessions, clicks.all(), Cancellation(), nullptr);
          CHECK_EQUAL(progress.total_events, progress.events);
          losses.push_back(progress.loss);
        }
        return std::pair{losses, model.values()};
      };
      const auto expected = train(clicks.sessions());
      for (const int64_t window : unless_sanitized(std::vector<int64_t>{1, 7, 30, 1000}, {7})) {
        const Context context(choice.options.device + " " + choice.isa + ", window " + std::to_string(window));
        const auto received = train(log.sessions(clicks.offsets, kItems, window));
        CHECK_BITS(expected.first, received.first);
        CHECK_BITS(expected.second, received.second);
      }
    }
  }
}

TEST_CASE("windows: a file that is not there, was cut, written to or replaced is an error that says so") {
  const Clicks clicks(20);
  const LogFile log(clicks.items);
  const SessionFile file = log.sessions(clicks.offsets, kItems, 10);
  const std::string stays = "Expected " + log.path() + " to stay as it is while it is trained on but ";
  CHECK_EQUAL("none", failure(ErrorCode::file, file, clicks.order));

  std::filesystem::resize_file(log.path(), file.stamp.size - 1);
  CHECK_EQUAL(stays + "it has " + std::to_string(file.stamp.size - 1) + " bytes where it had " +
                  std::to_string(file.stamp.size),
              failure(ErrorCode::file, file, clicks.order));

  log.write(clicks.items);
  SessionFile older = log.sessions(clicks.offsets, kItems, 10);
  CHECK_EQUAL("none", failure(ErrorCode::file, older, clicks.order));
  older.stamp.modified -= 1;
  CHECK_EQUAL(stays + "it was written to or replaced", failure(ErrorCode::file, older, clicks.order));

  std::remove(log.path().c_str());
  CHECK_EQUAL("Expected " + log.path() + " to be a readable file but there is no such file",
              failure(ErrorCode::file, file, clicks.order));
}

TEST_CASE("windows: a file that is cut or written to while it is trained on ends the epoch") {
  const Clicks clicks(200);
  const LogFile log(clicks.items);
  const SessionFile file = log.sessions(clicks.offsets, kItems, 20);
  const auto failure_after = [&](const auto& change) {
    log.write(clicks.items);
    const SessionFile now = log.sessions(clicks.offsets, kItems, 20);
    const Cancellation cancellation;
    SessionWindows windows(now, clicks.all(), 4, cancellation, open_items(now));
    windows.next(0);
    change(now);
    return CHECK_THROWS(Error, steps_of(windows, 4));  // windows further than the two that may be there
  };
  const std::string stays = "Expected " + log.path() + " to stay as it is while it is trained on but it ";
  const std::string cut = failure_after([&](const SessionFile& now) {
    std::filesystem::resize_file(log.path(), 300);
    CHECK(now.stamp.size > 300);
  });
  CHECK(cut == stays + "has 300 bytes where it had " + std::to_string(file.stamp.size) ||
        cut.rfind(stays + "ends at byte 300 of ", 0) == 0);
  const std::string written =
      failure_after([&](const SessionFile&) { std::ofstream(log.path(), std::ios::binary | std::ios::app) << "more"; });
  CHECK_EQUAL(
      stays + "has " + std::to_string(file.stamp.size + 4) + " bytes where it had " + std::to_string(file.stamp.size),
      written);
}

TEST_CASE("windows: items that the file must not have, and sessions that are not what they were") {
  std::vector<int32_t> items{0, 1, 2, 3, 4};
  const std::vector<int32_t> offsets{0, 2, 5}, order{0, 1};
  for (const int32_t bad : {-1, -2'000'000'000, 5}) {
    items[3] = bad;
    const LogFile log(items);
    CHECK_EQUAL("Expected " + log.path() + " to have items from 0 to 4 but event 3 is of item " + std::to_string(bad),
                failure(ErrorCode::data, log.sessions(offsets, 5, 10), order));
  }
  items[3] = 3;
  const LogFile log(items);
  const auto failure_with = [&](const std::vector<int32_t>& index_of, const std::vector<int32_t>& trained) {
    SessionFile file = log.sessions(offsets, 5, 10);
    file.offsets = span(trained);
    file.index_of = span(index_of);
    return failure(ErrorCode::data, file, order);
  };
  CHECK_EQUAL("none", failure_with({0, 1, 2, kNoItem, 3}, {0, 2, 4}));
  const std::string other = "Expected " + log.path() +
                            " to stay as it is while it is trained on but session 1 has another number of known items";
  CHECK_EQUAL(other, failure_with({0, 1, 2, kNoItem, 3}, {0, 2, 5}));
  CHECK_EQUAL(other, failure_with({0, 1, 2, 4, 3}, {0, 2, 4}));
}

TEST_CASE("windows: an abort does not wait for the disk, and what waits is given up with the walk") {
  Data data(6);
  const RandomLog log(data, 100, 9, 10);
  std::atomic<bool> go_on{false};
  ItemReader slow = log.reader();
  slow.read = [&, read = slow.read](int64_t first, Span<int32_t> out) {
    while (!go_on) std::this_thread::yield();
    read(first, out);
  };
  Cancellation cancellation;
  SessionWindows windows(log.file(50), span(log.order), 4, cancellation, slow);
  std::thread other([&] { cancellation.cancel(); });
  CHECK_EQUAL("The operation was aborted", CHECK_THROWS(Error, windows.next(0)));  // would wait for ever
  other.join();
  go_on = true;
}

TEST_CASE("windows: a walk may end anywhere, and never a window further than the thread may read") {
  Data data(7);
  const RandomLog log(data, 200, 6, 10);
  const Cancellation cancellation;
  for (int64_t sessions = 0; sessions < 40; ++sessions) {
    std::atomic<int64_t> reads{0};
    {
      SessionWindows windows(log.file(6), span(log.order), 1, cancellation, log.reader(&reads));
      for (int64_t s = 0; s < sessions; ++s) windows.next(0);
    }
    CHECK(reads <= 6 * (sessions + 2));
  }
}

}  // namespace gru4rec::test
