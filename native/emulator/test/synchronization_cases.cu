#include "emulator/test/cases.h"

namespace gru4rec::emulator::test {

__global__ void reverse_without_barrier(int* values) {
  GRU_SHARED(int, copy, [256]);
  copy[threadIdx.x] = values[threadIdx.x];
  values[threadIdx.x] = copy[255 - threadIdx.x];
}
CASE(missing_barrier) {
  int* values = on_device(counted(256));
  launch(reverse_without_barrier, 1, 256, values);
  expect_result(on_host(values, 256)[0] == 255 && on_host(values, 256)[255] == 0);
}

/// The scratch of one round is overwritten by the next one before all have read it.
__global__ void sum_in_rounds(float* values) {
  GRU_SHARED(float, sums, [8]);
  float value = values[threadIdx.x];
  for (int round = 0; round < 3; ++round) {
    float sum = value;
    for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(kAllLanes, sum, offset);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
    __syncthreads();
    float total = 0.0f;
    for (int warp = 0; warp < 8; ++warp) total += sums[warp];
    value = total / 256.0f + 1.0f;
  }
  values[threadIdx.x] = value;
}
CASE(scratch_reused_too_early) {
  float* values = on_device(std::vector<float>(256, 1.0f));
  launch(sum_in_rounds, 1, 256, values);
  for (float value : on_host(values, 256)) expect_result(value == 4.0f);
}

__global__ void reverse_in_a_warp(int* values, bool synchronised) {
  GRU_SHARED(int, copy, [32]);
  copy[threadIdx.x] = values[threadIdx.x];
  if (synchronised) __syncwarp();
  if (!synchronised) static_cast<void>(__shfl_sync(kAllLanes, 0, 0));
  values[threadIdx.x] = copy[31 - threadIdx.x];
}
CASE(warp_barrier) {
  int* values = on_device(counted(32));
  launch(reverse_in_a_warp, 1, 32, values, true);
  expect_result(on_host(values, 32)[0] == 31);
}
/// Shows in ThreadSanitizer only: the lanes do meet in the shuffle.
CASE(shuffle_as_barrier) {
  int* values = on_device(counted(32));
  launch(reverse_in_a_warp, 1, 32, values, false);
  on_host(values, 32);
}

__global__ void two_barriers(int* values) {
  if (threadIdx.x < 128) {
    values[threadIdx.x] = 1;
    __syncthreads();
  } else {
    values[threadIdx.x] = 2;
    __syncthreads();
  }
}
CASE(divergent_barrier) {
  launch(two_barriers, 1, 256, on_device<int>(256));
  on_host(on_device<int>(1), 1);
}

__global__ void return_before_barrier(int* values) {
  if (threadIdx.x >= 200) return;
  values[threadIdx.x] = 1;
  __syncthreads();
}
CASE(early_return) {
  launch(return_before_barrier, 1, 256, on_device<int>(256));
  on_host(on_device<int>(1), 1);
}

__global__ void barrier_in_branch(int* values) {
  if (threadIdx.x < 96) __syncthreads();
  values[threadIdx.x] = 1;
}
CASE(barrier_of_some) {
  launch(barrier_in_branch, 1, 256, on_device<int>(256));
  on_host(on_device<int>(1), 1);
}

/// Neither side can get on.
__global__ void barrier_and_shuffle() {
  if (threadIdx.x < 16) {
    __syncthreads();
  } else {
    static_cast<void>(__shfl_sync(kAllLanes, 1, 0));
  }
}
CASE(deadlock) {
  launch(barrier_and_shuffle, 1, 32);
  expect_success(cudaStreamSynchronize(stream()));
}

__global__ void shuffle_of_half(int* values) {
  if (threadIdx.x < 16) values[threadIdx.x] = __shfl_xor_sync(kAllLanes, static_cast<int>(threadIdx.x), 1);
}
CASE(shuffle_of_returned_lanes) {
  int* values = on_device<int>(32);
  launch(shuffle_of_half, 1, 32, values);
  on_host(values, 1);
}

__global__ void shuffle_beyond_mask(int* values) {
  if (threadIdx.x < 16) values[threadIdx.x] = __shfl_down_sync(0xffffu, static_cast<int>(threadIdx.x), 8);
}
CASE(shuffle_outside_mask) {
  int* values = on_device<int>(32);
  launch(shuffle_beyond_mask, 1, 32, values);
  on_host(values, 1);
}

__global__ void vote_without_oneself() {
  if (threadIdx.x < 16) static_cast<void>(__ballot_sync(0xffff0000u, 1));
}
CASE(lane_outside_its_mask) {
  launch(vote_without_oneself, 1, 32);
  expect_success(cudaStreamSynchronize(stream()));
}

__global__ void meet_in_different_places(int* values) {
  values[threadIdx.x] = threadIdx.x % 2 == 0 ? __shfl_sync(kAllLanes, 1, 0) : __popc(__ballot_sync(kAllLanes, 1));
}
CASE(different_warp_operations) {
  int* values = on_device<int>(32);
  launch(meet_in_different_places, 1, 32, values);
  on_host(values, 1);
}

__global__ void odd_warp(int* values) { values[threadIdx.x] = __any_sync(kAllLanes, threadIdx.x == 3); }
CASE(lanes_that_do_not_exist) {
  int* values = on_device<int>(40);
  launch(odd_warp, 1, 40, values);
  on_host(values, 1);
}

__global__ void add_without_atomic(int* total) {
  const int before = *total;
  __syncwarp();
  *total = before + 1;
}
CASE(lost_updates) {
  int* total = on_device(counted(1));
  launch(add_without_atomic, 4, 64, total);
  expect_result(on_host(total, 1)[0] == 256);
}

__global__ void last_block_wins(int* winner) {
  if (threadIdx.x == 0) *winner = static_cast<int>(blockIdx.x);
}
CASE(blocks_race) {
  int* winner = on_device<int>(1);
  launch(last_block_wins, 8, 64, winner);
  expect_result(on_host(winner, 1)[0] == 7);
}

__global__ void build_on_neighbour(int* values) {
  if (threadIdx.x == 0 && blockIdx.x > 0) values[blockIdx.x] = values[blockIdx.x - 1] + 1;
}
CASE(blocks_in_order) {
  int* values = on_device(std::vector<int>(8));
  launch(build_on_neighbour, 8, 64, values);
  expect_result(on_host(values, 8)[7] == 7);
}

__global__ void wait_for_ever(int* flag) {
  while (atomicCAS(flag, 1, 1) == 0) {
  }
}
CASE(endless_spin) {
  launch(wait_for_ever, 1, 32, on_device(std::vector<int>(1)));
  expect_success(cudaStreamSynchronize(stream()));
}

__global__ void give_up() { __trap(); }
CASE(trap) {
  launch(give_up, 1, 32);
  expect_success(cudaStreamSynchronize(stream()));
}

// What is right, and must stay so under every schedule.

__global__ void count_under_a_lock(int* lock, int* total) {
  for (bool done = false; !done;) {
    if (atomicCAS(lock, 0, 1) != 0) continue;
    __threadfence();
    *total += 1;
    __threadfence();
    atomicExch(lock, 0);
    done = true;
  }
}
CASE(spin_lock) {
  int *lock = on_device(std::vector<int>(1)), *total = on_device(std::vector<int>(1));
  launch(count_under_a_lock, 4, 64, lock, total);
  expect_result(on_host(total, 1)[0] == 256);
}

/// Whichever block is last adds up what all have written.
__global__ void sum_in_last_block(float* parts, unsigned* finished, float* total, bool fenced) {
  GRU_SHARED(unsigned, ticket, );
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = 1.0f;
    if (fenced) __threadfence();
    ticket = atomicAdd(finished, 1u);
    if (fenced) __threadfence();
  }
  __syncthreads();
  if (ticket != gridDim.x - 1 || threadIdx.x > 0) return;
  float sum = 0.0f;
  for (unsigned i = 0; i < gridDim.x; ++i) sum += parts[i];
  *total = sum;
}
CASE(last_block) {
  float *parts = on_device<float>(8), *total = on_device<float>(1);
  launch(sum_in_last_block, 8, 64, parts, on_device(std::vector<unsigned>(1)), total, true);
  expect_result(on_host(total, 1)[0] == 8.0f);
}
/// Shows in ThreadSanitizer only.
CASE(last_block_without_fence) {
  float *parts = on_device<float>(8), *total = on_device<float>(1);
  launch(sum_in_last_block, 8, 64, parts, on_device(std::vector<unsigned>(1)), total, false);
  on_host(total, 1);
}

