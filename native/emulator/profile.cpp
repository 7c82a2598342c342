#include "emulator/profile.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <map>

#include "emulator/api_call.h"
#include "emulator/emulator.h"
#include "emulator/options.h"
#include "emulator/report.h"
#include "emulator/traffic.h"

namespace gru4rec::emulator {

namespace {

/// A piece of work as it ran.
struct Record {
  Description what;
  Records after;
  uint64_t graph;
  Traffic traffic;
  double milliseconds;  ///< of the emulator
};

/// All work of one name, printed at the end of the process where GRU4REC_EMULATOR_PROFILE asks for it.
struct Totals {
  struct Line {
    int64_t launches = 0;
    double milliseconds = 0.0, flops = 0.0;
    Traffic traffic;
  };
  std::map<std::string, Line> lines;

  void add(const Record& record) {
    Line& line = lines[record.what.name];
    ++line.launches;
    line.milliseconds += record.milliseconds;
    line.flops += record.what.flops;
    line.traffic.bytes_read += record.traffic.bytes_read;
    line.traffic.bytes_written += record.traffic.bytes_written;
  }
  ~Totals() {
    for (const auto& [name, line] : lines) {
      std::fprintf(stderr, "EMULATOR: %10.2f ms ", line.milliseconds);
      if (kernels_are_counted()) {
        std::fprintf(stderr, "%10.3f MB read %10.3f MB written %10.3f MFLOP ",
                     static_cast<double>(line.traffic.bytes_read) / 1e6,
                     static_cast<double>(line.traffic.bytes_written) / 1e6, line.flops / 1e6);
      }
      std::fprintf(stderr, "%8" PRId64 " launches  %s\n", line.launches, name.c_str());
    }
  }
};

/// What was recorded since gru4rec_emulator_start_profile.
struct Recording {
  bool on = false;
  size_t first = 0;  ///< number of the first record: numbers of an earlier profile stay in streams and events
  std::vector<Record> records;
};
Recording& recording = *new Recording;

const char* name_of(WorkKind kind) {
  switch (kind) {
    case WorkKind::kernel:
      return "kernel";
    case WorkKind::product:
      return "product";
    case WorkKind::copy:
      return "copy";
    default:
      return "fill";
  }
}

void write_record(const Record& record, std::FILE* out) {
  std::fprintf(out,
               "{\"kind\": \"%s\", \"name\": \"%s\", \"precision\": \"%s\", \"graph\": %" PRIu64
               ", \"blocks\": %" PRIu64 ", \"threads\": %u, \"flops\": %.0f, \"bytesRead\": %" PRIu64
               ", \"bytesWritten\": %" PRIu64 ", \"bytesFetched\": %" PRIu64 ", \"bytesWrittenBack\": %" PRIu64
               ", \"accesses\": %" PRIu64 ", \"milliseconds\": %.4f, \"after\": [",
               name_of(record.what.kind), record.what.name.c_str(), record.what.precision, record.graph,
               record.what.blocks, record.what.threads, record.what.flops, record.traffic.bytes_read,
               record.traffic.bytes_written, record.traffic.bytes_fetched, record.traffic.bytes_written_back,
               record.traffic.accesses, record.milliseconds);
  const char* separator = "";
  for (const size_t before : record.after) {
    if (before < recording.first) continue;
    std::fprintf(out, "%s%zu", separator, before - recording.first);
    separator = ", ";
  }
  std::fprintf(out, "]}");
}

}  // namespace

Records run_work(const Work& work, const Records& after, uint64_t graph) {
  if (!options().profile && !recording.on) {
    work.run();
    return {};
  }
  const auto start = std::chrono::steady_clock::now();
  start_traffic();
  work.run();
  Record record{work.what, after, graph, end_traffic(), 0.0};
  record.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (options().profile) {
    static Totals totals;
    totals.add(record);
  }
  if (!recording.on) return {};
  recording.records.push_back(std::move(record));
  return {recording.first + recording.records.size() - 1};
}

}  // namespace gru4rec::emulator

using namespace gru4rec::emulator;

extern "C" {

void gru4rec_emulator_start_profile() {
  const ApiCall call;
  recording.first += recording.records.size();
  recording.records.clear();
  recording.on = true;
  forget_traffic();
}

void gru4rec_emulator_write_profile(const char* path) {
  const ApiCall call;
  std::FILE* out = std::fopen(path, "w");
  if (out == nullptr) fail("Expected to write the profile %s but it cannot be opened", path);
  std::fprintf(out, "{\"kernelsAreCounted\": %s, \"nodes\": [", kernels_are_counted() ? "true" : "false");
  const char* separator = "\n";
  for (const Record& record : recording.records) {
    std::fprintf(out, "%s", separator);
    write_record(record, out);
    separator = ",\n";
  }
  std::fprintf(out, "\n]}\n");
  if (std::fclose(out) != 0) fail("Expected to write the profile %s but it cannot be written", path);
  recording.on = false;
}

}  // extern "C"
