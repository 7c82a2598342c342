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

/// Every loss with every final activation that docs/model.md allows, with and without the loss's own parameters. Under
/// a sanitizer every loss and every activation, not every pair of them: none has code of its own.
inline std::vector<NamedLoss> all_losses() {
  const Activation softmax{ActivationKind::softmax, 1.0f, 1.0f}, logits{ActivationKind::softmax_logit, 1.0f, 1.0f};
  std::vector<NamedLoss> losses;
  for (const float smoothing : {0.0f, 0.2f}) {
    losses.push_back(
        {"cross-entropy smoothing=" + show(smoothing), {LossKind::cross_entropy, smoothing, 1.0f, softmax}});
    losses.push_back({"xe_logit smoothing=" + show(smoothing), {LossKind::xe_logit, smoothing, 1.0f, logits}});
  }
  const NamedLoss pairwise[] = {{"bpr", {LossKind::bpr, 0.0f, 1.0f, {}}},
                                {"top1", {LossKind::top1, 0.0f, 1.0f, {}}},
                                {"top1-max", {LossKind::top1_max, 0.0f, 1.0f, {}}},
                                {"bpr-max bpreg=0", {LossKind::bpr_max, 0.0f, 0.0f, {}}},
                                {"bpr-max bpreg=1.3", {LossKind::bpr_max, 0.0f, 1.3f, {}}}};
  size_t turn = 0;
  for (const NamedActivation& named : elementwise_activations()) {
    std::vector<NamedLoss> pairs;
    for (NamedLoss loss : pairwise) {
      loss.name += " " + named.name;
      loss.loss.final_act = named.activation;
      pairs.push_back(loss);
    }
    const std::vector<NamedLoss> chosen = unless_sanitized(pairs, {pairs[turn++ % pairs.size()]});
    losses.insert(losses.end(), chosen.begin(), chosen.end());
  }
  return losses;
}

}  // namespace gru4rec::test