template <class T>
__global__ void shuffle_every_way(T* out) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const T value = static_cast<T>(lane) + static_cast<T>(threadIdx.x / 32 * 100);
  T* row = out + threadIdx.x * 6;
  row[0] = __shfl_sync(kAllLanes, value, 5);
  row[1] = __shfl_up_sync(kAllLanes, value, 3u);
  row[2] = __shfl_down_sync(kAllLanes, value, 3u);
  row[3] = __shfl_xor_sync(kAllLanes, value, 6);
  row[4] = __shfl_sync(kAllLanes, value, 1, 8);
  row[5] = __shfl_down_sync(kAllLanes, value, 4u, 8);
}
template <class T>
void check_shuffles() {
  T* out = on_device<T>(64 * 6);
  launch(shuffle_every_way<T>, 1, 64, out);
  const std::vector<T> received = on_host(out, 64 * 6);
  for (int thread = 0; thread < 64; ++thread) {
    const int lane = thread % 32, base = thread / 32 * 100;
    const int expected[] = {5,        lane < 3 ? lane : lane - 3, lane + 3 > 31 ? lane : lane + 3,
                            lane ^ 6, lane / 8 * 8 + 1,           lane % 8 < 4 ? lane + 4 : lane};
    for (int i = 0; i < 6; ++i)
      expect_result(received[static_cast<size_t>(thread * 6 + i)] == static_cast<T>(expected[i] + base));
  }
}
CASE(shuffles) {
  check_shuffles<int>();
  check_shuffles<float>();
  check_shuffles<double>();
  check_shuffles<unsigned long long>();
}

