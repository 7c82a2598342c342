#include <algorithm>

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/device.cuh"
#include "backends/cuda/sort.cuh"

namespace gru4rec::cuda {

constexpr int kSortThreads = 512;
constexpr int kPlaceThreads = 512;
/// Merges the runs of 131,072 rows in one pass, which is more than a step has.
constexpr int64_t kGroupFan = 64;

/// Keys with the item above and the row below: sorted, the rows of an item lie together and ascend.
struct ItemKeys {
  const int32_t* items;  ///< [n]
  __device__ Key operator()(int64_t, int64_t i) const { return static_cast<Key>(items[i]) << 32 | static_cast<Key>(i); }
};

/// Whether a key has an item: those of kNoItem are behind all others.
__device__ __forceinline__ bool has_item(Key key) { return key >> 63 == 0; }

/// Whether the key at `i` is the first of its item.
__device__ __forceinline__ bool is_head(const Key* keys, int64_t i) {
  return has_item(keys[i]) && (i == 0 || keys[i] >> 32 != keys[i - 1] >> 32);
}

/// groups <- keys [n], sorted. Block b places the keys from b * kPlaceThreads on, a thread one: its row, and the item
/// and start of the group that begins with it. How many groups begin before the block it counts itself, which saves a
/// launch. The thread of the last key with an item writes the end and the number of groups; where there is none, block
/// 0 does.
__global__ void __launch_bounds__(kPlaceThreads) place_groups_kernel(const Key* keys, int64_t n, RowGroups groups) {
  constexpr int kWarps = kPlaceThreads / static_cast<int>(kWarp);
  GRU_SHARED(int32_t, heads_of_warp, [kWarps]);
  const int lane = static_cast<int>(threadIdx.x % kWarp), warp = static_cast<int>(threadIdx.x / kWarp);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kPlaceThreads, i = first + threadIdx.x;

  int32_t before = 0;
  for (int64_t j = threadIdx.x; j < first; j += kPlaceThreads) before += is_head(keys, j) ? 1 : 0;
  before = block_sum<kPlaceThreads>(before, heads_of_warp);

  const bool head = i < n && is_head(keys, i);
  const unsigned heads = __ballot_sync(kAllLanes, head);
  if (lane == 0) heads_of_warp[warp] = __popc(heads);
  __syncthreads();  // the counts of all warps are there
  for (int w = 0; w < warp; ++w) before += heads_of_warp[w];
  const int32_t group = before + __popc(heads & (kAllLanes >> (kWarp - 1 - lane))) - 1;

  if (i < n && has_item(keys[i])) {
    groups.occurrence[i] = static_cast<int32_t>(keys[i] & 0xffffffffu);
    if (head) {
      groups.item[group] = static_cast<int32_t>(keys[i] >> 32);
      groups.start[group] = static_cast<int32_t>(i);
    }
  }
  const bool none = n == 0 || !has_item(keys[0]);
  if (none ? i == 0 : i < n && has_item(keys[i]) && (i == n - 1 || !has_item(keys[i + 1]))) {
    groups.start[group + 1] = static_cast<int32_t>(none ? 0 : i + 1);
    *groups.count = group + 1;
  }
}

void CudaBackend::do_group_rows(Span<const int32_t> items, int64_t, const RowGroups& groups) {
  Key* keys = keys_.reserve(2 * items.size);
  if (items.size > 0) {
    sort_runs<kSortThreads>(ItemKeys{items.data}, 1, items.size, keys, stream());
    keys = merge_runs(keys, keys + items.size, 1, items.size, kGroupFan, stream());
  }
  launch(place_groups_kernel, blocks_for(std::max<int64_t>(items.size, 1), kPlaceThreads), kPlaceThreads, 0, stream(),
         static_cast<const Key*>(keys), items.size, groups);
}

}  // namespace gru4rec::cuda
