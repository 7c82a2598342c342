#include "backends/cpu/cpu_backend.h"

#include <cstdlib>
#include <cstring>

#include "backends/cpu/cpu_backend_impl.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace gru4rec::cpu {

namespace {

// Tables are read and written at random rows: with small pages nearly every row costs a walk through the page table.
constexpr int64_t kHugePage = int64_t{2} << 20;

int64_t alignment_of(int64_t bytes) { return bytes >= 2 * kHugePage ? kHugePage : 64; }

}  // namespace

int64_t allocation_size(int64_t bytes) {
  const int64_t alignment = alignment_of(bytes);
  return (bytes + alignment) / alignment * alignment;
}

void* allocate_aligned(int64_t bytes) {
  const int64_t alignment = alignment_of(bytes), rounded = allocation_size(bytes);
  void* memory = std::aligned_alloc(alignment, rounded);
#if defined(__linux__)
  if (memory != nullptr && alignment == kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

void release_aligned(void* memory) { std::free(memory); }

void* WorkSpace::allocate(int64_t bytes) {
  void* memory = allocate_aligned(bytes);
  if (memory != nullptr) return memory;
  throw Error(ErrorCode::out_of_memory,
              "Expected " + std::to_string(bytes) + " bytes of work space but received none: out of memory");
}

namespace {

int thread_count(int threads) { return threads > 0 ? threads : available_threads(); }

}  // namespace

std::unique_ptr<Backend> create_cpu_backend(int threads) { return std::make_unique<CpuBackend>(thread_count(threads)); }

CpuDescription describe_cpu(int threads) { return {name(choose_isa()), thread_count(threads), system_memory()}; }

CpuBackend::CpuBackend(int threads) : isa_(choose_isa()), kernels_(kernels(isa_)), pool_(threads), gemm_(isa_, pool_) {}

std::string CpuBackend::description() const {
  return std::string("cpu (") + name(isa_) + ", " + std::to_string(pool_.threads()) +
         (pool_.threads() == 1 ? " thread)" : " threads)");
}

void* CpuBackend::allocate(int64_t bytes) {
  void* memory = bytes >= 0 ? allocate_aligned(bytes) : nullptr;
  if (memory == nullptr) {
    throw Error(ErrorCode::out_of_memory,
                "Expected " + std::to_string(bytes) + " bytes of memory but received none: out of memory");
  }
  return memory;
}

void CpuBackend::release(void* memory) { release_aligned(memory); }

void CpuBackend::upload(const void* host, int64_t bytes, void* device) {
  if (bytes > 0) std::memcpy(device, host, static_cast<size_t>(bytes));
}

void CpuBackend::download(const void* device, int64_t bytes, void* host) {
  if (bytes > 0) std::memcpy(host, device, static_cast<size_t>(bytes));
}

void CpuBackend::start_read(int place, const void* device, int64_t bytes) {
  reads_[place].resize(static_cast<size_t>(bytes));
  download(device, bytes, reads_[place].data());
}

void CpuBackend::finish_read(int place, int64_t bytes, void* host) { download(reads_[place].data(), bytes, host); }

}  // namespace gru4rec::cpu
