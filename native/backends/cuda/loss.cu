#include <limits>
#include <type_traits>

#include "backends/cuda/activation.cuh"
#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/elements.cuh"

/// Losses of one row and their gradients (docs/model.md, "Scores and losses"). The row's own target is left out of
/// every sum over the others, so that a small sum is not lost beside the target's constant part.
namespace gru4rec::cuda {

/// Inside every logarithm of a probability.
constexpr double kEpsilon = 1e-24;

/// log(1 + e^x).
__device__ __forceinline__ float softplus(float x) { return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x))); }

/// sigmoid(x) and its derivative, which keeps its relative accuracy at both ends.
struct Sigmoid {
  float value, slope;
};

__device__ __forceinline__ Sigmoid sigmoid_and_slope(float x) {
  const float e = expf(-fabsf(x));
  const float inverse = 1.0f / (1.0f + e);
  return {(x < 0.0f ? e : 1.0f) * inverse, e * inverse * inverse};
}

/// What every column of a row is compared with.
struct LossRow {
  int64_t columns;
  float scale;    ///< 1 / B
  float target;   ///< score of the target, activated
  float largest;  ///< activated, of the scores that the loss's Shift names
};

/// What is subtracted before every exponential.
enum class Shift {
  none,    ///< there are no exponentials
  others,  ///< the largest score of the others
  all,     ///< the largest score
};

/// The losses. Each of these terms works on one row in two passes over its columns: `add` adds the raw score of a
/// column other than the target to the row's sums, `finish` turns these into the row's loss and what the gradients
/// need, its factors, and `gradient` gives the one of another column's raw score. `finish` alone is in double, in one
/// thread: many GPUs are slow at it.

/// The target's share of a softmax, from the sum of e^(s - largest) over the others.
struct TargetShare {
  double total, p;
  double slope;  ///< p / (p + epsilon)
  __device__ TargetShare(const LossRow& row, double others) {
    const double own = static_cast<double>(expf(row.target - row.largest));
    total = others + own;
    p = own / total;
    slope = p / (p + kEpsilon);
  }
};

struct CrossEntropy {
  static constexpr Shift kShift = Shift::all;
  static constexpr bool kSmooths = false;  ///< whether smoothing takes a pass of its own
  static constexpr int kSums = 1;          ///< of e^(s - largest)
  struct Factors {
    float target;  ///< gradient of the target's score
    float factor;
  };

  __device__ float activated(float score) const { return score; }
  __device__ void add(const LossRow& row, float s, float* sums) const { sums[0] += expf(s - row.largest); }
  __device__ double finish(const LossRow& row, const double* sums, Factors* factors) const {
    const TargetShare share(row, sums[0]);
    const double each = share.slope / share.total * static_cast<double>(row.scale);
    factors->factor = static_cast<float>(each);
    factors->target = static_cast<float>(-sums[0] * each);
    return -log(share.p + kEpsilon);
  }
  __device__ float gradient(const LossRow& row, const Factors& factors, float s) const {
    return expf(s - row.largest) * factors.factor;
  }
};

/// With label smoothing above 0: `add_smoothing` and `finish_smoothing` are the pass that needs the softmax itself.
struct SmoothedCrossEntropy {
  static constexpr Shift kShift = Shift::all;
  static constexpr bool kSmooths = true;
  static constexpr int kSums = 1;  ///< of e^(s - largest)
  struct Factors {
    float target, factor, inverse, each;
  };
  float smoothing;

