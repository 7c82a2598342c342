#include "emulator/report.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdlib>
#include <unordered_map>

#include "emulator/scheduler.h"

namespace gru4rec::emulator {

namespace {

/// Length of a demangled name without its parameters, of which only the last parenthesis outside <> can start.
size_t length_without_parameters(const std::string& name) {
  int depth = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (name[i] == '(' && depth == 0 && name.compare(i, 11, "(anonymous ") != 0) return i;
  }
  return name.size();
}

std::string find_name(const void* function) {
  Dl_info info;
  if (dladdr(function, &info) == 0 || info.dli_sname == nullptr) return "a kernel that its library does not export";
  int status = 0;
  char* demangled = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  std::string name = demangled != nullptr ? demangled : info.dli_sname;
  std::free(demangled);
  if (name.compare(0, 5, "void ") == 0) name.erase(0, 5);  // templates carry their return type
  return name.substr(0, length_without_parameters(name));
}

}  // namespace

const std::string& kernel_name(const void* function) {
  static auto& names = *new std::unordered_map<const void*, std::string>;
  const auto found = names.find(function);
  return found != names.end() ? found->second : names.emplace(function, find_name(function)).first->second;
}

void print_place(std::FILE* out) {
  if (running_kernel == nullptr) return;
  const Kernel& kernel = *running_kernel;
  std::fprintf(out, "  in kernel %s, grid (%u, %u, %u), block (%u, %u, %u), %zu bytes of dynamic shared memory\n",
               kernel.name, kernel.grid.x, kernel.grid.y, kernel.grid.z, kernel.block.x, kernel.block.y, kernel.block.z,
               kernel.shared_bytes);
  if (current_thread == nullptr) return;
  const uint3 block = current_thread->block->index, thread = current_thread->index;
  std::fprintf(out, "  block (%u, %u, %u), thread (%u, %u, %u)\n", block.x, block.y, block.z, thread.x, thread.y,
               thread.z);
}

void fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::fprintf(stderr, "EMULATOR: ");
  std::vfprintf(stderr, format, arguments);
  std::fprintf(stderr, "\n");
  va_end(arguments);
  print_place(stderr);
  std::fflush(nullptr);
  _exit(99);
}

}  // namespace gru4rec::emulator
