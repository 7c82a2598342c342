#pragma once

#include <algorithm>
#include <cstring>
#include <string>

namespace gru4rec::cuda_library {

/// Fills an array of the C table with as much of a text as fits.
template <int kSize>
void set_text(const std::string& from, char (&to)[kSize]) {
  const size_t length = std::min(from.size(), static_cast<size_t>(kSize - 1));
  std::memcpy(to, from.data(), length);
  to[length] = '\0';
}

}  // namespace gru4rec::cuda_library
