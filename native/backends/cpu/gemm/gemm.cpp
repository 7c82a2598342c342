#include "backends/cpu/gemm/gemm.h"

#include <algorithm>
#include <vector>

#include "backends/cpu/gemm/micro_kernels.h"
#include "backends/cpu/scratch.h"

namespace gru4rec::cpu {

// How it works. One factor, Y, is packed into panels of one or two vectors; the other, X, is read where it lies,
// gathered or not. A tile of 6 or 8 rows of X times a panel stays in registers. Packing costs as much as the factor is
// large, so it is the smaller one where nothing speaks against it: with A packed, C^T is computed and transposed while
// it is written. Every thread packs for itself, which spares a meeting of the threads. (Copying rows of X that lie a
// power of two apart was tried and gained nothing.)

namespace {

/// Terms of a sum that are added up in a register; longer sums are cut into chunks, which are added in their order.
constexpr int64_t kMaxChunk = 384;
/// Floats of packed Y that a thread keeps at hand: half of a usual L2 cache.
constexpr int64_t kPackedFloats = 128 * 1024;
/// Rows of X whose sums wait for their transposition together: a multiple of every tile's rows and every vector's
/// lanes.
constexpr int64_t kGroupRows = 48;
/// Floats of all chunks' sums, where the chunks are done side by side.
constexpr int64_t kPartialFloats = 256 * 1024;
/// Of these, what is worth a task of its own when they are added up.
constexpr int64_t kPartialFloatsOfTask = 64 * 1024;
/// Multiply-adds that are worth a task of their own, about 2 microseconds.
constexpr int64_t kTaskWork = 100 * 1000;
/// So that a thread that is held up does not hold up the others.
constexpr int64_t kTasksPerThread = 4;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t a, int64_t multiple) { return divide_up(a, multiple) * multiple; }

struct Range {
  int64_t first;
  int64_t last;

  int64_t size() const { return last - first; }
};

/// Number `i` of `pieces` pieces of [0, count); their sizes differ by one at most.
Range piece(int64_t count, int64_t pieces, int64_t i) { return {i * count / pieces, (i + 1) * count / pieces}; }

/// How many chunks a sum of k terms has. It depends on k alone, so that every element has the same order of additions.
/// Powers of two share out well among threads.
int64_t count_chunks(int64_t k) {
  int64_t chunks = 1;
  while (divide_up(k, chunks) > kMaxChunk) chunks *= 2;
  return chunks;
}

/// A factor as `count` vectors of k elements: the rows of A or the columns of B.
struct Side {
  Lines lines;
  int64_t count;
  bool along_k;  ///< whether a stored row is one of the vectors; else it has one element of each
};

struct Product {
  Side x;  ///< read where it lies
  Side y;  ///< packed
  int64_t k;
  /// Whether C[column of Y, row of X] is computed, that is C^T = B^T A^T; else C[row of X, column of Y].
  bool transposed;
  Epilogue epilogue;
  Matrix c;
};

/// How the work is cut: for each chunk of k, blocks of Y's columns times parts of X's rows.
struct Plan {
  int64_t threads = 1;
  int64_t chunks = 1;
  int64_t blocks = 1;
  int64_t parts = 1;
  bool side_by_side = false;  ///< the chunks are tasks too, and summed afterwards; else one follows the other
};

/// Asks for `elements` of some lines ahead of their use.
void prefetch(const Lines& lines, Range which, Range elements) {
  constexpr int64_t kFloatsOfCacheLine = 16;
  for (int64_t l = which.first; l < which.last; ++l) {
    const float* line = lines.line(l);
    for (int64_t i = elements.first; i < elements.last; i += kFloatsOfCacheLine) __builtin_prefetch(line + i, 0, 2);
    __builtin_prefetch(line + elements.last - 1, 0, 2);
  }
}

struct Workspace {
  Scratch<float> y;             ///< packed panels of Y
  Scratch<const float*> lines;  ///< of X: a group's rows, or one for each k of a chunk
  Scratch<float> sums;          ///< [kGroupRows, panel], on their way to C
  int64_t packed_number = -1;   ///< which packing of `multiply` is in `y`
};

}  // namespace

struct Gemm::State {
  State(Isa isa, ThreadPool& pool);

  const MicroKernels& kernels;
  const int64_t lanes;
  const int64_t panel;  ///< width of a full panel
  ThreadPool& pool;
  std::vector<Workspace> workspaces;  ///< one a thread
  Scratch<float> partials;            ///< [chunks, rows of X, columns of Y], where the chunks are done side by side
  int64_t packings = 0;               ///< numbers the packings of `multiply`

