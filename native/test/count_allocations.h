#pragma once

#include <cstdint>

namespace gru4rec::test {

/// Allocations of this program from its start. A program that calls this counts every one: of malloc and its relatives,
/// which operator new calls; without glibc, of operator new alone.
int64_t allocations_so_far();
/// Bytes of the heap that are in use, about as they were asked for; -1 where this is not known (other C libraries).
int64_t live_heap_bytes();

}  // namespace gru4rec::test
