#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define GRU_HOST_DEVICE __host__ __device__
#else
#define GRU_HOST_DEVICE
#endif

namespace gru4rec {

/// What a random number is for. Part of the counter, so that no two purposes share a number (docs/random.md).
enum class Purpose : uint32_t {
  initial_weights = 1,  ///< step = tensor number
  input_dropout = 2,    ///< step = training step
  hidden_dropout = 3,   ///< step = training step; layer l uses the purpose `hidden_dropout + (l << 8)`
  negatives = 4,        ///< step = training step
  shuffle = 5,          ///< step = epoch
};

/// One stream of random numbers: everything that is drawn for one purpose in one step. The numbers inside are addressed
/// by a 64-bit index, so that any thread can draw any of them.
struct RandomStream {
  uint64_t seed = 0;
  uint64_t step = 0;
  uint32_t purpose = 0;
};

inline RandomStream random_stream(uint64_t seed, Purpose purpose, uint64_t step, uint32_t layer = 0) {
  return {seed, step, static_cast<uint32_t>(purpose) + (layer << 8)};
}

/// Four 32-bit words of one Philox block.
struct PhiloxBlock {
  uint32_t word[4];
};

/// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
/// Key = seed (low word, high word). Counter = block number, purpose, step (low word, high word).
GRU_HOST_DEVICE inline PhiloxBlock philox(const RandomStream& stream, uint32_t block) {
  uint32_t c0 = block, c1 = stream.purpose;
  uint32_t c2 = static_cast<uint32_t>(stream.step), c3 = static_cast<uint32_t>(stream.step >> 32);
  uint32_t k0 = static_cast<uint32_t>(stream.seed), k1 = static_cast<uint32_t>(stream.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c0;
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// 32-bit word number `index` of a stream: word `index % 4` of block `index / 4`. index < 2^34.
GRU_HOST_DEVICE inline uint32_t random_word(const RandomStream& stream, uint64_t index) {
  return philox(stream, static_cast<uint32_t>(index >> 2)).word[index & 3];
}

/// 64-bit number `index` of a stream: words `2 index` (low) and `2 index + 1` (high). index < 2^33.
GRU_HOST_DEVICE inline uint64_t random_uint64(const RandomStream& stream, uint64_t index) {
  const PhiloxBlock block = philox(stream, static_cast<uint32_t>(index >> 1));
  const int first = static_cast<int>(index & 1) * 2;
  return uint64_t{block.word[first + 1]} << 32 | block.word[first];
}

/// Inverted dropout of one matrix: element (i, d) of a matrix of width `width` uses word `i * width + d` of the stream.
struct Dropout {
  /// An element is dropped when the upper 24 bits of its word are below this: round(p * 2^24), ties away from zero.
  uint32_t threshold = 0;
  /// Factor of the elements that stay: 1 / (1 - p), computed in double and rounded to float once.
  float scale = 1.0f;
  RandomStream stream;
  /// Where the step of `stream` stands, in memory of the back end; null = in `stream` itself.
  const uint64_t* step = nullptr;

  bool active() const { return threshold > 0; }
  /// The stream of the step. Called where `step` can be read.
  GRU_HOST_DEVICE RandomStream stream_of_step() const {
    return step == nullptr ? stream : RandomStream{stream.seed, *step, stream.purpose};
  }
};

inline Dropout make_dropout(double p, const RandomStream& stream, const uint64_t* step = nullptr) {
  return {static_cast<uint32_t>(p * 16777216.0 + 0.5), static_cast<float>(1.0 / (1.0 - p)), stream, step};
}

/// 0 or `scale`, for the word of one element.
GRU_HOST_DEVICE inline float dropout_factor(const Dropout& dropout, uint32_t word) {
  return (word >> 8) < dropout.threshold ? 0.0f : dropout.scale;
}

}  // namespace gru4rec
