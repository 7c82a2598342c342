#pragma once

#include <cstdio>
#include <string>

namespace gru4rec::emulator {

/// Ends the process with status 99 after "EMULATOR: " and the message, with the kernel, block and thread that run.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// Prints which kernel, block and thread run, if one does.
void print_place(std::FILE* out);

/// "gru4rec::cuda::fill_kernel", with template arguments and without parameters, as nvcc's resource table has it.
const std::string& kernel_name(const void* function);

}  // namespace gru4rec::emulator