__global__ void vote_every_way(unsigned* out) {
  const int lane = static_cast<int>(threadIdx.x);
  unsigned* row = out + lane * 5;
  row[0] = __ballot_sync(kAllLanes, lane % 3 == 0);
  row[1] = static_cast<unsigned>(__any_sync(kAllLanes, lane == 40));
  row[2] = static_cast<unsigned>(__all_sync(kAllLanes, lane < 32));
  row[3] = __match_any_sync(kAllLanes, lane % 4);
  row[4] = lane < 8 ? __ballot_sync(0xffu, lane % 2) : __ballot_sync(0xffffff00u, lane == 9);
}
CASE(votes) {
  unsigned* out = on_device<unsigned>(32 * 5);
  launch(vote_every_way, 1, 32, out);
  const std::vector<unsigned> received = on_host(out, 32 * 5);
  for (unsigned lane = 0; lane < 32; ++lane) {
    const unsigned expected[] = {0x49249249u, 0u, 1u, 0x11111111u << lane % 4, lane < 8 ? 0xAAu : 0x200u};
    for (unsigned i = 0; i < 5; ++i) expect_result(received[lane * 5 + i] == expected[i]);
  }
}

__global__ void gather_predicates(int* out) {
  const int i = static_cast<int>(threadIdx.x);
  const int count = __syncthreads_count(i % 2);
  const int any = __syncthreads_or(i == 99);
  const int all = __syncthreads_and(i != 7);
  const int every = __syncthreads_and(i < 100);
  if (i == 0) {
    out[0] = count;
    out[1] = any;
    out[2] = all;
    out[3] = every;
  }
}
CASE(barriers_with_predicates) {
  int* out = on_device<int>(4);
  launch(gather_predicates, 1, 100, out);
  expect_result(on_host(out, 4) == std::vector<int>({50, 1, 0, 1}));
}

/// Three-dimensional indices, each thread once.
__global__ void mark(int* seen) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  atomicAdd(&seen[block * blockDim.x * blockDim.y * blockDim.z + thread], 1);
}
CASE(three_dimensions) {
  int* seen = on_device(std::vector<int>(24 * 24));
  launch(mark, dim3(2, 3, 4), dim3(4, 3, 2), seen);
  for (int count : on_host(seen, 24 * 24)) expect_result(count == 1);
}

__global__ void count_bits(unsigned long long* out) {
  out[0] = static_cast<unsigned long long>(__popc(0xF0F0u) + __popcll(0xF0F0F0F0F0F0ull));
  out[1] = static_cast<unsigned long long>(__clz(1) + __clzll(1) + __clz(0) + __ffs(8) + __ffsll(16));
  out[2] = __brev(1u) + __umulhi(0x80000000u, 6u);
  out[3] = __umul64hi(0x8000000000000000ull, 10ull);
  out[4] = __float_as_uint(1.0f) + static_cast<unsigned>(min(3, 4)) + max(3u, 4u);
}
CASE(bits) {
  unsigned long long* out = on_device<unsigned long long>(5);
  launch(count_bits, 1, 1, out);
  expect_result(on_host(out, 5) ==
                std::vector<unsigned long long>({8 + 24, 31 + 63 + 32 + 4 + 5, 0x80000003u, 5, 0x3F800007u}));
}

}  // namespace gru4rec::emulator::test
