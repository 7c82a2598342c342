#pragma once

#include <stdexcept>
#include <string>

namespace gru4rec {

/// What went wrong, in the words of the TypeScript layer (`Gru4RecError.code` is "ERR_" and the name in upper case).
enum class ErrorCode { argument, config, data, file, device, out_of_memory, aborted, not_finite };

/// The only exception that the engine throws on purpose. The message says what was expected and what was received.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace gru4rec
