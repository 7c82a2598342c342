#include <cmath>

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/device.cuh"
#include "backends/cuda/score.cuh"
#include "backends/cuda/sort.cuh"

namespace gru4rec::cuda {

/// Longest list that is kept in shared memory; longer ones are the front of all scores, sorted.
constexpr int64_t kMaxKept = 1024;
/// Keys of rows that are sorted at once; twice as many take 64 MiB.
constexpr int64_t kSortedKeys = int64_t{1} << 22;
constexpr int kWordBits = 32;
constexpr int kWordThreads = 256;

/// Which of the scores that a block looks at may be listed, and what else is asked of them.
struct ListFilter {
  const uint32_t* candidates;  ///< bit of each item; null = every column is a candidate
  Exclusions exclusions;       ///< of the rows of the tile
  bool wants_sum;              ///< of all scores, candidates or not

  __device__ bool is_candidate(int32_t item) const {
    return candidates == nullptr || (candidates[item / kWordBits] >> (item % kWordBits) & 1u) != 0;
  }
  __device__ bool is_excluded(int64_t row, int32_t item) const {
    if (exclusions.starts.size == 0) return false;
    const int64_t first = exclusions.starts[row];
    return contains<int32_t>(exclusions.items.data + first, exclusions.starts[row + 1] - first, item);
  }
};

/// What a thread has seen of a row: log(sum of exp) grows score by score, in double and without overflow.
struct Seen {
  double sum = 0.0;
  float max = -INFINITY;
  int32_t bad = 0;

  __device__ void add(float score) {
    if (score <= max) {
      sum += expf(score - max);
    } else {
      sum = sum * exp(static_cast<double>(max) - score) + 1.0;
      max = score;
    }
  }
};

/// A sum of exp(score - max), as one of exp(score - other); a sum of nothing has no max.
__device__ __forceinline__ double moved_sum(double sum, float max, float other) {
  return sum > 0.0 ? sum * exp(static_cast<double>(max) - other) : 0.0;
}

/// summary <- what the threads of a block have seen, added to what it holds unless this is the first tile. Every thread
/// of the block calls it; thread 0 writes.
__device__ __forceinline__ void add_to_summary(const Seen& seen, bool wants_sum, bool first_tile,
                                               PartSummary* summary) {
  GRU_SHARED(double, sums, [kTileThreads / kWarp]);
  GRU_SHARED(float, maxima, [kTileThreads / kWarp]);
  GRU_SHARED(int32_t, counts, [kTileThreads / kWarp]);
  const int32_t bad = block_sum<kTileThreads>(seen.bad, counts);
  float max = -INFINITY;
  double sum = 0.0;
  if (wants_sum) {
    max = block_max<kTileThreads>(seen.max, maxima);
    sum = block_sum<kTileThreads>(moved_sum(seen.sum, seen.max, max), sums);
  }
  if (threadIdx.x != 0) return;
  const PartSummary before = first_tile ? PartSummary{0.0, -INFINITY, 0} : *summary;
  const float larger = fmaxf(before.max, max);
  *summary = {moved_sum(before.sum, before.max, larger) + moved_sum(sum, max, larger), larger,
              before.bad != 0 || bad != 0 ? 1 : 0};
}

/// The key of a score, kNoKey where its item is no candidate or it is not finite; adds it to what is seen. Exclusions
/// are not looked at.
__device__ __forceinline__ Key look_at(const ListFilter& filter, int32_t item, float score, Seen* seen) {
  const bool candidate = filter.is_candidate(item);
  if (!is_finite(score)) {
    if (candidate || filter.wants_sum) seen->bad = 1;
    return kNoKey;
  }
  if (filter.wants_sum) seen->add(score);
  return candidate ? score_key(score, item) : kNoKey;
}

/// The first k of the keys that a block is offered, k <= kMaxKept, in shared memory. New keys are gathered behind the
/// best so far; when the next round might not fit, all are sorted, and the k-th is what the next ones have to beat.
/// Which thread puts a key where depends on timing, the sorted result does not.
class BestKeys {
 public:
  static constexpr int kCapacity = 2048;
  /// Keys that a thread may offer in a round.
  static constexpr int kPerThread = 8;
  static constexpr int kRound = kPerThread * kTileThreads;
  static_assert(kMaxKept + kRound <= kCapacity, "a round fits behind the best");