  Product arrange(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c, int threads) const;
  double cost(const Product& product, int threads) const;
  Plan plan(const Product& product, int threads) const;
  /// Packs `columns` of Y over one chunk, panel after panel; the last one is one vector wide where that is enough.
  void pack(const Product& product, Range columns, Range k, Workspace& workspace) const;
  /// Rows of X, over one chunk, times the packed columns of Y.
  void multiply_part(const Product& product, const Plan& plan, int64_t chunk, Range columns, Range rows,
                     Workspace& workspace);
  bool place_sums(const Product& product, const Plan& plan, int64_t chunk, int64_t row, Range columns,
                  Workspace& workspace, Tile& tile);
  Range lines_ahead(const Product& product, const Plan& plan, int64_t chunk, Range group, Range rows) const;
  void write(const Product& product, Range rows, Range columns, bool first, bool last, const Sums& sums) const;
  void add_partials(const Product& product, const Plan& plan);

  /// Distance of the rows in `partials`, and their number in a chunk: transposing reads up to a vector's lanes beyond.
  int64_t partial_stride(const Product& product) const { return round_up(product.y.count, lanes); }
  int64_t partial_rows(const Product& product) const { return product.x.count + lanes; }

  Range columns_of(const Product& product, const Plan& plan, int64_t block) const {
    const Range panels = piece(divide_up(product.y.count, panel), plan.blocks, block);
    return {panels.first * panel, std::min(panels.last * panel, product.y.count)};
  }
  Range rows_of(const Product& product, const Plan& plan, int64_t part) const {
    const Range tiles = piece(divide_up(product.x.count, kernels.rows), plan.parts, part);
    return {tiles.first * kernels.rows, std::min(tiles.last * kernels.rows, product.x.count)};
  }
};

int64_t Gemm::workspace_bytes(Isa isa, int threads) {
  const int64_t panel = MicroKernels::kMaxVectors * micro_kernels(isa).lanes;
  const int64_t per_thread = allocation_size(kPackedFloats * static_cast<int64_t>(sizeof(float))) +
                             allocation_size(std::max(kGroupRows, kMaxChunk) * static_cast<int64_t>(sizeof(float*))) +
                             allocation_size(kGroupRows * panel * static_cast<int64_t>(sizeof(float)));
  return threads * per_thread + allocation_size(kPartialFloats * static_cast<int64_t>(sizeof(float)));
}

Gemm::State::State(Isa isa, ThreadPool& pool_)
    : kernels(micro_kernels(isa)),
      lanes(kernels.lanes),
      panel(MicroKernels::kMaxVectors * lanes),
      pool(pool_),
      workspaces(static_cast<size_t>(pool_.threads())) {
  for (Workspace& workspace : workspaces) {
    workspace.y.reserve(kPackedFloats);
    workspace.lines.reserve(std::max(kGroupRows, kMaxChunk));
    workspace.sums.reserve(kGroupRows * panel);
  }
  partials.reserve(kPartialFloats);
}

Product Gemm::State::arrange(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c, int threads) const {
  const Side rows{{a.stored.data, a.stored.stride, a.gathered}, a.rows(), !a.transposed};
  const Side columns{{b.stored.data, b.stored.stride, b.gathered}, b.cols(), b.transposed};
  const Product direct{rows, columns, a.cols(), false, epilogue, c};
  const Product transposed{columns, rows, a.cols(), true, epilogue, c};
  return cost(direct, threads) <= cost(transposed, threads) ? direct : transposed;
}

/// Rough time in multiply-adds of vectors. It decides what is packed; the sums are the same either way.
double Gemm::State::cost(const Product& product, int threads) const {
  const double copy = 1.5 / static_cast<double>(lanes), transpose = 5.0 / static_cast<double>(lanes);  // an element
  const auto rows = static_cast<double>(product.x.count), columns = static_cast<double>(product.y.count);
  const auto k = static_cast<double>(product.k);
  // Fewer than 4 rows do not hide the latency of the additions.
  const double adding = k * std::max(rows, 4.0) * static_cast<double>(divide_up(product.y.count, lanes));
  const double packing = k * columns * (product.y.along_k ? transpose : copy);
  const double writing =
      product.transposed ? rows * columns * transpose * static_cast<double>(count_chunks(product.k)) : 0.0;
  return adding + writing + packing * threads;
}

