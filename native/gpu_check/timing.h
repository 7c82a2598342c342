#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace gru4rec::gpu_check {

/// Seconds since it was made.
class Clock {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The middle one; the mean of the two in the middle of an even number of them. `values` is not empty.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
}

/// How long to measure.
struct Repeats {
  int rounds = 5;          ///< timed ones, whose median counts
  double seconds = 0.02;   ///< of a round, about
  int64_t most = 1000000;  ///< calls of a round
};

/// Microseconds of one call of `work` by the wall: the calls of a round are put on the stream one behind the other, and
/// the round ends when the device has done them. So work that the device does is counted where it takes longer than
/// launching it, and the launches where they take longer. Warms up first.
/// @param device  a Backend or a CublasAlone
template <class Device, class Work>
double microseconds_of(Device& device, const Repeats& repeats, const Work& work) {
  const auto round = [&](int64_t calls) {
    const Clock clock;
    for (int64_t i = 0; i < calls; ++i) work();
    device.synchronize();
    return clock.seconds();
  };
  round(1);  // work space grows
  const double one = std::max(1e-7, round(1));
  const int64_t calls =
      std::clamp<int64_t>(static_cast<int64_t>(repeats.seconds / one), 1, std::max<int64_t>(1, repeats.most));
  std::vector<double> times;
  for (int i = 0; i < repeats.rounds; ++i) times.push_back(round(calls) / static_cast<double>(calls) * 1e6);
  return median(times);
}

}  // namespace gru4rec::gpu_check