  __device__ float activated(float score) const { return score; }
  __device__ void add(const LossRow& row, float s, float* sums) const { sums[0] += expf(s - row.largest); }
  __device__ double finish(const LossRow& row, const double* sums, Factors* factors) const {
    factors->inverse = static_cast<float>(1.0 / TargetShare(row, sums[0]).total);
    return 0.0;  // it takes the other sums, too
  }
  /// Sums of log(p_j + epsilon) and of p_j / (p_j + epsilon).
  __device__ void add_smoothing(const LossRow& row, const Factors& factors, float s, float* sums) const {
    const float p = expf(s - row.largest) * factors.inverse;
    sums[0] += logf(p + static_cast<float>(kEpsilon));
    sums[1] += p / (p + static_cast<float>(kEpsilon));
  }
  __device__ double finish_smoothing(const LossRow& row, const double* sums, const double* smoothing_sums,
                                     Factors* factors) const {
    const TargetShare share(row, sums[0]);
    const double rest = static_cast<double>(smoothing) / static_cast<double>(row.columns - 1);
    const double weight = 1.0 - static_cast<double>(row.columns) * rest, scale = static_cast<double>(row.scale);
    const double slopes = smoothing_sums[1] + share.slope;
    factors->factor = static_cast<float>((weight * share.slope + rest * slopes) * scale);
    factors->each = static_cast<float>(rest * scale);
    factors->target = static_cast<float>(
        (rest * (slopes * share.p - share.slope) - weight * share.slope * (sums[0] / share.total)) * scale);
    const double log_share = log(share.p + kEpsilon);
    return -weight * log_share - rest * (smoothing_sums[0] + log_share);
  }
  __device__ float gradient(const LossRow& row, const Factors& factors, float s) const {
    const float p = expf(s - row.largest) * factors.inverse;
    return p * factors.factor - p / (p + static_cast<float>(kEpsilon)) * factors.each;
  }
};

struct XeLogit {
  static constexpr Shift kShift = Shift::all;
  static constexpr bool kSmooths = false;
  static constexpr int kSums = 2;  ///< of e^(s - largest), and with smoothing of s - largest
  struct Factors {
    float target, factor, each;
  };
  float smoothing;

  __device__ float activated(float score) const { return score; }
  __device__ void add(const LossRow& row, float s, float* sums) const {
    sums[0] += expf(s - row.largest);
    if (smoothing > 0.0f) sums[1] += s - row.largest;
  }
  __device__ double finish(const LossRow& row, const double* sums, Factors* factors) const {
    const double shifted = static_cast<double>(row.target - row.largest);
    const double total = sums[0] + static_cast<double>(expf(row.target - row.largest));
    const double columns = static_cast<double>(row.columns), scale = static_cast<double>(row.scale);
    const double rest = static_cast<double>(smoothing) / (columns - 1.0);
    factors->factor = static_cast<float>(scale / total);
    factors->each = static_cast<float>(rest * scale);
    // p_t - weight - rest, weight = 1 - columns * rest; the weights of all columns sum to 1.
    factors->target = static_cast<float>(((columns - 1.0) * rest - sums[0] / total) * scale);
    // weight * (log_total - shifted) + rest * (columns * log_total - the sum of the shifted scores)
    return log(total) - (1.0 - columns * rest) * shifted - rest * (sums[1] + shifted);
  }
  __device__ float gradient(const LossRow& row, const Factors& factors, float s) const {
    return expf(s - row.largest) * factors.factor - factors.each;
  }
};

struct Bpr {
  static constexpr Shift kShift = Shift::none;
  static constexpr bool kSmooths = false;
  static constexpr int kSums = 2;  ///< of softplus and sigmoid
  struct Factors {
    float target;
  };
  Activation activation;

  __device__ float activated(float score) const { return activate(activation, score); }
  __device__ void add(const LossRow& row, float s, float* sums) const {
    const float x = activated(s) - row.target;
    sums[0] += softplus(x);
    sums[1] += sigmoid(x);
  }
  __device__ double finish(const LossRow& row, const double* sums, Factors* factors) const {
    factors->target = static_cast<float>(-sums[1]) * activation_slope(activation, row.target) * row.scale;
    return sums[0] + 0.69314718055994531;  // the target's own softplus(0)
  }
  __device__ float gradient(const LossRow& row, const Factors&, float s) const {
    const float a = activated(s);
    return sigmoid(a - row.target) * activation_slope(activation, a) * row.scale;
  }
};

