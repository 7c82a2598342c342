#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

namespace {

/// Scores exist only as tiles of this size, one for each thread: small enough to stay in its cache until they are
/// compared. [kTileRows, kTileItems]
constexpr int64_t kTileRows = 128;
constexpr int64_t kTileItems = 512;
/// Rows whose targets' scores are one product; only its diagonal is used.
constexpr int64_t kTargetRows = 32;
/// At most so many partial counts of a row are added up.
constexpr int64_t kMaxRanges = 64;
/// Scores that are compared with one threshold before it may rise.
constexpr int64_t kBite = 128;
/// Memory that the kept scores of the rows worked on at once may take.
constexpr int64_t kKeptBytes = int64_t{64} << 20;

int64_t blocks_of(int64_t count, int64_t block) { return (count + block - 1) / block; }

bool better(const ScoredItem& a, const ScoredItem& b) {
  return a.score > b.score || (a.score == b.score && a.item < b.item);
}

/// The best `k` of the scores offered, which come in ascending order of their items; now and then a few more.
class Kept {
 public:
  Kept(ScoredItem* data, int64_t k, int64_t capacity, int32_t* size, float* threshold)
      : data_(data), k_(k), capacity_(capacity), size_(*size), threshold_(*threshold) {}

  /// A score that is not above this is not among the best: its item is higher than those of the `k` that are kept.
  float threshold() const { return threshold_; }
  /// Makes room for kBite more.
  void make_room() {
    if (size_ + kBite <= capacity_ || size_ <= k_) return;
    std::nth_element(data_, data_ + k_ - 1, data_ + size_, better);
    size_ = static_cast<int32_t>(k_);
    threshold_ = data_[k_ - 1].score;
  }
  void add(ScoredItem item) { data_[size_++] = item; }

 private:
  ScoredItem* data_;
  int64_t k_, capacity_;
  int32_t& size_;
  float& threshold_;
};

}  // namespace

const float* CpuBackend::tile_bias(ConstMatrix bias, const int32_t* items, int64_t first, int64_t count, float* room) {
  if (items == nullptr && bias.stride == 1) return bias.data + first;
  for (int64_t j = 0; j < count; ++j) room[j] = bias(items != nullptr ? items[first + j] : first + j, 0);
  return room;
}

Matrix CpuBackend::score_tile(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, const int32_t* items,
                              int64_t first, int64_t count, int thread) {
  float* room = tiles_.data() + thread * (kTileRows + 1) * kTileItems;
  const Matrix tile(room, hidden.rows, count);
  const float* column_add = tile_bias(bias, items, first, count, room + kTileRows * kTileItems);
  const Factor columns = items != nullptr ? Factor{weight, true, items + first, count}
                                          : Factor{weight.row_range(first, count), true, nullptr, 0};
  gemm_.multiply_serial({hidden}, columns, {false, column_add}, tile, thread);
  return tile;
}

void CpuBackend::reserve_tiles() { tiles_.reserve(pool_.threads() * (kTileRows + 1) * kTileItems); }