  /// Every thread of the block. `keys` [kCapacity] and `size` are shared and get what `list` [k] holds; null = nothing.
  __device__ BestKeys(Key* keys, int* size, int k, const Key* list) : keys_(keys), size_(size), k_(k) {
    for (int i = static_cast<int>(threadIdx.x); i < k; i += kTileThreads) keys[i] = list != nullptr ? list[i] : kNoKey;
    if (threadIdx.x == 0) *size = k;
    __syncthreads();  // the list is there
  }

  /// What a key has to be below to be among the first k; the same during a round.
  __device__ Key limit() const { return keys_[k_ - 1]; }

  /// Takes a key, or kNoKey for none. Every lane of the warp.
  __device__ void offer(Key key) {
    const unsigned takers = __ballot_sync(kAllLanes, key != kNoKey);
    if (takers == 0) return;
    const int lane = static_cast<int>(threadIdx.x % kWarp);
    int place = 0;
    if (lane == 0) place = atomicAdd(size_, __popc(takers));
    place = __shfl_sync(kAllLanes, place, 0) + __popc(takers & ((1u << lane) - 1u));
    if (key != kNoKey) keys_[place] = key;
  }

  /// Ends a round; behind the last one the first k keys are sorted. Every thread of the block.
  __device__ void end_round(bool last) {
    __syncthreads();  // all offers of the round are there
    const int size = *size_;
    if (size > kCapacity - kRound || (last && size > k_)) {
      const int padded = power_of_two_from(size);
      for (int i = size + static_cast<int>(threadIdx.x); i < padded; i += kTileThreads) keys_[i] = kNoKey;
      __syncthreads();  // the padding is there
      block_sort<kTileThreads>(keys_, padded);
      if (threadIdx.x == 0) *size_ = k_;
    }
    __syncthreads();  // all have read the size, and the next round sees the new one
  }

  __device__ Key operator[](int place) const { return keys_[place]; }