Plan Gemm::State::plan(const Product& product, int threads) const {
  Plan plan;
  plan.threads = threads;
  plan.chunks = count_chunks(product.k);
  const int64_t tiles = divide_up(product.x.count, kernels.rows), panels = divide_up(product.y.count, panel);
  const int64_t chunk = divide_up(product.k, plan.chunks);
  plan.blocks = divide_up(panels, kPackedFloats / std::max(chunk * panel, panel));
  if (threads == 1) return plan;

  plan.side_by_side = plan.chunks > 1 && plan.blocks == 1 && !product.epilogue.accumulate &&
                      plan.chunks * partial_rows(product) * partial_stride(product) <= kPartialFloats;
  const int64_t work = product.x.count * product.y.count * (plan.side_by_side ? product.k : chunk);
  const int64_t tasks = std::clamp<int64_t>(work / kTaskWork, 1, threads * kTasksPerThread);
  plan.parts = std::clamp<int64_t>(divide_up(tasks, plan.side_by_side ? plan.chunks : plan.blocks), 1, tiles);
  // Where X has too few rows for all, the columns of Y are shared out.
  if (!plan.side_by_side) plan.blocks = std::clamp(divide_up(tasks, plan.parts), plan.blocks, panels);
  return plan;
}

void Gemm::State::pack(const Product& product, Range columns, Range k, Workspace& workspace) const {
  const Side& y = product.y;
  float* to = workspace.y.data();
  for (int64_t column = columns.first; column < columns.last; column += panel) {
    const int64_t count = std::min(panel, columns.last - column), width = round_up(count, lanes);
    if (y.along_k) {
      kernels.pack_transposed(y.lines, column, k.first, k.size(), count, width, to);
    } else {
      kernels.pack(y.lines, k.first, column, k.size(), count, width, to);
    }
    to += width * k.size();
  }
}

void Gemm::State::multiply_part(const Product& product, const Plan& plan, int64_t chunk, Range columns, Range rows,
                                Workspace& workspace) {
  const Side& x = product.x;
  const Range k = piece(product.k, plan.chunks, chunk);
  const bool first = chunk == 0, last = chunk == plan.chunks - 1;
  const auto* const kernel = kernels.tile[x.along_k];
  const float** const lines = workspace.lines.data();
  if (!x.along_k) {
    for (int64_t p = 0; p < k.size(); ++p) lines[p] = x.lines.line(k.first + p);
  }
  for (int64_t group = rows.first; group < rows.last; group += kGroupRows) {
    const Range group_rows{group, std::min(group + kGroupRows, rows.last)};
    if (x.along_k) {
      for (int64_t r = 0; r < group_rows.size(); ++r) lines[r] = x.lines.line(group + r);
    }
    const Range ahead = lines_ahead(product, plan, chunk, group_rows, rows);
    const int64_t tiles = divide_up(group_rows.size(), kernels.rows);
    const float* y = workspace.y.data();
    for (int64_t column = columns.first; column < columns.last; column += panel) {
      const Range panel_columns{column, std::min(column + panel, columns.last)};
      const int64_t width = round_up(panel_columns.size(), lanes);
      Tile tile{};
      tile.lines = lines;
      tile.offset = x.along_k ? k.first : group;
      tile.y = y;
      tile.k = k.size();
      const bool written_later = place_sums(product, plan, chunk, group, panel_columns, workspace, tile);
      for (int64_t row = 0; row < group_rows.size(); row += kernels.rows) {
        const int64_t tile_rows = std::min<int64_t>(kernels.rows, group_rows.size() - row);
        kernel[tile_rows - 1][width / lanes - 1](tile);
        if (column == columns.first) {
          const Range share = piece(ahead.size(), tiles, row / kernels.rows);
          prefetch(x.lines, {ahead.first + share.first, ahead.first + share.last}, x.along_k ? k : rows);
        }
        if (x.along_k) {
          tile.lines += tile_rows;
        } else {
          tile.offset += tile_rows;
        }
        tile.out += tile_rows * tile.out_stride;
      }
      y += width * k.size();
      if (written_later) {
        write(product, group_rows, panel_columns, first, last, {workspace.sums.data(), panel, 1, 0});
      }
    }
  }
}

/// Where the sums of a group's first tile go. Returns whether they have to be written to C from there.
bool Gemm::State::place_sums(const Product& product, const Plan& plan, int64_t chunk, int64_t row, Range columns,
                             Workspace& workspace, Tile& tile) {
  if (plan.side_by_side) {
    tile.out_stride = partial_stride(product);
    tile.out = partials.data() + (chunk * partial_rows(product) + row) * tile.out_stride + columns.first;
    return false;
  }
  if (product.transposed || columns.size() % lanes != 0) {
    tile.out_stride = panel;
    tile.out = workspace.sums.data();
    return true;
  }
  // Whole vectors in the order of C go straight there.
  const Epilogue& epilogue = product.epilogue;
  tile.out_stride = product.c.stride;
  tile.out = product.c.row(row) + columns.first;
  tile.add = chunk > 0 || epilogue.accumulate;
  if (chunk == plan.chunks - 1 && epilogue.column_add != nullptr) tile.column_add = epilogue.column_add + columns.first;
  return false;
}