void CpuBackend::do_target_ranks(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                                 const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal) {
  const int64_t rows = hidden.rows;
  const int32_t* items = candidates.restricted ? candidates.items.data : nullptr;
  const int64_t count = candidates.restricted ? candidates.items.size : weight.rows;
  reserve_tiles();

  // The same sums in the same order as in the tiles below, so the same bits.
  float* target_scores = target_scores_.reserve(rows);
  pool_.run(blocks_of(rows, kTargetRows), [&](int64_t block, int thread) {
    const int64_t first = block * kTargetRows, size = std::min(kTargetRows, rows - first);
    const Matrix tile = score_tile(hidden.row_range(first, size), weight, bias, targets.data, first, size, thread);
    for (int64_t i = 0; i < size; ++i) target_scores[first + i] = tile(i, i);
  });

  const int64_t tiles = blocks_of(count, kTileItems);
  const int64_t tiles_per_range = std::max<int64_t>(1, blocks_of(tiles, kMaxRanges));
  const int64_t ranges = blocks_of(tiles, tiles_per_range), row_blocks = blocks_of(rows, kTileRows);
  RankPart* parts = rank_parts_.reserve(ranges * rows);
  pool_.run(row_blocks * ranges, [&](int64_t task, int thread) {
    const int64_t row = task / ranges * kTileRows, range = task % ranges;
    const ConstMatrix block = hidden.row_range(row, std::min(kTileRows, rows - row));
    RankPart* part = parts + range * rows + row;
    std::fill_n(part, block.rows, RankPart{0, 0, true});
    const int64_t last = std::min((range + 1) * tiles_per_range, tiles);
    for (int64_t t = range * tiles_per_range; t < last; ++t) {
      const Matrix tile =
          score_tile(block, weight, bias, items, t * kTileItems, std::min(kTileItems, count - t * kTileItems), thread);
      for (int64_t i = 0; i < tile.rows; ++i) {
        if (!kernels_.count_above(tile.row(i), tile.cols, target_scores[row + i], &part[i].greater, &part[i].equal)) {
          part[i].finite = false;
        }
      }
    }
  });

  for (int64_t i = 0; i < rows; ++i) {
    RankPart sum{0, 0, std::isfinite(target_scores[i])};
    for (int64_t range = 0; range < ranges; ++range) {
      const RankPart& part = parts[range * rows + i];
      sum.greater += part.greater;
      sum.equal += part.equal;
      sum.finite = sum.finite && part.finite;
    }
    const bool counted_itself = !candidates.restricted || std::binary_search(items, items + count, targets[i]);
    greater[i] = sum.finite ? sum.greater : kNotFinite;
    equal[i] = sum.finite ? sum.equal - (counted_itself ? 1 : 0) : kNotFinite;
  }
}

void CpuBackend::do_top_k(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k,
                          const Candidates& candidates, const Exclusions& exclusions, Span<int32_t> items,
                          Matrix scores, Span<float> log_sum_exp) {
  const int64_t candidate_count = candidates.restricted ? candidates.items.size : weight.rows;
  const int64_t capacity = std::min(candidate_count + kBite, 2 * k + kBite);
  const int64_t row_bytes = capacity * static_cast<int64_t>(sizeof(ScoredItem)) * pool_.threads();
  const int64_t rows_at_once = std::clamp<int64_t>(kKeptBytes / row_bytes, 1, kTileRows);
  reserve_tiles();
  kept_.reserve(pool_.threads() * rows_at_once * capacity);
  kept_rows_.reserve(pool_.threads() * rows_at_once);
  for (int64_t row = 0; row < hidden.rows; row += rows_at_once) {
    const int64_t size = std::min(rows_at_once, hidden.rows - row);
    top_k_of_rows(
        hidden.row_range(row, size), weight, bias, k, capacity, candidates,
        exclusions.starts.empty() ? Exclusions{} : Exclusions{exclusions.starts.range(row, size + 1), exclusions.items},
        items.range(row * k, size * k), scores.row_range(row, size),
        log_sum_exp.empty() ? log_sum_exp : log_sum_exp.range(row, size));
  }
}

