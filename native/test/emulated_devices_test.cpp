#include <dlfcn.h>
#include <glob.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "backends/cuda_library/cuda_proxy.h"
#include "core/error.h"
#include "harness.h"

/// What the CUDA library says of machines of all kinds, with the emulated GPUs, driver and cuBLAS. Every machine is a
/// child process: the emulator reads its environment once.
namespace gru4rec::test {

namespace {

namespace files = std::filesystem;
using Environment = std::vector<std::pair<std::string, std::string>>;

/// Runs `body` in a child process with these environment variables, and without those that would get in the way.
/// Returns what it returns.
std::string on_machine(const Environment& environment, const std::function<std::string()>& body) {
  int ends[2];
  CHECK_EQUAL(0, pipe(ends));
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    for (const char* variable :
         {"GRU4REC_CUBLAS", "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "HOME"})
      unsetenv(variable);
    for (const auto& [variable, value] : environment) setenv(variable.c_str(), value.c_str(), 1);
    std::string said;
    try {
      said = body();
    } catch (const std::exception& error) {
      said = std::string("an exception: ") + error.what();
    }
    const ssize_t written = write(ends[1], said.data(), said.size());
    _exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t count; (count = read(ends[0], buffer, sizeof(buffer))) > 0;) said.append(buffer, count);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK_EQUAL(0, status);
  return said;
}

const cuda_library::Table& table() { return cuda_library::load(GRU4REC_EMULATED_CUDA); }

std::string driver_problem() {
  cuda_library::Driver driver;
  table().driver(&driver);
  return driver.problem.characters;
}

std::string device_problem(int number) {
  cuda_library::Device device;
  table().device(number, &device);
  return device.problem.characters;
}

/// Its description, or what ErrorCode::device says.
std::string create(int number, const std::string& cublas_path = GRU4REC_EMULATED_CUBLAS) {
  try {
    return cuda_library::create_cuda_backend(GRU4REC_EMULATED_CUDA, number, cublas_path)->description();
  } catch (const Error& error) {
    return (error.code() == ErrorCode::device ? "" : "another code: ") + std::string(error.what());
  }
}

/// What is known of cuBLAS: "130002 PATH", or the problem.
std::string blas(const char* cublas_path) {
  cuda_library::Blas blas;
  table().blas(0, cublas_path, &blas);
  return blas.version != 0 ? std::to_string(blas.version) + " " + blas.path.characters : blas.problem.characters;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A folder that goes with everything in it.
class Folder {
 public:
  Folder() {
    std::string name = (files::temp_directory_path() / "gru4rec-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { files::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path() const { return path_.string(); }
  /// Makes `name` in it a link to `target`, and returns its path.
  std::string link(const std::string& name, const std::string& target) const {
    files::create_directories((path_ / name).parent_path());
    files::create_symlink(target, path_ / name);
    return (path_ / name).string();
  }

 private:
  files::path path_;
};

/// Whether cuBLAS is installed where it is looked for early on.
bool machine_has_cublas() {
  for (const char* file : {"libcublas.so.13", "libcublas.so.12"})
    if (dlopen(file, RTLD_LAZY | RTLD_LOCAL) != nullptr) return true;
  glob_t found;
  const bool any = glob("/usr/local/cuda*/lib64/libcublas.so.1[23]", 0, nullptr, &found) == 0;
  globfree(&found);
  return any;
}

}  // namespace

TEST_CASE("devices: two of them, what is known of them, and a number beyond them") {
  const Environment two{{"GRU4REC_EMULATOR_DEVICES", "2"}, {"GRU4REC_EMULATOR_DRIVER", "13020"}};
  CHECK_EQUAL("2 13020 13000 ", on_machine(two, [] {
                cuda_library::Driver driver;
                table().driver(&driver);
                return std::to_string(driver.devices) + " " + std::to_string(driver.driver_version) + " " +
                       std::to_string(driver.runtime_version) + " " + driver.problem.characters;
              }));
  CHECK_EQUAL("Emulated GPU 1 8.6, memory ", on_machine(two, [] {
                cuda_library::Device device;
                table().device(1, &device);
                const bool memory = device.free_bytes > 0 && device.free_bytes <= device.total_bytes;
                return std::string(device.name.characters) + " " + std::to_string(device.major) + "." +
                       std::to_string(device.minor) + (memory ? ", memory " : " ") + device.problem.characters;
              }));
  CHECK_EQUAL("cuda:1 (Emulated GPU 1, cuBLAS 13.0.2)", on_machine(two, [] { return create(1); }));
  for (const int number : {2, -1}) {
    const std::string problem = "Expected a CUDA device from 0 to 1 but received " + std::to_string(number);
    CHECK_EQUAL(problem, on_machine(two, [&] { return device_problem(number); }));
    CHECK_EQUAL(problem, on_machine(two, [&] { return create(number); }));
  }
}

TEST_CASE("devices: none that can be used, and why") {
  struct Machine {
    Environment environment;
    std::string problem;
  };
  const Machine machines[] = {
      {{{"GRU4REC_EMULATOR_DRIVER", "0"}}, "Expected an NVIDIA driver (libcuda.so.1) but found none"},
      {{{"GRU4REC_EMULATOR_DRIVER", "12040"}},
       "Expected a driver for CUDA 13.0 or newer (580 or newer) but received one for CUDA 12.4"},
      {{{"GRU4REC_EMULATOR_DEVICES", "0"}}, "Expected an NVIDIA GPU but the driver shows none"},
      {{{"GRU4REC_EMULATOR_DEVICES", "0"}, {"CUDA_VISIBLE_DEVICES", ""}},
       "Expected an NVIDIA GPU but the driver shows none, with CUDA_VISIBLE_DEVICES=\"\""},
  };
  for (const auto& [environment, problem] : machines) {
    CHECK_EQUAL(problem, on_machine(environment, driver_problem));
    CHECK_EQUAL(problem, on_machine(environment, [] { return device_problem(0); }));
    CHECK_EQUAL(problem, on_machine(environment, [] { return create(0); }));
  }
}

TEST_CASE("devices: one that is too old") {
  const Environment old{{"GRU4REC_EMULATOR_CAPABILITY", "70"}};
  const std::string problem = "Expected a GPU of compute capability 7.5 or newer but received Emulated GPU 0 with 7.0";
  CHECK_EQUAL("", on_machine(old, driver_problem));
  CHECK_EQUAL(problem, on_machine(old, [] { return device_problem(0); }));
  CHECK_EQUAL(problem, on_machine(old, [] { return create(0); }));
}

TEST_CASE("devices: one that the library was not built for") {
  const Environment foreign{{"GRU4REC_EMULATOR_CAPABILITY", "75"}, {"GRU4REC_EMULATOR_OLDEST_CODE", "80"}};
  const std::string problem =
      "Expected libgru4rec_cuda.so to hold code for this GPU but it was built for others: build it on this machine";
  CHECK_EQUAL("", on_machine(foreign, driver_problem));
  CHECK_EQUAL(problem, on_machine(foreign, [] { return device_problem(0); }));
  CHECK_EQUAL(problem, on_machine(foreign, [] { return create(0); }));
}

TEST_CASE("devices: one that is too new for a cuBLAS") {
  const Environment old_cublas{{"GRU4REC_EMULATOR_CAPABILITY", "100"}, {"GRU4REC_EMULATOR_CUBLAS_VERSION", "120401"}};
  const std::string problem =
      std::string("Expected the option cublasPath to name a library of cuBLAS 13 or 12 but received ") +
      GRU4REC_EMULATED_CUBLAS + ": it is cuBLAS 12.4.1, but a GPU of compute capability 10.0 needs 12.8.0 or newer";
  CHECK_EQUAL(problem, on_machine(old_cublas, [] { return create(0); }));
  CHECK_EQUAL(problem, on_machine(old_cublas, [] { return blas(GRU4REC_EMULATED_CUBLAS); }));
  const Environment new_cublas{{"GRU4REC_EMULATOR_CAPABILITY", "100"}, {"GRU4REC_EMULATOR_CUBLAS_VERSION", "120800"}};
  CHECK(contains(on_machine(new_cublas, [] { return create(0); }), "(Emulated GPU 0, cuBLAS 12.8.0)"));
}

TEST_CASE("precision: tf32 and bf16 from compute capability 8.0 and with cuBLAS, else an error") {
  struct Case {
    const char* capability;
    const char* cublas_path;
    bool supported;
  };
  for (const Case& c : {Case{"75", GRU4REC_EMULATED_CUBLAS, false}, Case{"80", GRU4REC_EMULATED_CUBLAS, true},
                        Case{"120", GRU4REC_EMULATED_CUBLAS, true}, Case{"120", "none", false}})
    for (const Precision precision : {Precision::tf32, Precision::bf16}) {
      const Context context(std::string(c.capability) + " " + c.cublas_path + " " + name(precision));
      const std::string said = on_machine({{"GRU4REC_EMULATOR_CAPABILITY", c.capability}}, [&]() -> std::string {
        const auto backend = cuda_library::create_cuda_backend(GRU4REC_EMULATED_CUDA, 0, c.cublas_path);
        backend->set_precision(Precision::float32);
        try {
          backend->set_precision(precision);
        } catch (const Error& error) {
          if (error.code() != ErrorCode::device || backend->supports(precision)) return "a contradiction";
          return error.what();
        }
        return backend->supports(precision) ? "supported" : "a contradiction";
      });
      if (c.supported) {
        CHECK_EQUAL("supported", said);
      } else {
        CHECK(contains(said, std::string("Expected a device that multiplies in ") + name(precision)));
      }
    }
}

TEST_CASE("cuBLAS: a library by name, in the option or in GRU4REC_CUBLAS") {
  const std::string emulated = std::string("130002 ") + GRU4REC_EMULATED_CUBLAS;
  const Environment variable{{"GRU4REC_CUBLAS", GRU4REC_EMULATED_CUBLAS}};
  CHECK_EQUAL(emulated, on_machine({}, [] { return blas(GRU4REC_EMULATED_CUBLAS); }));
  CHECK_EQUAL(emulated, on_machine(variable, [] { return blas(""); }));
  CHECK_EQUAL(emulated, on_machine(variable, [] { return blas(nullptr); }));
  CHECK_EQUAL(emulated, on_machine({{"GRU4REC_CUBLAS", "none"}}, [] { return blas(GRU4REC_EMULATED_CUBLAS); }));
  CHECK_EQUAL("cuBLAS is not looked for: the option cublasPath is \"none\"",
              on_machine(variable, [] { return blas("none"); }));
  CHECK_EQUAL("cuBLAS is not looked for: GRU4REC_CUBLAS is \"none\"",
              on_machine({{"GRU4REC_CUBLAS", "none"}}, [] { return blas(""); }));
  CHECK_EQUAL("cuda:0 (Emulated GPU 0, own products)", on_machine({}, [] { return create(0, "none"); }));
}

TEST_CASE("cuBLAS: a library by name that cannot be used is an error that says why") {
  struct Case {
    std::string path, version, reason;
  };
  const Case cases[] = {
      {"/no/such/libcublas.so.13", "130002", "cannot open shared object file"},
      {"libm.so.6", "130002", "it has no function cublasCreate_v2"},
      {GRU4REC_EMULATED_CUBLAS, "140105", "it is cuBLAS 14.1.5"},
      {GRU4REC_EMULATED_CUBLAS, "11402", "it is cuBLAS 11.4.2"},
  };
  for (const auto& [path, version, reason] : cases) {
    const Environment environment{{"GRU4REC_EMULATOR_CUBLAS_VERSION", version}};
    const std::string problem =
        "Expected the option cublasPath to name a library of cuBLAS 13 or 12 but received " + path + ": " + reason;
    CHECK_EQUAL(problem, on_machine(environment, [&] { return blas(path.c_str()); }).substr(0, problem.size()));
    CHECK_EQUAL(problem, on_machine(environment, [&] { return create(0, path); }).substr(0, problem.size()));
  }
}

TEST_CASE("cuBLAS: it is looked for in toolkits and Python packages, and what cannot be used is passed over") {
  if (machine_has_cublas()) SKIP("this machine has a cuBLAS, which would be found");
  const Folder folder;
  const std::string root = folder.path();
  const std::string toolkit = folder.link("toolkit/lib64/libcublas.so.12", CUBLAS_12);
  const std::string package =
      folder.link("python/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12", CUBLAS_12);
  const std::string home =
      folder.link("home/.local/lib/python3.9/site-packages/nvidia/cu13/lib/libcublas.so.13", CUBLAS_12);
  const std::string conda = folder.link("conda/lib/libcublas.so.12", CUBLAS_12);
  folder.link("broken/lib64/libcublas.so.13", "/dev/null");
  // The emulated one may be found by the system's loader: its library has it in the same folder.
  const auto find = [](Environment environment) {
    environment.emplace_back("GRU4REC_EMULATOR_CUBLAS_VERSION", "140000");
    return on_machine(environment, [] { return blas(""); });
  };
  CHECK_EQUAL("120304 " + toolkit, find({{"CUDA_HOME", root + "/toolkit"}, {"VIRTUAL_ENV", root + "/python"}}));
  CHECK_EQUAL("120304 " + toolkit, find({{"CUDA_HOME", root + "/broken"}, {"CUDA_PATH", root + "/toolkit"}}));
  CHECK_EQUAL("120304 " + package, find({{"VIRTUAL_ENV", root + "/python"}, {"HOME", root + "/home"}}));
  CHECK_EQUAL("120304 " + conda, find({{"CONDA_PREFIX", root + "/conda"}}));
  CHECK_EQUAL("120304 " + home, find({{"HOME", root + "/home"}}));

  const std::string problem = find({{"CUDA_HOME", root + "/broken"}, {"VIRTUAL_ENV", root + "/nothing"}});
  for (const std::string& part :
       {std::string("Expected cuBLAS but found none that can be used"),
        root + "/broken/lib64/libcublas.so.13: file too short", std::string("several times slower"),
        std::string("pip install nvidia-cublas"), std::string("cublasPath"),
        std::string("libcublas.so.13 and libcublas.so.12 with the system's loader"),
        std::string("/usr/local/cuda/lib64"), root + "/nothing/lib/python3*/*-packages/nvidia/cu13/lib"}) {
    const Context context(part);
    CHECK(contains(problem, part));
  }
  CHECK_EQUAL("cuda:0 (Emulated GPU 0, own products)",
              on_machine({{"GRU4REC_EMULATOR_CUBLAS_VERSION", "140000"}}, [] { return create(0, ""); }));
}

TEST_CASE("cuBLAS: one that was found but does not work on the device is passed over") {
  if (machine_has_cublas()) SKIP("this machine has a cuBLAS, which would be found");
  const Folder folder;
  const std::string toolkit = folder.link("lib64/libcublas.so.12", CUBLAS_12);
  // The emulated one may be found by the system's loader: it must not be usable, either.
  Environment blackwell{{"GRU4REC_EMULATOR_CAPABILITY", "100"},
                        {"GRU4REC_EMULATOR_CUBLAS_VERSION", "120401"},
                        {"CUDA_HOME", folder.path()}};
  CHECK_EQUAL("cuda:0 (Emulated GPU 0, own products)", on_machine(blackwell, [] { return create(0, ""); }));
  CHECK(contains(on_machine(blackwell, [] { return blas(""); }),
                 toolkit + ": it is cuBLAS 12.3.4, but a GPU of compute capability 10.0 needs 12.8.0 or newer"));
  blackwell.emplace_back("CUBLAS_12_VERSION", "120800");
  CHECK_EQUAL("cuda:0 (Emulated GPU 0, cuBLAS 12.8.0)", on_machine(blackwell, [] { return create(0, ""); }));
  CHECK_EQUAL("120800 " + toolkit, on_machine(blackwell, [] { return blas(""); }));

  const Environment broken{
      {"GRU4REC_EMULATOR_CUBLAS_VERSION", "140000"}, {"CUBLAS_12_BROKEN", "1"}, {"CUDA_HOME", folder.path()}};
  CHECK_EQUAL("cuda:0 (Emulated GPU 0, own products)", on_machine(broken, [] { return create(0, ""); }));
  CHECK(contains(on_machine(broken, [&] { return create(0, toolkit); }),
                 "Expected cublasCreate of cuBLAS 12.3.4 (" + toolkit +
                     ") to succeed but received CUBLAS_STATUS_NOT_INITIALIZED"));
}

}  // namespace gru4rec::test
