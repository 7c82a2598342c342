#include "backends/cuda/gemm/cublas_library.h"

#include <dlfcn.h>
#include <glob.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "core/error.h"

namespace gru4rec::cuda {

namespace {

constexpr const char* kVariable = "GRU4REC_CUBLAS";
constexpr const char* kNone = "none";
/// The versions whose prototypes are those of cublas_library.h, newest first.
constexpr int kVersions[] = {13, 12};
constexpr int kUnit = 10000;  ///< of a major version: 130002 = 13.0.2
/// How the loader's error starts when there is no file of that name.
constexpr const char* kNotThere = "cannot open shared object file";

std::string environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : "";
}

std::string file_name(int version) { return "libcublas.so." + std::to_string(version); }

// --- Loading --------------------------------------------------------------------------------------------------------

/// What the loader has against `name`, without repeating it.
std::string loader_error(const std::string& name) {
  const char* message = dlerror();
  const std::string text = message != nullptr ? message : "the system's loader gives no reason";
  const std::string repeated = name + ": ";
  return text.rfind(repeated, 0) == 0 ? text.substr(repeated.size()) : text;
}

/// Finds the functions and the version of a library. Returns why it cannot be used; empty = it can.
std::string bind(void* handle, CublasLibrary* library) {
  std::string missing;
  const auto find = [&](const char* name, auto* function) {
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(dlsym(handle, name));
    if (*function == nullptr && missing.empty()) missing = name;
  };
  find("cublasCreate_v2", &library->create);
  find("cublasDestroy_v2", &library->destroy);
  find("cublasGetVersion_v2", &library->get_version);
  find("cublasSetStream_v2", &library->set_stream);
  find("cublasSetWorkspace_v2", &library->set_workspace);
  find("cublasSetMathMode", &library->set_math_mode);
  find("cublasGemmEx", &library->gemm);
  if (!missing.empty()) return "it has no function " + missing;

  if (library->get_version(nullptr, &library->version) != 0) return "it does not say its version";
  for (const int version : kVersions)
    if (library->version / kUnit == version) return "";
  return "it is cuBLAS " + cublas_version_text(library->version);
}

/// Loads what the loader finds under `name`, a path or the name of a file, unless that was done before.
/// Returns why it cannot be used; empty = it can, and is in `out`.
std::string load(const std::string& name, const CublasLibrary** out) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<const CublasLibrary>> loaded;
  const std::lock_guard<std::mutex> lock(mutex);
  if (const auto found = loaded.find(name); found != loaded.end()) {
    *out = found->second.get();
    return "";
  }
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return loader_error(name);
  auto library = std::make_unique<CublasLibrary>();
  std::string problem = bind(handle, library.get());
  if (!problem.empty()) {
    dlclose(handle);
    return problem;
  }
  Dl_info info;
  library->path = dladdr(reinterpret_cast<void*>(library->create), &info) != 0 ? info.dli_fname : name;
  *out = library.get();
  loaded[name] = std::move(library);
  return "";
}

// --- Looking for it -------------------------------------------------------------------------------------------------

/// The folders that cuBLAS is installed in, as patterns for glob, in the order of the search.
std::vector<std::string> usual_folders() {
  std::vector<std::string> toolkits;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const std::string toolkit = environment(variable); !toolkit.empty()) toolkits.push_back(toolkit);
  toolkits.insert(toolkits.end(), {"/usr/local/cuda", "/usr/local/cuda-13*", "/usr/local/cuda-12*", "/opt/cuda"});
  std::vector<std::string> folders;
  for (const std::string& toolkit : toolkits)
    for (const char* folder : {"/lib64", "/targets/*/lib"}) folders.push_back(toolkit + folder);

  std::vector<std::string> python;
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string prefix = environment(variable); !prefix.empty()) python.push_back(prefix + "/lib/python3*");
  if (const std::string home = environment("HOME"); !home.empty()) python.push_back(home + "/.local/lib/python3*");
  python.insert(python.end(), {"/usr/local/lib/python3*", "/usr/lib/python3*"});
  if (const std::string conda = environment("CONDA_PREFIX"); !conda.empty()) folders.push_back(conda + "/lib");
  // nvidia-cublas, of CUDA 13, and nvidia-cublas-cu12.
  for (const std::string& prefix : python)
    for (const char* package : {"cu13", "cublas"}) folders.push_back(prefix + "/*-packages/nvidia/" + package + "/lib");
  return folders;
}

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