struct BprMax {
  static constexpr Shift kShift = Shift::others;
  static constexpr bool kSmooths = false;
  static constexpr int kSums = 4;  ///< of e^(a - largest) times 1, sigmoid(t - a), its derivative, a^2
  struct Factors {
    float target, by_win, inverse, mean, mean_square;
  };
  Activation activation;
  float bpreg;

  __device__ float activated(float score) const { return activate(activation, score); }
  __device__ void add(const LossRow& row, float s, float* sums) const {
    const float a = activated(s), w = expf(a - row.largest);
    const Sigmoid win = sigmoid_and_slope(row.target - a);
    sums[0] += w;
    sums[1] += w * win.value;
    sums[2] += w * win.slope;
    sums[3] += w * (a * a);
  }
  __device__ double finish(const LossRow& row, const double* sums, Factors* factors) const {
    const double win = sums[1] / sums[0], slope = sums[2] / sums[0], square = sums[3] / sums[0];
    const double strength = 1.0 / (win + kEpsilon);
    factors->by_win = static_cast<float>(-strength);
    factors->inverse = static_cast<float>(static_cast<double>(row.scale) / sums[0]);
    factors->mean = static_cast<float>(win);
    factors->mean_square = static_cast<float>(square);
    factors->target = static_cast<float>(-strength * slope) * activation_slope(activation, row.target) * row.scale;
    return -log(win + kEpsilon) + static_cast<double>(bpreg) * square;
  }
  __device__ float gradient(const LossRow& row, const Factors& factors, float s) const {
    const float a = activated(s), w = expf(a - row.largest);
    const Sigmoid win = sigmoid_and_slope(row.target - a);
    const float by_sigmoid = (win.value - factors.mean - win.slope) * factors.by_win;
    const float by_square = (a * a - factors.mean_square + 2.0f * a) * bpreg;
    return (by_sigmoid + by_square) * (w * factors.inverse) * activation_slope(activation, a);
  }
};

struct Top1 {
  static constexpr Shift kShift = Shift::none;
  static constexpr bool kSmooths = false;
  static constexpr int kSums = 2;  ///< of the terms and of the slopes of sigmoid(a - t)
  struct Factors {
    float target, each;
  };
  Activation activation;

  __device__ float activated(float score) const { return activate(activation, score); }
  __device__ void add(const LossRow& row, float s, float* sums) const {
    const float a = activated(s);
    const Sigmoid difference = sigmoid_and_slope(a - row.target);
    sums[0] += difference.value + sigmoid(a * a);
    sums[1] += difference.slope;
  }
  __device__ double finish(const LossRow& row, const double* sums, Factors* factors) const {
    factors->each = row.scale / static_cast<float>(row.columns);
    factors->target = static_cast<float>(-sums[1]) * activation_slope(activation, row.target) * factors->each;
    // The target's own sigmoid(0) stays, its sigmoid(t^2) is taken away.
    return (sums[0] + 0.5) / static_cast<double>(row.columns);
  }
  __device__ float gradient(const LossRow& row, const Factors& factors, float s) const {
    const float a = activated(s);
    const float slope = sigmoid_and_slope(a - row.target).slope + 2.0f * a * sigmoid_and_slope(a * a).slope;
    return slope * activation_slope(activation, a) * factors.each;
  }
};

struct Top1Max {
  static constexpr Shift kShift = Shift::others;
  static constexpr bool kSmooths = false;
  static constexpr int kSums = 3;  ///< of e^(a - largest) times 1, the term, the slope of sigmoid(a - t)
  struct Factors {
    float target, inverse, mean;
  };
  Activation activation;

