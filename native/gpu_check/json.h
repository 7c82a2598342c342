#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gru4rec::gpu_check {

/// A JSON value to be written. Members of an object keep the order in which they were first named.
class Json {
 public:
  Json() : text_("null") {}
  Json(bool value) : text_(value ? "true" : "false") {}   // NOLINT(google-explicit-constructor)
  Json(int value) : Json(static_cast<int64_t>(value)) {}  // NOLINT(google-explicit-constructor)
  Json(int64_t value) : text_(std::to_string(value)) {}   // NOLINT(google-explicit-constructor)
  Json(size_t value) : text_(std::to_string(value)) {}    // NOLINT(google-explicit-constructor)
  Json(double value);                                     // NOLINT(google-explicit-constructor)
  Json(const std::string& value);                         // NOLINT(google-explicit-constructor)
  Json(const char* value) : Json(std::string(value)) {}   // NOLINT(google-explicit-constructor)
  static Json object() { return Json(Kind::object); }
  static Json array() { return Json(Kind::array); }
  /// A value that is JSON text already.
  static Json raw(const std::string& text);

  /// The member of an object, null where it is new.
  Json& operator[](const std::string& name);
  /// One more element of an array.
  void push(const Json& value) { members_.emplace_back("", value); }

  /// The text, objects and arrays over several lines; `depth` levels further in than the left margin.
  std::string text(int depth = 0) const;

 private:
  enum class Kind { scalar, object, array };
  explicit Json(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::scalar;
  std::string text_;
  std::vector<std::pair<std::string, Json>> members_;
};

/// JSON text with the names of files instead of their absolute paths, which say nothing on another machine:
/// "read /home/me/clicks.tsv" -> "read clicks.tsv".
std::string without_folders(const std::string& json);

}  // namespace gru4rec::gpu_check
