#include "engine/session_states.h"

#include <algorithm>
#include <numeric>

namespace gru4rec {

SessionStates::SessionStates(const Parameters& parameters, int64_t rows)
    : forward_(parameters, rows),
      dropout_(no_dropout(parameters.spec())),
      host_input_(rows),
      host_source_(rows),
      input_(parameters.backend(), rows),
      source_(parameters.backend(), rows) {}

void SessionStates::read(const Sessions& sessions, int64_t first, int64_t count, const Cancellation& cancellation) {
  order_.resize(count);
  std::iota(order_.begin(), order_.end(), first);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](int64_t a, int64_t b) { return sessions.length(a) > sessions.length(b); });
  forward_.reset();
  std::iota(host_source_.begin(), host_source_.end(), 0);
  source_.upload({host_source_.data(), static_cast<int64_t>(host_source_.size())});

  int64_t active = count;
  for (int64_t event = 0;; ++event) {
    while (active > 0 && sessions.length(order_[active - 1]) <= event) --active;
    if (active == 0) return;
    cancellation.check();
    for (int64_t row = 0; row < active; ++row) host_input_[row] = sessions.items[sessions.offsets[order_[row]] + event];
    input_.upload({host_input_.data(), active});
    forward_.step(input_.span(active), source_.span(active), dropout_);
  }
}

}  // namespace gru4rec