/// "a, b and c"
std::string listed(const std::vector<std::string>& names, const std::string& conjunction) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i)
    out += (i == 0 ? "" : i + 1 < names.size() ? ", " : " " + conjunction + " ") + names[i];
  return out;
}

/// Loads a library and tries it. Returns why it cannot be used; empty = it can, and is in `out`.
std::string load_and_try(const std::string& name, const CublasTrial& trial, const CublasLibrary** out) {
  const CublasLibrary* library = nullptr;
  std::string problem = load(name, &library);
  if (problem.empty()) problem = trial(*library);
  if (problem.empty()) *out = library;
  return problem;
}

CublasSearch search(const CublasTrial& trial) {
  CublasSearch result;
  std::string unusable;
  const auto usable = [&](const std::string& name) {
    const std::string problem = load_and_try(name, trial, &result.library);
    if (problem.empty()) return true;
    // That there is no such file is the ordinary outcome.
    if (problem.rfind(kNotThere, 0) != 0) unusable += "; " + name + ": " + problem;
    return false;
  };
  for (const int version : kVersions)
    if (usable(file_name(version))) return result;
  const std::vector<std::string> folders = usual_folders();
  for (const std::string& folder : folders)
    for (const int version : kVersions)
      for (const std::string& path : matches(folder + "/" + file_name(version)))
        if (usable(path)) return result;

  std::vector<std::string> names;
  for (const int version : kVersions) names.push_back(file_name(version));
  result.problem =
      "Expected cuBLAS but found none that can be used" + unusable +
      ". Matrices are multiplied by kernels of this package, in float32 and several times slower. To get cuBLAS, "
      "install a CUDA toolkit or `pip install nvidia-cublas`, or say where it is with the option cublasPath or " +
      kVariable + ". Looked for " + listed(names, "and") + " with the system's loader and in " + listed(folders, "and");
  return result;
}

}  // namespace

CublasSearch find_cublas(const std::string& path, const CublasTrial& trial) {
  const std::string named = !path.empty() ? path : environment(kVariable);
  const std::string option = !path.empty() ? "the option cublasPath" : kVariable;
  if (named.empty()) return search(trial);
  CublasSearch result;
  if (named == kNone) {
    result.wanted = false;
    result.problem = "cuBLAS is not looked for: " + option + " is \"" + kNone + "\"";
    return result;
  }
  const std::string problem = load_and_try(named, trial, &result.library);
  if (problem.empty()) return result;
  std::vector<std::string> versions;
  for (const int version : kVersions) versions.push_back(std::to_string(version));
  throw Error(ErrorCode::device, "Expected " + option + " to name a library of cuBLAS " + listed(versions, "or") +
                                     " but received " + named + ": " + problem);
}

std::string too_old_for(const CublasLibrary& library, int capability) {
  constexpr int kBlackwell = 100, kFirstForBlackwell = 120800;
  if (capability < kBlackwell || library.version >= kFirstForBlackwell) return "";
  return "it is cuBLAS " + cublas_version_text(library.version) + ", but a GPU of compute capability " +
         std::to_string(capability / 10) + "." + std::to_string(capability % 10) + " needs " +
         cublas_version_text(kFirstForBlackwell) + " or newer";
}

std::string cublas_version_text(int version) {
  // Before 12.0 a major version counted 1000.
  const int unit = version >= kUnit * 10 ? kUnit : 1000;
  return std::to_string(version / unit) + "." + std::to_string(version % unit / 100) + "." +
         std::to_string(version % 100);
}

}  // namespace gru4rec::cuda
