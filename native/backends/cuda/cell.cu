#include "backends/cuda/cell.h"

#include "backends/cuda/device.cuh"
#include "backends/cuda/gru_unit.cuh"

/// Why it is built like this. A block does four rows of the step from start to end, since the candidate needs the reset
/// gates of all units of a row; the blocks need nothing of each other. At 100 units and 100 inputs a block reads 240 KB
/// of weights (all of them, once) and makes 240,000 multiplications of them. On an H100:
///   - from L2 a multiprocessor gets about 64 bytes a cycle, so the weights take 3,750 cycles, if enough are under way:
///     300 cycles of latency times 64 bytes are 19 KB, or ten loads of each of 512 threads;
///   - its 128 lanes make the multiplications in 1,875 cycles, beside the loads.
/// So the weights bound a block, not its rows. With more rows in a tile a mini-batch of 32 would leave more
/// multiprocessors idle and end no sooner. With two, one of 240 would read 29 MB, which are more than 5 us of all that
/// L2 gives; with four it is half, about as long as a block takes by itself.
///
/// What is used again lies on chip: the tile's inputs, states, partial sums and gradients in shared memory, a weight in
/// a register for the four rows. The weights themselves are not put into shared memory, not even where they fit (227 KB
/// of an H100): a block uses each of them once, so it would wait for the same bytes from L2, write them, wait at a
/// barrier, and read them again. It would pay for a kernel that does several steps.
namespace gru4rec::cuda {

namespace {

using cuda_library::kMostCellHidden;
using cuda_library::kMostCellInput;

/// Rows of the step that a block does.
constexpr int kTileRows = 4;
/// Each thread owns a hidden unit of a row of the tile: its gates, its state, their gradients.
constexpr int kThreads = kTileRows * kMostCellHidden;
/// Weights that a thread has under way.
constexpr int kAhead = 16;
/// Parts of a sum at most, each made by a thread.
constexpr int kMostSlices = 16;
/// Rows of a weight matrix that a warp multiplies at once: as many as give each of its lanes one sum in the end.
constexpr int kWeightRows = static_cast<int>(kWarp) / kTileRows;
constexpr int kSums = kWeightRows * kTileRows;

/// A number for each row of a tile, 16 bytes that move at once.
struct alignas(16) TileColumn {
  float row[kTileRows];
};

/// The hidden unit that a thread owns. Neighbouring threads have the four rows of a unit, as lanes have after
/// sum_of_lane.
struct Unit {
  int64_t row;   ///< of the step
  int tile_row;  ///< of the tile
  int col;       ///< the unit
  bool exists;   ///< in the layer
  bool inside;   ///< and its row in the step
};

__device__ __forceinline__ Unit unit_of_thread(int64_t rows, int64_t width) {
  const int thread = static_cast<int>(threadIdx.x);
  const int tile_row = thread % kTileRows, col = thread / kTileRows;
  const int64_t row = int64_t{blockIdx.x} * kTileRows + tile_row;
  return {row, tile_row, col, col < width, col < width && row < rows};
}

/// The dropout factor of an element of a matrix that is `width` wide.
__device__ __forceinline__ float factor_of(const Dropout& dropout, int64_t row, int64_t col, int64_t width) {
  if (dropout.threshold == 0) return 1.0f;
  return dropout_factor(dropout, random_word(dropout.stream_of_step(), static_cast<uint64_t>(row * width + col)));
}

// --- Forward: a thread makes a column of the product, or a slice of its terms ----------------------------------------

/// How the sums of a product with `weight` are cut: into `count` slices of `terms` terms, the last ones may have fewer.
struct Slices {
  int count, terms;
};

__device__ __forceinline__ Slices slices_of(ConstMatrix weight) {
  const int terms = static_cast<int>(weight.rows), fit = kThreads / static_cast<int>(weight.cols);
  const int count = fit < kMostSlices ? fit : kMostSlices;
  return {count, (terms + count - 1) / count};
}

/// sums += source[t] * weight[t * stride] for kAhead terms t, or where not `kWhole` for the first `terms` of them.
template <bool kWhole>
__device__ __forceinline__ void add_terms(const TileColumn* source, const float* weight, int64_t stride, int terms,
                                          TileColumn& sums) {
  float w[kAhead];
#pragma unroll
  for (int t = 0; t < kAhead; ++t) {
    if (kWhole || t < terms) w[t] = weight[t * stride];
  }
#pragma unroll
  for (int t = 0; t < kAhead; ++t) {
    if (!kWhole && t >= terms) continue;
    const TileColumn from = source[t];
    for (int r = 0; r < kTileRows; ++r) sums.row[r] = fmaf(from.row[r], w[t], sums.row[r]);
  }
}

/// parts [slices * cols] <- the slices of source [rows of the tile, K] weight [K, cols], at most kThreads of them. A
/// thread makes a slice of a column for all rows of the tile; neighbours have neighbouring columns, so that they read
/// a row of the weights together, and the same places of the source, which one read of shared memory serves.
__device__ __forceinline__ void multiply(const TileColumn* source, ConstMatrix weight, TileColumn* parts) {
  const Slices slices = slices_of(weight);
  const int thread = static_cast<int>(threadIdx.x), cols = static_cast<int>(weight.cols);
  const int slice = thread / cols, col = thread % cols;
  if (slice >= slices.count) return;
  const int first = slice * slices.terms, rest = static_cast<int>(weight.rows) - first;
  const int last = first + (rest < slices.terms ? rest : slices.terms);
  TileColumn sums{};
  int t = first;
  for (; t + kAhead <= last; t += kAhead) {
    add_terms<true>(source + t, weight.row(t) + col, weight.stride, kAhead, sums);
  }
  if (t < last) add_terms<false>(source + t, weight.row(t) + col, weight.stride, last - t, sums);
  parts[thread] = sums;
}

/// An element of the product that `multiply` left in parts: its slices, added in their order.
__device__ __forceinline__ float sum_of_slices(const TileColumn* parts, ConstMatrix weight, int tile_row, int64_t col) {
  const int count = slices_of(weight).count;
  float sum = 0.0f;
  for (int slice = 0; slice < count; ++slice) sum += parts[slice * weight.cols + col].row[tile_row];
  return sum;
}

/// A gate's bias and its part of input_gates [M, 3H] or empty.
__device__ __forceinline__ float gate_offset(const float* bias, ConstMatrix input_gates, int64_t row, int64_t gate) {
  return input_gates.empty() ? bias[gate] : bias[gate] + input_gates(row, gate);
}

// --- Backward: a warp makes kWeightRows columns of the product with a transposed matrix ------------------------------

/// Adds to a lane's sums the terms of source [rows of the tile, cols] and rows of weight [n, cols] from `first` on that
/// it has: every 32nd, so that a warp reads whole lines of the weights although their transpose is meant. Rows behind
/// the last one count as the last; nobody reads their sums.
__device__ __forceinline__ void add_lane_products(const TileColumn* source, ConstMatrix weight, int first,
                                                  float (&sums)[kSums]) {
  const int lane = static_cast<int>(threadIdx.x % kWarp), cols = static_cast<int>(weight.cols);
  const int last = static_cast<int>(weight.rows) - 1;
  const float* rows[kWeightRows];
#pragma unroll
  for (int i = 0; i < kWeightRows; ++i) rows[i] = weight.row(first + i < last ? first + i : last);
#pragma unroll 2
  for (int start = 0; start < cols; start += static_cast<int>(kWarp)) {
    const int col = start + lane;
    const bool inside = col < cols;
    float w[kWeightRows];
#pragma unroll
    for (int i = 0; i < kWeightRows; ++i) w[i] = inside ? rows[i][col] : 0.0f;
    const TileColumn from = inside ? source[col] : TileColumn{};
#pragma unroll
    for (int i = 0; i < kWeightRows; ++i)
      for (int r = 0; r < kTileRows; ++r) sums[i * kTileRows + r] = fmaf(from.row[r], w[i], sums[i * kTileRows + r]);
  }
}

/// One exchange of sum_of_lane: each lane keeps half of 2 kHalf sums, those that the bit kHalf of its number says, and
/// gets what the lane on the other side has of them.
template <int kHalf>
__device__ __forceinline__ void exchange_halves(float (&sums)[kSums]) {
  const bool upper = (threadIdx.x & unsigned{kHalf}) != 0;
#pragma unroll
  for (int i = 0; i < kHalf; ++i) {
    const float mine = upper ? sums[i + kHalf] : sums[i], others = upper ? sums[i] : sums[i + kHalf];
    sums[i] = mine + __shfl_xor_sync(kAllLanes, others, kHalf);
  }
}

/// Sum number `lane` of all lanes, in a fixed order: lane 4 i + r gets that of weight row i and row r of the tile. It
/// takes 31 shuffles, where warp_sum of each of the 32 sums would take 160. The whole warp calls it.
__device__ __forceinline__ float sum_of_lane(float (&sums)[kSums]) {
  static_assert(kSums == 32, "a lane for each sum");
  exchange_halves<16>(sums);
  exchange_halves<8>(sums);
  exchange_halves<4>(sums);
  exchange_halves<2>(sums);
  exchange_halves<1>(sums);
  return sums[0];
}

}  // namespace

/// A step of a layer (gru_forward), H <= 128 units and in <= 256 inputs.
/// Block: 512 threads, for the four rows from 4 blockIdx.x on. Rows behind the last one count as zeros and are not
/// written.
/// Writes: a thread what belongs to its unit, and slices of products to `*_parts`, a place each.
template <bool kResetAfter>
__global__ void __launch_bounds__(kThreads)
    cell_forward_kernel(GruLayer layer, ConstMatrix input_gates, Dropout dropout, GruTrace trace, Matrix hidden) {
  GRU_SHARED(TileColumn, joined,
             [2 * kMostCellHidden + kMostCellInput]);  // reset state | input | state, as the trace's
  GRU_SHARED(TileColumn, gate_parts, [kThreads]);
  GRU_SHARED(TileColumn, input_parts, [kThreads]);
  GRU_SHARED(TileColumn, state_parts, [kThreads]);
  const int64_t width = hidden.cols, in = layer.candidate.rows - width;
  const ConstMatrix whc = layer.candidate.row_range(0, width), wxc = layer.candidate.row_range(width, in);
  const Unit unit = unit_of_thread(hidden.rows, width);
  const int64_t row = unit.row, col = unit.col;
  TileColumn *input = joined + width, *state = input + in;

  for (int64_t i = threadIdx.x; i < in + width; i += kThreads) {
    TileColumn column;
    for (int r = 0; r < kTileRows; ++r) {
      const int64_t of_step = int64_t{blockIdx.x} * kTileRows + r;
      column.row[r] = of_step < hidden.rows ? trace.joined(of_step, width + i) : 0.0f;
    }
    input[i] = column;
  }
  // Asked for before the products, so that nobody waits for it after them.
  float candidate_offset = 0.0f, reset_offset = 0.0f, update_offset = 0.0f, factor = 0.0f;
  if (unit.inside) {
    candidate_offset = gate_offset(layer.bias.data, input_gates, row, col);
    reset_offset = gate_offset(layer.bias.data, input_gates, row, width + col);
    update_offset = gate_offset(layer.bias.data, input_gates, row, 2 * width + col);
    factor = factor_of(dropout, row, col, width);
  }
  __syncthreads();  // inputs and states are there

  multiply(input, layer.gates, gate_parts);
  multiply(input, wxc, input_parts);
  if (kResetAfter) multiply(state, whc, state_parts);
  __syncthreads();  // the slices of all sums are there, or of all but the candidate's from the reset state

  float r = 0.0f, z = 0.0f, reset_state = 0.0f, h = 0.0f;
  if (unit.inside) {
    h = state[col].row[unit.tile_row];
    r = sigmoid(sum_of_slices(gate_parts, layer.gates, unit.tile_row, col) + reset_offset);
    z = sigmoid(sum_of_slices(gate_parts, layer.gates, unit.tile_row, width + col) + update_offset);
    reset_state = r * h;
  }
  if (!kResetAfter) {
    if (unit.exists) joined[col].row[unit.tile_row] = reset_state;
    __syncthreads();  // the reset states of all units are there
    multiply(joined, whc, state_parts);
    __syncthreads();  // their slices are there
  }
  if (unit.inside) {
    const float from_input = sum_of_slices(input_parts, wxc, unit.tile_row, col) + candidate_offset;
    float from_state = sum_of_slices(state_parts, whc, unit.tile_row, col);
    if (kResetAfter) {
      from_state += layer.candidate_hidden_bias.data[col];
      reset_state = from_state;
    }
    const float c = activate(layer.activation, kResetAfter ? fmaf(r, from_state, from_input) : from_state + from_input);
    trace.joined(row, col) = reset_state;
    trace.gates(row, col) = c;
    trace.gates(row, width + col) = r;
    trace.gates(row, 2 * width + col) = z;
    hidden(row, col) = new_state(z, c, h, factor);
  }
}

/// Gradients of the gates, the input and where `kState` the old state, row by row (cell_backward), H <= 128 units and
/// in <= 256 inputs.
/// Block: 512 threads, for the four rows from 4 blockIdx.x on. Rows behind the last one count as zeros and are not
/// written.
/// Writes: a thread what belongs to its unit, in `of_gates`, too, and of the input's gradient every 128th column of its
/// row.
template <bool kResetAfter, bool kState>
__global__ void __launch_bounds__(kThreads)
    cell_backward_kernel(GruLayer layer, GruTrace trace, Dropout dropout, Matrix gradient, Matrix gate_gradients,
                         Matrix input_gradient, Matrix state_gradient) {
  static_assert(kThreads / kTileRows == kMostCellHidden, "sum_of_lane gives a thread the sum of its own unit");
  GRU_SHARED(TileColumn, of_gates, [3 * kMostCellHidden]);  // candidate | reset | update
  const int64_t width = gradient.cols, in = layer.candidate.rows - width;
  const Unit unit = unit_of_thread(gradient.rows, width);
  const int64_t row = unit.row, col = unit.col;
  /// The first of the weight rows whose sums the warp makes.
  const int first_of_warp = static_cast<int>(threadIdx.x / kWarp) * kWeightRows;

  float r = 0.0f, h = 0.0f, candidate = 0.0f, reset = 0.0f, update = 0.0f;
  float of_old = 0.0f;  // the old state's gradient, as far as it is made
  if (unit.inside) {
    const float of_state = keep(gradient(row, col), factor_of(dropout, row, col, width));
    const float c = trace.gates(row, col), z = trace.gates(row, 2 * width + col);
    r = trace.gates(row, width + col);
    h = trace.joined(row, width + in + col);
    candidate = candidate_gradient(layer.activation, of_state, z, c);
    update = update_gradient(of_state, z, c, h);
    if (kState) of_old = kept_gradient(of_state, z);
    gate_gradients(row, col) = candidate;
    gate_gradients(row, 2 * width + col) = update;
    if (kResetAfter) {
      reset = reset_gradient(candidate, trace.joined(row, col), r);
      gate_gradients(row, width + col) = reset;
      gradient(row, col) = candidate * r;
    }
  }
  if (unit.exists) {
    of_gates[col].row[unit.tile_row] = candidate;
    of_gates[2 * width + col].row[unit.tile_row] = update;
    if (kResetAfter) of_gates[width + col].row[unit.tile_row] = reset;
  }
  __syncthreads();  // the gradients of the gates are there, but those of a reset before the product

  if (!kResetAfter) {
    if (first_of_warp < width) {
      float sums[kSums] = {};
      add_lane_products(of_gates, layer.candidate.row_range(0, width), first_of_warp, sums);
      const float of_product = sum_of_lane(sums);
      reset = reset_gradient(of_product, h, r);
      if (kState) of_old = fmaf(of_product, r, of_old);
      if (unit.inside) gate_gradients(row, width + col) = reset;
      if (unit.exists) of_gates[width + col].row[unit.tile_row] = reset;
    }
    __syncthreads();  // the gradients of the reset gates are there
  }

  for (int first = first_of_warp; first < input_gradient.cols; first += kMostCellHidden) {
    float sums[kSums] = {};
    add_lane_products(of_gates, layer.candidate.row_range(width, in), first, sums);
    add_lane_products(of_gates + width, layer.gates.row_range(0, in), first, sums);
    const float sum = sum_of_lane(sums);
    const int64_t input_col = first - first_of_warp + unit.col;
    if (row < gradient.rows && input_col < in) input_gradient(row, input_col) = sum;
  }

  if (kState) {
    if (kResetAfter) {
      __syncthreads();  // nobody reads the gradients of the candidates any more
      if (unit.exists) of_gates[col].row[unit.tile_row] = candidate * r;
      __syncthreads();  // those of h Whc + bhc are in their place
    }
    if (first_of_warp < width) {
      float sums[kSums] = {};
      if (kResetAfter) add_lane_products(of_gates, layer.candidate.row_range(0, width), first_of_warp, sums);
      add_lane_products(of_gates + width, layer.gates.row_range(in, width), first_of_warp, sums);
      const float sum = sum_of_lane(sums);
      if (unit.inside) state_gradient(row, col) = of_old + sum;
    }
  }
}

void cell_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout, const GruTrace& trace,
                  Matrix hidden, cudaStream_t stream) {
  launch(layer.reset_after() ? cell_forward_kernel<true> : cell_forward_kernel<false>,
         blocks_for(hidden.rows, kTileRows), kThreads, 0, stream, layer, input_gates, dropout, trace, hidden);
}

void cell_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                   Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient, cudaStream_t stream) {
  const bool wants_state = !state_gradient.empty();
  launch(layer.reset_after() ? (wants_state ? cell_backward_kernel<true, true> : cell_backward_kernel<true, false>)
                             : (wants_state ? cell_backward_kernel<false, true> : cell_backward_kernel<false, false>),
         blocks_for(gradient.rows, kTileRows), kThreads, 0, stream, layer, trace, dropout, gradient, gate_gradients,
         input_gradient, state_gradient);
}

}  // namespace gru4rec::cuda
