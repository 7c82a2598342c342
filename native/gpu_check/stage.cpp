#include "gpu_check/stage.h"

namespace gru4rec::gpu_check {

const std::vector<Stage>& all_stages() {
  // Of eight minutes these are seconds. Most stages need a fraction, and what one leaves goes to those behind it.
  static const std::vector<Stage> stages{
      {"environment", "GPU, driver, CUDA, cuBLAS, clocks", 10, check_environment},
      {"operations", "every operation against float64", 90, check_operations},
      {"parity", "training and ranks as on the CPU", 60, check_parity},
      {"bits", "same calls, same bits", 30, check_bits},
      {"precision", "accuracy in float32, tf32 and bf16", 40, check_precision},
      {"errors", "too little memory and bad devices", 20, check_errors},
      {"speed", "published configurations, single operations, rankings", 120, check_speed},
      {"peer", "the author's PyTorch version beside ours", 50, check_peer},
      {"sanitizer", "compute-sanitizer: memcheck and racecheck", 60, check_sanitizer},
  };
  return stages;
}

}  // namespace gru4rec::gpu_check
