#pragma once

#include <cstdint>

#include "backends/cpu/isa.h"

namespace gru4rec::cpu {

/// One tile of a product, [rows, width]: some rows of the factor X, read where they lie, times one packed panel of the
/// factor Y, `width` elements wide. Every element is the same sum: fused multiply-adds in the order of k, from 0.
struct Tile {
  /// Along k: element [row, p] of X is lines[row][offset + p]. Else it is lines[p][offset + row].
  const float* const* lines;
  int64_t offset;
  const float* y;  ///< [k, width], contiguous
  int64_t k;
  float* out;  ///< [rows, width]
  int64_t out_stride;
  bool add;                 ///< out += tile instead of out = tile
  const float* column_add;  ///< [width], added to every row after that; or null
};

/// The stored rows of a factor, or some of them in a given order.
struct Lines {
  const float* data;
  int64_t stride;
  const int32_t* gathered;  ///< line l is the stored row gathered[l]; null = row l

  const float* line(int64_t l) const { return data + (gathered != nullptr ? gathered[l] : l) * stride; }
};

/// Finished sums on their way to C: `parts` matrices [rows, width], to be added in their order.
struct Sums {
  const float* data;  ///< rows and columns are followed by readable memory up to a multiple of the vector's lanes
  int64_t stride;
  int64_t parts;
  int64_t part_stride;
};

/// A place in C and what is done while it is written.
struct Destination {
  float* c;
  int64_t stride;
  bool add;                 ///< c += sums instead of c = sums
  const float* column_add;  ///< added after that, one for a column of C; or null
};

/// What is compiled for each instruction set. A panel is one or two vectors wide.
struct MicroKernels {
  static constexpr int kMaxRows = 8;
  static constexpr int kMaxVectors = 2;

  using TileKernel = void (*)(const Tile&);

  int lanes;  ///< floats in a vector
  int rows;   ///< rows of a full tile

  /// [whether the lines run along k][rows - 1][width in vectors - 1]
  TileKernel tile[2][kMaxRows][kMaxVectors];

  /// panel[p, i] <- element first + i of line first_line + p, for p < k and i < count; 0 for count <= i < width.
  void (*pack)(const Lines& lines, int64_t first_line, int64_t first, int64_t k, int64_t count, int64_t width,
               float* panel);
  /// panel[p, i] <- element first + p of line first_line + i, the same otherwise.
  void (*pack_transposed)(const Lines& lines, int64_t first_line, int64_t first, int64_t k, int64_t count,
                          int64_t width, float* panel);

  /// c[r, i] <- sums[r, i], for r < rows and i < count.
  void (*write)(const Sums& sums, int64_t rows, int64_t count, const Destination& to);
  /// c[i, r] <- sums[r, i], the same otherwise.
  void (*write_transposed)(const Sums& sums, int64_t rows, int64_t count, const Destination& to);
};

const MicroKernels& micro_kernels(Isa isa);

namespace portable {
extern const MicroKernels kMicroKernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const MicroKernels kMicroKernels;
}
namespace avx512 {
extern const MicroKernels kMicroKernels;
}
#endif

}  // namespace gru4rec::cpu