/// The gathered lines that this thread will probably need next, where tasks go round the threads.
Range Gemm::State::lines_ahead(const Product& product, const Plan& plan, int64_t chunk, Range group, Range rows) const {
  if (product.x.lines.gathered == nullptr || product.k == 0) return {0, 0};
  if (product.x.along_k) {
    const int64_t next = group.last < rows.last ? group.last : group.last + (plan.threads - 1) * rows.size();
    return {std::min(next, product.x.count), std::min(next + kGroupRows, product.x.count)};
  }
  const int64_t next = chunk + (plan.side_by_side ? plan.threads : 1);
  return group.last == rows.last && next < plan.chunks ? piece(product.k, plan.chunks, next) : Range{0, 0};
}

/// Sums of X's `rows` and Y's `columns` to C.
/// @param first, last  whether they contain the first chunk and the last one.
void Gemm::State::write(const Product& product, Range rows, Range columns, bool first, bool last,
                        const Sums& sums) const {
  const Range& c_rows = product.transposed ? columns : rows;
  const Range& c_columns = product.transposed ? rows : columns;
  const float* column_add = product.epilogue.column_add;
  const Destination to{product.c.row(c_rows.first) + c_columns.first, product.c.stride,
                       !first || product.epilogue.accumulate,
                       last && column_add != nullptr ? column_add + c_columns.first : nullptr};
  const auto kernel = product.transposed ? kernels.write_transposed : kernels.write;
  kernel(sums, rows.size(), columns.size(), to);
}

void Gemm::State::add_partials(const Product& product, const Plan& plan) {
  const int64_t stride = partial_stride(product), chunk_stride = partial_rows(product) * stride;
  const int64_t tasks = std::clamp<int64_t>(plan.chunks * chunk_stride / kPartialFloatsOfTask, 1, product.x.count);
  pool.run(tasks, [&](int64_t task, int) {
    const Range rows = piece(product.x.count, tasks, task);
    write(product, rows, {0, product.y.count}, true, true,
          {partials.data() + rows.first * stride, stride, plan.chunks, chunk_stride});
  });
}

Gemm::Gemm(Isa isa, ThreadPool& pool) : state_(std::make_unique<State>(isa, pool)) {}
Gemm::~Gemm() = default;

void Gemm::multiply(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c) {
  if (c.empty()) return;
  State& state = *state_;
  const Product product = state.arrange(a, b, epilogue, c, state.pool.threads());
  const Plan plan = state.plan(product, state.pool.threads());
  // Tasks of one packing follow each other: [chunk, block, part] where chunks are tasks, else [block, part].
  const int64_t chunks_at_once = plan.side_by_side ? plan.chunks : 1;
  for (int64_t first_chunk = 0; first_chunk < plan.chunks; first_chunk += chunks_at_once) {
    const int64_t first_packing = state.packings;
    state.packings += chunks_at_once * plan.blocks;
    state.pool.run(chunks_at_once * plan.blocks * plan.parts, [&](int64_t task, int thread) {
      const int64_t packing = task / plan.parts, chunk = first_chunk + packing / plan.blocks;
      const Range columns = state.columns_of(product, plan, packing % plan.blocks);
      Workspace& workspace = state.workspaces[static_cast<size_t>(thread)];
      if (workspace.packed_number != first_packing + packing) {
        state.pack(product, columns, piece(product.k, plan.chunks, chunk), workspace);
        workspace.packed_number = first_packing + packing;
      }
      state.multiply_part(product, plan, chunk, columns, state.rows_of(product, plan, task % plan.parts), workspace);
    });
  }
  if (plan.side_by_side) state.add_partials(product, plan);
}

void Gemm::multiply_serial(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c, int thread) {
  if (c.empty()) return;
  State& state = *state_;
  const Product product = state.arrange(a, b, epilogue, c, 1);
  const Plan plan = state.plan(product, 1);
  Workspace& workspace = state.workspaces[static_cast<size_t>(thread)];
  workspace.packed_number = -1;
  for (int64_t block = 0; block < plan.blocks; ++block) {
    const Range columns = state.columns_of(product, plan, block);
    for (int64_t chunk = 0; chunk < plan.chunks; ++chunk) {
      state.pack(product, columns, piece(product.k, plan.chunks, chunk), workspace);
      state.multiply_part(product, plan, chunk, columns, {0, product.x.count}, workspace);
    }
  }
}

}  // namespace gru4rec::cpu