  __device__ float activated(float score) const { return activate(activation, score); }
  __device__ void add(const LossRow& row, float s, float* sums) const {
    const float a = activated(s), w = expf(a - row.largest);
    const Sigmoid difference = sigmoid_and_slope(a - row.target);
    sums[0] += w;
    sums[1] += w * (difference.value + sigmoid(a * a));
    sums[2] += w * difference.slope;
  }
  __device__ double finish(const LossRow& row, const double* sums, Factors* factors) const {
    const double mean = sums[1] / sums[0];
    factors->mean = static_cast<float>(mean);
    factors->inverse = static_cast<float>(static_cast<double>(row.scale) / sums[0]);
    factors->target = static_cast<float>(-sums[2]) * factors->inverse * activation_slope(activation, row.target);
    return mean;
  }
  __device__ float gradient(const LossRow& row, const Factors& factors, float s) const {
    const float a = activated(s), w = expf(a - row.largest);
    const Sigmoid difference = sigmoid_and_slope(a - row.target), square = sigmoid_and_slope(a * a);
    const float slope = difference.slope + 2.0f * a * square.slope;
    return (difference.value + square.value - factors.mean + slope) * (w * factors.inverse) *
           activation_slope(activation, a);
  }
};

/// totals [kSums] <- sums over the block, in a fixed order: floats within a warp, then doubles over the warps. Lane 0
/// of warp 0 has them, other threads have not. Every thread of the block calls it.
/// @param parts  shared; free before the call and after the next barrier of the block
template <int kThreads, int kSums>
__device__ __forceinline__ void sum_over_block(const float* sums, float (*parts)[kThreads / kWarp], double* totals) {
  constexpr unsigned kWarps = kThreads / kWarp;
  const unsigned lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  for (int i = 0; i < kSums; ++i) {
    const float of_warp = warp_sum(sums[i]);
    if (lane == 0) parts[i][warp] = of_warp;
  }
  __syncthreads();  // all warps' parts are there
  if (warp == 0) {
    for (int i = 0; i < kSums; ++i) totals[i] = warp_sum(lane < kWarps ? static_cast<double>(parts[i][lane]) : 0.0);
  }
}

