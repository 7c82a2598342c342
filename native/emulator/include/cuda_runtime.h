#pragma once

/// Stands in for NVIDIA's <cuda_runtime.h>, for tests only: a C++ compiler then builds the CUDA sources as they are and
/// native/emulator runs their kernels on the CPU. What is not declared here does not compile in the emulated build:
/// that is how some of the house rules are kept (README.md beside this folder).
#include "emulated/language.h"
// The built-ins need the types above.
#include "emulated/device.h"
#include "emulated/host.h"
