#include <string>

#include "backends/cuda_library/cuda_proxy.h"
#include "core/error.h"
#include "harness.h"

/// The C table of libgru4rec_cuda.so, with or without a driver and devices behind it: the one that GRU4REC_CUDA_LIBRARY
/// names, else the emulated one.
namespace gru4rec::test {

namespace {

DeviceOptions cuda_options() {
  for (const BackendChoice& choice : backend_choices())
    if (choice.options.device == "cuda") return choice.options;
  SKIP("no CUDA library was built");
}

}  // namespace

TEST_CASE("the driver has devices, or there is a reason why not") {
  const cuda_library::Table& table = cuda_library::load(cuda_options().cuda_library);
  cuda_library::Driver driver;
  table.driver(&driver);
  CHECK(driver.runtime_version >= 12000);
  const std::string problem = driver.problem.characters;
  CHECK_EQUAL(driver.devices > 0, problem.empty());
  if (driver.driver_version == 0) CHECK(problem.find("driver") != std::string::npos);
}

TEST_CASE("every device has a name and a back end, or there is a reason why not") {
  const DeviceOptions options = cuda_options();
  const cuda_library::Table& table = cuda_library::load(options.cuda_library);
  cuda_library::Driver driver;
  table.driver(&driver);
  // One more than there are: it cannot be used either.
  for (int number = 0; number <= driver.devices; ++number) {
    const Context context("device " + std::to_string(number));
    cuda_library::Device device;
    table.device(number, &device);
    const std::string problem = device.problem.characters;
    const auto create = [&] { cuda_library::create_cuda_backend(options.cuda_library, number, options.cublas_path); };
    if (problem.empty()) {
      CHECK(number < driver.devices);
      CHECK(device.name.characters[0] != '\0');
      CHECK(device.total_bytes > 0);
      create();
    } else {
      CHECK_THROWS(Error, create());
    }
  }
}

TEST_CASE("what is not the CUDA library is refused by its path") {
  const std::string message = CHECK_THROWS(Error, cuda_library::load("no/such/libgru4rec_cuda.so"));
  CHECK(message.find("no/such/libgru4rec_cuda.so") != std::string::npos);
}

}  // namespace gru4rec::test
