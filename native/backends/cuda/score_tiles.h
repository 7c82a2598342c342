#pragma once

#include <algorithm>
#include <cstdint>

#include "core/matrix.h"

/// Rankings never hold all scores: they look at tiles of them, one after the other.
namespace gru4rec::cuda {

/// Scores in a tile, 16 MiB of them.
constexpr int64_t kTileScores = int64_t{1} << 22;
/// Columns of a tile at most.
constexpr int64_t kTileColumns = int64_t{1} << 16;
/// Threads of the blocks that look at a tile.
constexpr int kTileThreads = 128;
/// Threads of the blocks that finish rows, where a row has a thread or a warp.
constexpr int kRowThreads = 128;

/// How the scores of R rows are cut into tiles [R, width]. All tiles have one shape, so that they are made by one
/// kernel and equal factors give equal bits; for this the last one begins in the one before where it has to.
struct TileShape {
  int64_t columns;     ///< of all tiles together
  int64_t width;       ///< of one tile
  int64_t parts;       ///< blocks that share a row of a tile
  int64_t part_width;  ///< columns of a block; the last one may have fewer

  /// @param depth  width of the rows that are gathered into a tile; 0 = they are multiplied where they are
  TileShape(int64_t rows, int64_t depth, int64_t columns_)
      : columns(columns_),
        width(std::clamp<int64_t>(kTileScores / std::max({rows, depth, int64_t{1}}), 1,
                                  std::max<int64_t>(1, std::min(kTileColumns, columns_)))) {
    // Enough blocks to keep a large device at work, each with enough columns to be worth it.
    constexpr int64_t kBlocks = 2048, kLeastColumns = 2048;
    parts = std::clamp<int64_t>(std::min(kBlocks / std::max<int64_t>(rows, 1), width / kLeastColumns), 1, kBlocks);
    part_width = (width + parts - 1) / parts;
  }

  int64_t tiles() const { return (columns + width - 1) / width; }
  int64_t first_column(int64_t tile) const { return std::min(tile * width, columns - width); }
  int64_t fresh(int64_t tile) const { return tile * width - first_column(tile); }
  /// Elements from row to row: rows begin at multiples of 16 bytes.
  int64_t stride() const { return (width + 3) / 4 * 4; }
};

/// Rows that are ranked at once, for a ranking of so many columns: as many as leave all columns in one tile, which then
/// is made once and not twice for target_ranks, while there are enough for an efficient product.
inline int64_t tile_rows(int64_t columns) {
  constexpr int64_t kFew = 64, kSome = 256, kMany = 4096;
  const int64_t fit = kTileScores / std::max<int64_t>(columns, 1);
  return fit < kFew ? kSome : std::min(fit, kMany);
}

/// The products of R hidden states with the items of a tile, and what its columns are.
struct ScoreTile {
  ConstMatrix products;  ///< [R, T]
  ConstMatrix bias;      ///< [I, 1]
  const int32_t* items;  ///< items of the columns of all tiles; null = column j is item j
  int64_t first;         ///< column of all that is column 0 here
  int64_t fresh;         ///< the columns in front of this one were in the tile before
  int64_t parts;         ///< blocks that share a row
  int64_t part_width;    ///< columns of a block

  constexpr int32_t item(int64_t column) const {
    return items != nullptr ? items[first + column] : static_cast<int32_t>(first + column);
  }
  /// The same sum for whoever asks, so the same bits.
  constexpr float score(int64_t row, int64_t column, int32_t item) const {
    return products(row, column) + bias(item, 0);
  }
  /// The columns that a block looks at: [begin, end), fresh ones only.
  constexpr int64_t begin(int64_t part) const { return part * part_width > fresh ? part * part_width : fresh; }
  constexpr int64_t end(int64_t part) const {
    return (part + 1) * part_width < products.cols ? (part + 1) * part_width : products.cols;
  }
};

/// What top_k makes scores of, and which of them are candidates.
struct ListedColumns {
  const int32_t* items;  ///< [count] item of each column; null = all items
  int64_t count;
  const uint32_t* candidates;  ///< bit of each item; null = all columns are candidates
};

/// What a block's part of a row, in all tiles so far, says of the whole row.
struct PartSummary {
  double sum;   ///< of exp(score - max)
  float max;    ///< largest score; -infinity = no score yet
  int32_t bad;  ///< scores that are not finite
};

}  // namespace gru4rec::cuda