 private:
  Key* keys_;
  int* size_;
  int k_;
};

/// lists [R, parts, k], summaries [R, parts]: adds the fresh columns of a tile to the first k keys of each part of a
/// row, sorted, and to what is known of its scores. A block looks at one part of a row and writes its list and summary.
__global__ void __launch_bounds__(kTileThreads)
    best_of_tile_kernel(ScoreTile tile, ListFilter filter, int k, bool first_tile, Key* lists, PartSummary* summaries) {
  GRU_SHARED(Key, keys, [BestKeys::kCapacity]);
  GRU_SHARED(int, size, );
  const int64_t row = blockIdx.x / tile.parts, begin = tile.begin(blockIdx.x % tile.parts);
  const int64_t end = tile.end(blockIdx.x % tile.parts);
  Key* list = lists + static_cast<int64_t>(blockIdx.x) * k;
  BestKeys best(keys, &size, k, first_tile ? nullptr : list);
  Seen seen;
  for (int64_t round = begin; round < end; round += BestKeys::kRound) {
    const Key limit = best.limit();
    // All are loaded before one is looked at, so that they are under way together.
    int32_t items[BestKeys::kPerThread];
    float scores[BestKeys::kPerThread];
    for (int i = 0; i < BestKeys::kPerThread; ++i) {
      const int64_t column = round + i * kTileThreads + threadIdx.x;
      items[i] = column < end ? tile.item(column) : kNoItem;
      scores[i] = column < end ? tile.score(row, column, items[i]) : 0.0f;
    }
    for (int i = 0; i < BestKeys::kPerThread; ++i) {
      const Key key = items[i] != kNoItem ? look_at(filter, items[i], scores[i], &seen) : kNoKey;
      const bool listed = key < limit && !filter.is_excluded(row, items[i]);
      best.offer(listed ? key : kNoKey);
    }
    best.end_round(round + BestKeys::kRound >= end);
  }
  for (int i = static_cast<int>(threadIdx.x); i < k; i += kTileThreads) list[i] = best[i];
  add_to_summary(seen, filter.wants_sum, first_tile, summaries + blockIdx.x);
}

/// keys [R, columns] <- the keys of the fresh columns of a tile, kNoKey for what may not be listed; summaries [R,
/// parts] as in best_of_tile_kernel. A block looks at one part of a row, a thread writes the keys of its columns.
__global__ void __launch_bounds__(kTileThreads)
    keys_of_tile_kernel(ScoreTile tile, ListFilter filter, int64_t columns, bool first_tile, Key* keys,
                        PartSummary* summaries) {
  const int64_t row = blockIdx.x / tile.parts, part = blockIdx.x % tile.parts, end = tile.end(part);
  Seen seen;
  for (int64_t column = tile.begin(part) + threadIdx.x; column < end; column += kTileThreads) {
    const int32_t item = tile.item(column);
    const Key key = look_at(filter, item, tile.score(row, column, item), &seen);
    const bool listed = key != kNoKey && !filter.is_excluded(row, item);
    keys[row * columns + tile.first + column] = listed ? key : kNoKey;
  }
  add_to_summary(seen, filter.wants_sum, first_tile, summaries + blockIdx.x);
}

/// bad [R], log_sum_exp [R] or null <- what the parts of a row say together. A warp a row, its lanes take the parts in
/// turn and lane 0 writes. Without parts no score was looked at.
__global__ void __launch_bounds__(kRowThreads)
    sum_up_rows_kernel(const PartSummary* summaries, int64_t rows, int64_t parts, int32_t* bad, float* log_sum_exp) {
  const int lane = static_cast<int>(threadIdx.x % kWarp);
  const int64_t row = (static_cast<int64_t>(blockIdx.x) * kRowThreads + threadIdx.x) / kWarp;
  if (row >= rows) return;  // a whole warp
  summaries += row * parts;
  int32_t bad_parts = 0;
  float max = -INFINITY;
  for (int64_t part = lane; part < parts; part += kWarp) {
    bad_parts += summaries[part].bad;
    max = fmaxf(max, summaries[part].max);
  }
  bad_parts = warp_sum(bad_parts);
  max = warp_max(max);
  double sum = 0.0;
  for (int64_t part = lane; part < parts; part += kWarp) {
    sum += moved_sum(summaries[part].sum, summaries[part].max, max);
  }
  sum = warp_sum(sum);
  if (lane != 0) return;
  bad[row] = bad_parts;
  if (log_sum_exp != nullptr) log_sum_exp[row] = bad_parts == 0 ? static_cast<float>(max + log(sum)) : NAN;
}

/// Writes place `place` of row `row` of a list: an item and its score, or what stands behind the last candidate or in a
/// row with a score that is not finite.
__device__ __forceinline__ void write_place(int64_t row, int64_t place, Key key, bool bad, int32_t* items,
                                            const Matrix& scores) {
  const bool listed = !bad && key != kNoKey;
  items[row * scores.cols + place] = listed ? item_of(key) : bad && place == 0 ? kNotFinite : kNoItem;
  scores(row, place) = listed ? score_of(key) : -INFINITY;
}

/// items [R, k], scores [R, k] <- the first k of the keys of a row's sorted lists [R, parts, k]. A block a row.
__global__ void __launch_bounds__(kTileThreads)
    write_best_kernel(const Key* lists, int64_t parts, const int32_t* bad, int32_t* items, Matrix scores) {
  GRU_SHARED(Key, keys, [BestKeys::kCapacity]);
  GRU_SHARED(int, size, );
  const int k = static_cast<int>(scores.cols);
  const int64_t row = blockIdx.x, others = (parts - 1) * k;
  lists += row * parts * k;
  BestKeys best(keys, &size, k, parts > 0 ? lists : nullptr);
  for (int64_t round = 0; round < others; round += BestKeys::kRound) {
    const Key limit = best.limit();
    for (int i = 0; i < BestKeys::kPerThread; ++i) {
      const int64_t place = round + i * kTileThreads + threadIdx.x;
      const Key key = place < others ? lists[k + place] : kNoKey;
      best.offer(key < limit ? key : kNoKey);
    }
    best.end_round(round + BestKeys::kRound >= others);
  }
  for (int i = static_cast<int>(threadIdx.x); i < k; i += kTileThreads) {
    write_place(row, i, best[i], bad[row] != 0, items, scores);
  }
}

/// items [R, k], scores [R, k] <- the first k of a row's sorted keys [R, columns]. Block (x, y) writes kTileThreads
/// places of row y.
__global__ void __launch_bounds__(kTileThreads)
    write_sorted_kernel(const Key* keys, int64_t columns, const int32_t* bad, int32_t* items, Matrix scores) {
  const int64_t row = blockIdx.y, place = static_cast<int64_t>(blockIdx.x) * kTileThreads + threadIdx.x;
  if (place >= scores.cols) return;
  write_place(row, place, place < columns ? keys[row * columns + place] : kNoKey, bad[row] != 0, items, scores);
}

/// bits [(items + 31) / 32] <- which items are in `list`, ascending. A thread a word.
__global__ void __launch_bounds__(kWordThreads)
    mark_candidates_kernel(Span<const int32_t> list, int64_t items, uint32_t* bits) {
  const int64_t word = static_cast<int64_t>(blockIdx.x) * kWordThreads + threadIdx.x, first = word * kWordBits;
  if (first >= items) return;
  uint32_t marked = 0;
  for (int64_t i = count_below(list.data, list.size, static_cast<int32_t>(first));
       i < list.size && list[i] < first + kWordBits; ++i) {
    marked |= 1u << (list[i] - first);
  }
  bits[word] = marked;
}

void CudaBackend::do_top_k(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k,
                           const Candidates& candidates, const Exclusions& exclusions, Span<int32_t> items,
                           Matrix scores, Span<float> log_sum_exp) {
  // A long list costs more to gather than the items that are not in it cost to multiply; sums are over all items.
  const bool all = !candidates.restricted || !log_sum_exp.empty() || candidates.items.size > weight.rows / 2;
  ListedColumns columns{nullptr, weight.rows, nullptr};
  if (!all) columns = {candidates.items.data, candidates.items.size, nullptr};
  if (all && candidates.restricted) {
    const int64_t words = (weight.rows + kWordBits - 1) / kWordBits;
    uint32_t* bits = candidate_bits_.reserve(words);
    launch(mark_candidates_kernel, blocks_for(words, kWordThreads), kWordThreads, 0, stream(), candidates.items,
           weight.rows, bits);
    columns.candidates = bits;
  }
  int64_t at_once = tile_rows(columns.count);
  if (k > kMaxKept) at_once = std::clamp<int64_t>(kSortedKeys / std::max<int64_t>(columns.count, 1), 1, at_once);
  for (int64_t row = 0; row < hidden.rows; row += at_once) {
    const int64_t size = std::min(at_once, hidden.rows - row);
    const Exclusions excluded =
        exclusions.starts.empty() ? Exclusions{} : Exclusions{exclusions.starts.range(row, size + 1), exclusions.items};
    list_rows(hidden.row_range(row, size), weight, bias, columns, excluded, items.data + row * k,
              scores.row_range(row, size), log_sum_exp.empty() ? nullptr : log_sum_exp.data + row);
  }
}

void CudaBackend::list_rows(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, const ListedColumns& columns,
                            const Exclusions& exclusions, int32_t* items, Matrix scores, float* log_sum_exp) {
  const int64_t rows = hidden.rows, k = scores.cols;
  const TileShape shape(rows, columns.items != nullptr ? weight.cols : 0, columns.count);
  const int64_t parts = columns.count > 0 ? shape.parts : 0;
  const bool sorts = k > kMaxKept;
  const int64_t key_count = sorts ? rows * columns.count : rows * parts * k;
  Key* keys = keys_.reserve(sorts ? 2 * key_count : key_count);
  PartSummary* summaries = part_summaries_.reserve(rows * parts);
  int32_t* bad = bad_scores_.reserve(rows);
  const ListFilter filter{columns.candidates, exclusions, log_sum_exp != nullptr};

  for (int64_t t = 0; t < shape.tiles(); ++t) {
    const ScoreTile tile = score_tile(hidden, weight, bias, columns.items, shape, t);
    const unsigned blocks = static_cast<unsigned>(rows * parts);
    if (sorts) {
      launch(keys_of_tile_kernel, blocks, kTileThreads, 0, stream(), tile, filter, columns.count, t == 0, keys,
             summaries);
    } else {
      launch(best_of_tile_kernel, blocks, kTileThreads, 0, stream(), tile, filter, static_cast<int>(k), t == 0, keys,
             summaries);
    }
  }
  launch(sum_up_rows_kernel, blocks_for(rows, kRowThreads / kWarp), kRowThreads, 0, stream(),
         static_cast<const PartSummary*>(summaries), rows, parts, bad, log_sum_exp);
  if (sorts) {
    keys = sort_rows(keys, keys + key_count, rows, columns.count, stream());
    launch(write_sorted_kernel, dim3(blocks_for(k, kTileThreads), static_cast<unsigned>(rows)), kTileThreads, 0,
           stream(), static_cast<const Key*>(keys), columns.count, static_cast<const int32_t*>(bad), items, scores);
  } else {
    launch(write_best_kernel, static_cast<unsigned>(rows), kTileThreads, 0, stream(), static_cast<const Key*>(keys),
           parts, static_cast<const int32_t*>(bad), items, scores);
  }
}

}  // namespace gru4rec::cuda