/// Row i of scores [M, C] becomes the gradient of its loss / B by its raw scores, row_losses[i] its loss; its target is
/// column i. Where `active` is not null, the rows from *active on and the columns of their targets are not there:
/// zeros. Block: kThreads, one row; a thread has column threadIdx.x and every kThreads-th behind it, which it alone
/// writes, in the last pass. Grid: x over rows. The row is read again in each pass: it is in the cache, and its
/// functions cost less than memory that holds them. Thread 0 finishes the sums and writes the loss and, in shared
/// memory, the factors. Asking for no more than one block on a multiprocessor keeps all in registers. Barriers: those
/// of block_max and sum_over_block; after each `finish`, for the factors and the parts. A thread has read the target's
/// raw score before any of them, its owner writes it after them.
template <int kThreads, class Term>
__global__ void __launch_bounds__(kThreads, 1)
    loss_kernel(Term term, float scale, const int32_t* active, Matrix scores, float* row_losses) {
  constexpr int kMostSums = Term::kSums > 2 ? Term::kSums : 2;
  GRU_SHARED(float, largest_parts, [kThreads / kWarp]);
  GRU_SHARED(float, parts, [kMostSums][kThreads / kWarp]);
  GRU_SHARED(typename Term::Factors, factors, );
  const int64_t target = blockIdx.x, gap_first = active != nullptr ? *active : scores.rows, gap_end = scores.rows;
  float* scores_of_row = scores.row(target);
  if (target >= gap_first) {  // for the whole block
    for (int64_t j = threadIdx.x; j < scores.cols; j += kThreads) scores_of_row[j] = 0.0f;
    if (threadIdx.x == 0) row_losses[target] = 0.0f;
    return;
  }
  const auto is_other = [=](int64_t j) { return j != target && (j < gap_first || j >= gap_end); };
  LossRow row;
  row.columns = scores.cols - (gap_end - gap_first);
  row.scale = scale;
  const float raw_target = scores_of_row[target];
  row.target = term.activated(raw_target);

  if constexpr (Term::kShift != Shift::none) {
    float largest = Term::kShift == Shift::all ? raw_target : -std::numeric_limits<float>::infinity();
    for (int64_t j = threadIdx.x; j < scores.cols; j += kThreads) {
      if (is_other(j)) largest = fmaxf(largest, scores_of_row[j]);
    }
    // All activations rise: the largest score is also the largest afterwards.
    row.largest = term.activated(block_max<kThreads>(largest, largest_parts));
  }

  float sums[Term::kSums] = {};
  for (int64_t j = threadIdx.x; j < scores.cols; j += kThreads) {
    if (is_other(j)) term.add(row, scores_of_row[j], sums);
  }
  double totals[Term::kSums] = {};
  sum_over_block<kThreads, Term::kSums>(sums, parts, totals);
  double loss = 0.0;
  if (threadIdx.x == 0) loss = term.finish(row, totals, &factors);
  __syncthreads();  // the factors are there, `parts` is free

  if constexpr (Term::kSmooths) {
    float smoothing_sums[2] = {};
    for (int64_t j = threadIdx.x; j < scores.cols; j += kThreads) {
      if (is_other(j)) term.add_smoothing(row, factors, scores_of_row[j], smoothing_sums);
    }
    double smoothing_totals[2] = {};
    sum_over_block<kThreads, 2>(smoothing_sums, parts, smoothing_totals);
    if (threadIdx.x == 0) loss = term.finish_smoothing(row, totals, smoothing_totals, &factors);
    __syncthreads();  // the factors are there
  }

  if (threadIdx.x == 0) row_losses[target] = static_cast<float>(loss);
  const typename Term::Factors found = factors;
  for (int64_t j = threadIdx.x; j < scores.cols; j += kThreads) {
    scores_of_row[j] = is_other(j) ? term.gradient(row, found, scores_of_row[j]) : j == target ? found.target : 0.0f;
  }
}

/// Calls body(threads), an integral_constant: how many threads a row of this many columns gets. Never by the number of
/// rows, on which a row's bits must not depend.
template <class Body>
void with_row_threads(int64_t columns, const Body& body) {
  if (columns <= 512) return body(std::integral_constant<int, 128>());
  if (columns <= 4096) return body(std::integral_constant<int, 512>());
  return body(std::integral_constant<int, 1024>());
}

template <class Term>
void launch_loss(const Term& term, int64_t divisor, const int32_t* active, Matrix scores, float* row_losses,
                 cudaStream_t stream) {
  const float scale = 1.0f / static_cast<float>(divisor);
  with_row_threads(scores.cols, [&](auto threads) {
    launch(loss_kernel<threads(), Term>, static_cast<unsigned>(scores.rows), threads(), 0, stream, term, scale, active,
           scores, row_losses);
  });
}

void CudaBackend::do_loss_gradient(const Loss& loss, int64_t divisor, const int32_t* active, Matrix scores,
                                   Span<float> row_losses) {
  const auto run = [&](const auto& term) { launch_loss(term, divisor, active, scores, row_losses.data, stream()); };
  switch (loss.kind) {
    case LossKind::cross_entropy:
      return loss.smoothing > 0.0f ? run(SmoothedCrossEntropy{loss.smoothing}) : run(CrossEntropy{});
    case LossKind::xe_logit:
      return run(XeLogit{loss.smoothing});
    case LossKind::bpr:
      return run(Bpr{loss.final_act});
    case LossKind::bpr_max:
      return run(BprMax{loss.final_act, loss.bpreg});
    case LossKind::top1:
      return run(Top1{loss.final_act});
    case LossKind::top1_max:
      return run(Top1Max{loss.final_act});
  }
}

constexpr int kTotalThreads = 256;

