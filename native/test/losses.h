#pragma once

#include <string>
#include <vector>

#include "core/model_spec.h"
#include "harness.h"

namespace gru4rec::test {

struct NamedLoss {
  std::string name;
  Loss loss;
};

/// Every loss with every final activation that docs/model.md allows, with and without the loss's own parameters.
inline std::vector<NamedLoss> all_losses() {
  const Activation softmax{ActivationKind::softmax, 1.0f, 1.0f}, logits{ActivationKind::softmax_logit, 1.0f, 1.0f};
  std::vector<NamedLoss> losses;
  for (const float smoothing : {0.0f, 0.2f}) {
    losses.push_back(
        {"cross-entropy smoothing=" + show(smoothing), {LossKind::cross_entropy, smoothing, 1.0f, softmax}});
    losses.push_back({"xe_logit smoothing=" + show(smoothing), {LossKind::xe_logit, smoothing, 1.0f, logits}});
  }
  for (const NamedActivation& named : elementwise_activations()) {
    losses.push_back({"bpr " + named.name, {LossKind::bpr, 0.0f, 1.0f, named.activation}});
    losses.push_back({"top1 " + named.name, {LossKind::top1, 0.0f, 1.0f, named.activation}});
    losses.push_back({"top1-max " + named.name, {LossKind::top1_max, 0.0f, 1.0f, named.activation}});
    for (const float bpreg : {0.0f, 1.3f})
      losses.push_back(
          {"bpr-max bpreg=" + show(bpreg) + " " + named.name, {LossKind::bpr_max, 0.0f, bpreg, named.activation}});
  }
  return losses;
}

}  // namespace gru4rec::test
