#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "test/check.h"

/// Every case of the *_cases.cu in a process of its own: bugs that the emulator has to find, under every schedule or
/// under one of several seeds, and kernels that it has to run right.
namespace gru4rec::test {

namespace {

struct Ended {
  int status;
  std::string output;
};

/// @param environment  "SEED=1 SCHEDULE=mix": names without GRU4REC_EMULATOR_
Ended run(const std::string& name, const std::string& environment, const char* program = GRU4REC_EMULATOR_CASES) {
  std::string command = "ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=halt_on_error=1";
  for (size_t first = 0; first < environment.size();) {
    const size_t last = std::min(environment.find(' ', first), environment.size());
    command += " GRU4REC_EMULATOR_" + environment.substr(first, last - first);
    first = last + 1;
  }
  command += " timeout -s KILL 120 " + std::string(program) + " " + name + " 2>&1";  // one that hangs has failed
  Ended ended{-1, ""};
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return ended;
  char part[4096];
  for (size_t size = 0; (size = std::fread(part, 1, sizeof(part), pipe)) > 0;) ended.output.append(part, size);
  const int status = pclose(pipe);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

/// The sanitizers that the cases are built with. They find in their own way what is outside the allocations, and races.
const std::string kSanitizers = GRU4REC_EMULATOR_SANITIZE;
bool sanitized(const std::string& how) { return kSanitizers.find(how) != std::string::npos; }

/// Processes start slowly under a sanitizer.
const std::vector<std::string> kSchedules =
    kSanitizers.empty() ? std::vector<std::string>{"forward", "reverse", "random", "uniform", "mix"}
                        : std::vector<std::string>{"forward", "mix"};
constexpr int kFound = 99, kWrong = 3, kError = 4, kAddress = 1, kRace = 66;

void check_ended(const std::string& name, const std::string& environment, int status, const std::string& message) {
  const Context context(name + " " + environment);
  const Ended ended = run(name, environment);
  CHECK_EQUAL(status, ended.status);
  if (ended.output.find(message) == std::string::npos) CHECK_EQUAL(message, ended.output);
}

/// Ends so under every schedule.
void always(const std::string& name, int status, const std::string& message = "", const std::string& environment = "") {
  for (const std::string& schedule : kSchedules)
    check_ended(name, "SCHEDULE=" + schedule + (environment.empty() ? "" : " " + environment), status, message);
}

/// Ends so under one of a few seeds.
void sometimes(const std::string& name, int status, const std::string& environment = "SCHEDULE=mix") {
  const Context context(name + " " + environment);
  int found = 0;
  for (int seed = 1; seed <= 8 && found == 0; ++seed)
    found += run(name, environment + " SEED=" + std::to_string(seed)).status == status ? 1 : 0;
  CHECK_EQUAL(1, found);
}

}  // namespace

TEST_CASE("emulator: what is right stays right under every schedule") {
  for (const char* name : {"warp_barrier",
                           "spin_lock",
                           "last_block",
                           "shuffles",
                           "votes",
                           "barriers_with_predicates",
                           "three_dimensions",
                           "bits",
                           "dynamic_shared_memory",
                           "copy_in_two_dimensions",
                           "large_shared_memory",
                           "failures_from_the_test",
                           "counters",
                           "buffer_read_then_written",
                           "event_between_streams",
                           "event_is_waited_for",
                           "polling_gets_on",
                           "branches",
                           "diamond",
                           "host_threads",
                           "product_of_column_ranges",
                           "products",
                           "rounding_of_operands",
                           "bfloat16_operands"}) {
    always(name, 0);
    check_ended(name, "RESIDENT=8 STREAMS=random SEED=3", 0, "");
    if (kSanitizers.empty()) check_ended(name, "STREAMS=eager", 0, "");
  }
}

TEST_CASE("emulator: barriers and warp operations") {
  always("divergent_barrier", kFound, "EMULATOR: divergent barrier");
  always("early_return", kFound, "return");
  sometimes("barrier_of_some", kFound);
  always("deadlock", kFound, "EMULATOR: deadlock");
  always("shuffle_of_returned_lanes", kFound, "lane");
  always("shuffle_outside_mask", kFound, "which is not in the mask 0000ffff");
  always("lane_outside_its_mask", kFound, "is not in its own mask ffff0000");
  always("different_warp_operations", kFound, "meet in different operations");
  always("lanes_that_do_not_exist", kFound, "the block does not have");
  always("endless_spin", kFound, "a thread spins");
  always("trap", kFound, "EMULATOR: __trap at");
}

TEST_CASE("emulator: a report names kernel, block and thread") {
  check_ended("trap", "SCHEDULE=forward", kFound,
              "in kernel gru4rec::emulator::test::give_up, grid (1, 1, 1), block (32");
  check_ended("trap", "SCHEDULE=forward", kFound, "block (0, 0, 0), thread (0, 0, 0)");
}

TEST_CASE("emulator: races between threads and blocks") {
  if (sanitized("thread")) {
    for (const char* name : {"missing_barrier", "scratch_reused_too_early", "lost_updates", "blocks_race",
                             "blocks_in_order", "shuffle_as_barrier", "last_block_without_fence"})
      always(name, kRace, "ThreadSanitizer: data race", "RESIDENT=4");
    check_ended("lost_updates", "", kRace, "in kernel gru4rec::emulator::test::add_without_atomic");
    return;
  }
  always("missing_barrier", kWrong);
  sometimes("scratch_reused_too_early", kWrong);
  always("lost_updates", kWrong);
  sometimes("blocks_race", kWrong);
  sometimes("blocks_in_order", kWrong);
}

TEST_CASE("emulator: memory outside the allocations") {
  if (sanitized("address")) {
    for (const char* name : {"write_past_the_end", "write_before_the_start", "read_past_the_end",
                             "write_past_a_shared_array", "write_past_dynamic_shared_memory"})
      always(name, kAddress, "AddressSanitizer: use-after-poison");
    check_ended("write_past_the_end", "", kAddress, "in kernel gru4rec::emulator::test::fill");
    return;
  }
  always("write_past_the_end", kFound, "the kernel wrote 4 bytes past the end of a device allocation of 160 bytes");
  always("write_before_the_start", kFound, "wrote 4 bytes before the start of a device allocation");
  always("read_past_the_end", kWrong);
  always("write_past_a_shared_array", kFound, "past the end of the shared array sums of 28 bytes");
  always("write_past_dynamic_shared_memory", kFound, "past the end of the shared array dynamic shared memory");
}

TEST_CASE("emulator: memory that was never written") {
  always("uninitialised_memory", kWrong);
  always("uninitialised_shared_memory", kWrong);
}

TEST_CASE("emulator: a stack that overflows") {
  always("stack_overflow", kFound, "the stack of a CUDA thread overflows");
}

TEST_CASE("emulator: memory of a device is limited") { check_ended("no_memory_left", "MEMORY_MB=16", 0, ""); }

TEST_CASE("emulator: pointers") {
  always("host_pointer", kFound, "is not device memory");
  always("pinned_pointer", kFound, "is not device memory");
  always("freed_pointer", kFound, "was freed");
  always("freed_pointer_in_a_struct", kFound, "was freed");
  if (sanitized("address")) {
    always("freed_pointer_in_device_memory", kAddress, "AddressSanitizer: use-after-poison");
  } else {
    always("freed_pointer_in_device_memory", kFound, "not allocated or was freed");
  }
  always("host_reads_device_memory", kFound, "host code touches device memory");
  always("freed_twice", kFound, "was freed before");
  always("copy_past_the_end", kFound, "writes outside a device allocation");
  always("copy_of_another_kind", kFound, "does not fit its pointers");
}

TEST_CASE("emulator: launches that a GPU refuses") {
  for (const char* name : {"too_many_threads", "no_threads", "no_blocks", "too_many_rows_of_blocks"})
    check_ended(name, "", kError, "cudaErrorInvalidConfiguration");
  check_ended("default_stream", "", kFound, "the default stream");
  check_ended("large_shared_memory_unasked", "", kError, "cudaErrorInvalidValue");
  check_ended("more_shared_memory_than_there_is", "CAPABILITY=86", kError, "cudaErrorInvalidValue");
  check_ended("more_shared_memory_than_there_is", "CAPABILITY=90", 0, "");
  check_ended("large_shared_memory", "SHARED_KB=50", kError, "cudaErrorInvalidValue");
  check_ended("static_and_dynamic_shared_memory", "", kFound, "bytes of dynamic shared memory");
  check_ended("dynamic_shared_memory_forgotten", "", kFound, "but was launched with none");
}

TEST_CASE("emulator: launches that nvcc's resource table forbids") {
  const std::string table = std::string(GRU4REC_EMULATOR_CASES) + ".resources";
  std::ofstream(table) << "200 0 1024 gru4rec::emulator::test::write_index\n";
  check_ended("many_registers", "RESOURCES=" + table, kError, "cudaErrorLaunchOutOfResources");
  check_ended("kernel_without_resources", "RESOURCES=" + table, kFound, "is not in");
  std::ofstream(table) << "20 0 256 gru4rec::emulator::test::write_index\n";
  check_ended("many_registers", "RESOURCES=" + table, kError, "cudaErrorLaunchOutOfResources");
}

TEST_CASE("emulator: devices") {
  check_ended("properties", "DEVICES=2 CAPABILITY=70", 0, "");
  check_ended("device_count", "DEVICES=0", kError, "cudaErrorNoDevice");
  check_ended("device_count", "DRIVER=12080", kError, "cudaErrorInsufficientDriver");
  check_ended("stream_of_another_device", "DEVICES=2", kError, "cudaErrorInvalidResourceHandle");
  check_ended("memory_of_another_device", "DEVICES=2", kFound, "is memory of another device");
}

TEST_CASE("emulator: failures on demand") {
  check_ended("third_allocation_fails", "FAIL_ALLOCATION=3", kError, "cudaErrorMemoryAllocation");
  check_ended("third_allocation_fails", "FAIL_ALLOCATION=4", 0, "");
  check_ended("second_launch_breaks_the_device", "FAIL_LAUNCH=2", kError, "cudaErrorIllegalAddress");
  check_ended("second_launch_breaks_the_device", "FAIL_LAUNCH=3", 0, "");
}

TEST_CASE("emulator: streams") {
  always("read_before_the_copy_is_done", kWrong);
  always("copy_does_not_wait_for_stream", kWrong);
  always("staging_reused", kWrong);
  always("missing_event", kWrong);
  check_ended("missing_event", "STREAMS=eager", 0, "");  // what laziness is for
  check_ended("pageable_memory", "", kFound, "host memory that is not pinned");
  check_ended("blocking_stream", "", kFound, "a stream that waits for the default stream");
  check_ended("destroyed_stream", "", kFound, "a stream that was destroyed");
}

TEST_CASE("emulator: graphs") {
  check_ended("allocation_in_capture", "", kError, "cudaErrorStreamCaptureUnsupported");
  check_ended("synchronisation_in_capture", "", kError, "cudaErrorStreamCaptureUnsupported");
  check_ended("ignored_error_in_capture", "", kError, "cudaErrorStreamCaptureInvalidated");
  check_ended("fork_without_join", "", kError, "cudaErrorStreamCaptureUnjoined");
  check_ended("event_from_outside_the_capture", "", kError, "cudaErrorStreamCaptureIsolation");
  check_ended("missing_edge", "", kWrong, "");
  check_ended("argument_of_a_graph_is_frozen", "", kWrong, "");
  check_ended("graph_uses_freed_memory", "", kFound, "was freed");
}

TEST_CASE("emulator: cuBLAS") {
  check_ended("leading_dimension_too_small", "", kError, "status 7");
  check_ended("product_out_of_range", "", kFound, "is not in a device allocation");
  check_ended("product_in_place", "", kFound, "C overlaps an operand");
  check_ended("product_without_stream", "", kFound, "cublasSetStream was not called");
  check_ended("product_without_workspace", "", kFound, "cublasSetWorkspace was not called");
  check_ended("bfloat16_operands", "CAPABILITY=75", kError, "status 15");
}

TEST_CASE("emulator: the profile counts launches") {
  check_ended("profile", "PROFILE=1", 0, "2 launches  gru4rec::emulator::test::nothing");
}

#ifdef GRU4REC_EMULATOR_TRAFFIC
TEST_CASE("emulator: traffic of device memory") {
  for (const char* name : {"reads_and_writes", "parts_of_sectors", "line_of_all_threads", "cache", "shared_memory",
                           "atomics", "copies_and_fills", "product", "diamond", "event_is_an_edge"})
    for (const std::string& schedule : kSchedules) {
      const Context context(name + (" " + schedule));
      CHECK_EQUAL(0, run(name, "L2_KB=4 SCHEDULE=" + schedule, GRU4REC_EMULATOR_TRAFFIC).status);
    }
}

TEST_CASE("emulator: the profile of counted kernels says bytes") {
  const Ended ended = run("profile_of_counted_kernels", "PROFILE=1", GRU4REC_EMULATOR_TRAFFIC);
  CHECK_EQUAL(0, ended.status);
  CHECK(ended.output.find("0.033 MB read      0.000 MB written") != std::string::npos);
}
#endif

TEST_CASE("emulator: kernels that are not counted say so") { always("profile_without_counted_kernels", 0); }

TEST_CASE("emulator: an option that does not exist is refused") {
  check_ended("bits", "L2_KB=0", kFound, "Expected GRU4REC_EMULATOR_L2_KB to be at least 1 but received 0");
  check_ended("bits", "SCHEDULE=sideways", kFound, "to be forward|reverse|random|uniform|mix but received sideways");
  check_ended("bits", "SEED=first", kFound, "Expected GRU4REC_EMULATOR_SEED to be a number but received first");
}

}  // namespace gru4rec::test