/// Adds a step to `totals`, by docs/model.md's "Epoch loss reported"; all sums in double.
/// One block of 256 threads: each adds row_losses [M] in steps of 256, block_sum (and its barriers) adds the threads,
/// thread 0 writes the totals and, where `state` is not null, lets it go on to the next step.
__global__ void __launch_bounds__(kTotalThreads)
    accumulate_loss_kernel(Span<const float> row_losses, double divisor, StepState* state, LossTotals* totals) {
  GRU_SHARED(double, scratch, [kTotalThreads / kWarp]);
  double sum = 0.0;
  for (int64_t i = threadIdx.x; i < row_losses.size; i += kTotalThreads) sum += static_cast<double>(row_losses[i]);
  sum = block_sum<kTotalThreads>(sum, scratch);
  if (threadIdx.x != 0) return;
  const double loss = sum / divisor;
  const double weight = static_cast<double>(state != nullptr ? int64_t{state->active} : row_losses.size);
  const bool finite = fabs(loss) <= std::numeric_limits<double>::max();
  if (!finite && totals->first_bad_step < 0) totals->first_bad_step = totals->steps;
  totals->weighted_sum += weight * loss;
  totals->weight += weight;
  ++totals->steps;
  if (state == nullptr) return;
  ++state->step;
  ++state->row;
}

void CudaBackend::do_accumulate_loss(Span<const float> row_losses, int64_t divisor, StepState* state,
                                     LossTotals* totals) {
  launch(accumulate_loss_kernel, 1, kTotalThreads, 0, stream(), row_losses, static_cast<double>(divisor), state,
         totals);
}

/// scores [M, C], in place.
struct ActivateElement {
  Activation activation;
  Matrix scores;
  __device__ void operator()(int64_t row, int64_t col) const {
    scores(row, col) = activate(activation, scores(row, col));
  }
};

/// Row by row of scores [M, C]: e^(s - largest) / the sum of these.
/// Block: kThreads, one row; a thread has column threadIdx.x and every kThreads-th behind it, and writes them in the
/// last pass. Grid: x over rows. Barriers: those of block_max and block_sum. Rows of all items may be long: a thread
/// adds 64 floats at most before it goes on in double.
template <int kThreads>
__global__ void __launch_bounds__(kThreads) softmax_kernel(Matrix scores) {
  GRU_SHARED(float, largest_parts, [kThreads / kWarp]);
  GRU_SHARED(double, parts, [kThreads / kWarp]);
  constexpr int64_t kChunk = 64 * kThreads;
  float* row = scores.row(blockIdx.x);
  float largest = -std::numeric_limits<float>::infinity();
  for (int64_t j = threadIdx.x; j < scores.cols; j += kThreads) largest = fmaxf(largest, row[j]);
  largest = block_max<kThreads>(largest, largest_parts);
  double sum = 0.0;
  for (int64_t first = 0; first < scores.cols; first += kChunk) {
    const int64_t last = first + kChunk < scores.cols ? first + kChunk : scores.cols;
    float part = 0.0f;
    for (int64_t j = first + threadIdx.x; j < last; j += kThreads) part += expf(row[j] - largest);
    sum += static_cast<double>(part);
  }
  const float inverse = static_cast<float>(1.0 / block_sum<kThreads>(sum, parts));
  for (int64_t j = threadIdx.x; j < scores.cols; j += kThreads) row[j] = expf(row[j] - largest) * inverse;
}

void CudaBackend::do_activate_scores(const Activation& activation, Matrix scores) {
  if (activation.kind != ActivationKind::softmax) {
    return for_each_element(scores.rows, scores.cols, stream(), ActivateElement{activation, scores});
  }
  with_row_threads(scores.cols, [&](auto threads) {
    launch(softmax_kernel<threads()>, static_cast<unsigned>(scores.rows), threads(), 0, stream(), scores);
  });
}

}  // namespace gru4rec::cuda