void CpuBackend::top_k_of_rows(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k, int64_t capacity,
                               const Candidates& candidates, const Exclusions& exclusions, Span<int32_t> items,
                               Matrix scores, Span<float> log_sum_exp) {
  const int64_t rows = hidden.rows;
  const bool wants_sums = !log_sum_exp.empty();
  // The sums are over all items; else only the candidates' scores are needed.
  const int32_t* list = candidates.restricted ? candidates.items.data : nullptr;
  const int64_t list_size = candidates.restricted ? candidates.items.size : 0;
  const bool only_list = candidates.restricted && !wants_sums;
  const int64_t count = only_list ? list_size : weight.rows;
  const int64_t tiles = blocks_of(count, kTileItems);

  const int64_t slots = pool_.threads() * rows;
  KeptRow* kept_rows = kept_rows_.data();
  std::fill_n(kept_rows, slots, KeptRow{0, -std::numeric_limits<float>::infinity(), true});
  ExpSum* sums = wants_sums ? exp_sums_.reserve(rows * tiles) : nullptr;

  // A thread takes its tiles in ascending order, so it can keep the best of all that it has seen.
  pool_.run(tiles, [&](int64_t t, int thread) {
    const int64_t first = t * kTileItems;
    const Matrix tile = score_tile(hidden, weight, bias, only_list ? list : nullptr, first,
                                   std::min(kTileItems, count - first), thread);
    const bool picks = candidates.restricted && wants_sums;
    const int32_t* picked = picks ? std::lower_bound(list, list + list_size, first) : nullptr;
    const int64_t picked_size =
        picks ? std::lower_bound(picked, list + list_size, first + tile.cols) - picked : tile.cols;
    for (int64_t i = 0; i < rows; ++i) {
      float* row = tile.row(i);
      KeptRow& state = kept_rows[thread * rows + i];
      if (!kernels_.all_finite(row, tile.cols)) state.finite = false;
      if (wants_sums) kernels_.exp_sum(row, tile.cols, &sums[i * tiles + t].max, &sums[i * tiles + t].sum);
      if (picks) {
        for (int64_t j = 0; j < picked_size; ++j) row[j] = row[picked[j] - first];
      }
      const int32_t *excluded = nullptr, *excluded_end = nullptr;
      if (!exclusions.starts.empty()) {
        excluded = exclusions.items.data + exclusions.starts[i];
        excluded_end = exclusions.items.data + exclusions.starts[i + 1];
      }
      Kept kept(kept_.data() + (thread * rows + i) * capacity, k, capacity, &state.size, &state.threshold);
      int32_t found[kBite];
      for (int64_t bite = 0; bite < picked_size; bite += kBite) {
        kept.make_room();
        const int64_t hits =
            kernels_.collect_above(row + bite, std::min(kBite, picked_size - bite), kept.threshold(), found);
        for (int64_t h = 0; h < hits; ++h) {
          const int64_t place = bite + found[h];
          const int32_t item = picks       ? picked[place]
                               : only_list ? list[first + place]
                                           : static_cast<int32_t>(first + place);
          if (!std::binary_search(excluded, excluded_end, item)) kept.add({row[place], item});
        }
      }
    }
  });

  pool_.run(rows, [&](int64_t i, int) {
    // All that the threads kept, moved behind the first's; each has room for more than k.
    ScoredItem* best = kept_.data() + i * capacity;
    int64_t size = kept_rows[i].size;
    bool finite = kept_rows[i].finite;
    for (int64_t thread = 1; thread < pool_.threads(); ++thread) {
      const KeptRow& other = kept_rows[thread * rows + i];
      finite = finite && other.finite;
      const ScoredItem* from = kept_.data() + (thread * rows + i) * capacity;
      for (int64_t j = 0; j < other.size; ++j) {
        if (size == capacity) {
          std::nth_element(best, best + k - 1, best + size, better);
          size = k;
        }
        best[size++] = from[j];
      }
    }
    const int64_t listed = finite ? std::min(size, k) : 0;
    std::partial_sort(best, best + listed, best + size, better);
    for (int64_t j = 0; j < k; ++j) {
      items[i * k + j] = j < listed ? best[j].item : kNoItem;
      scores(i, j) = j < listed ? best[j].score : -std::numeric_limits<float>::infinity();
    }
    if (!finite) items[i * k] = kNotFinite;
    if (wants_sums) {
      float max = -std::numeric_limits<float>::infinity();
      for (int64_t t = 0; t < tiles; ++t) max = std::max(max, sums[i * tiles + t].max);
      double sum = 0.0;
      for (int64_t t = 0; t < tiles; ++t) {
        sum += sums[i * tiles + t].sum * std::exp(static_cast<double>(sums[i * tiles + t].max) - max);
      }
      log_sum_exp[i] = finite ? static_cast<float>(max + std::log(sum)) : std::numeric_limits<float>::quiet_NaN();
    }
  });
}

}  // namespace gru4rec::cpu
