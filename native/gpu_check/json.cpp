#include "gpu_check/json.h"

#include <cmath>
#include <cstdio>

namespace gru4rec::gpu_check {

namespace {

std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += std::string("\\") + c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

Json::Json(double value) {
  if (!std::isfinite(value)) {
    text_ = "null";  // JSON has no such numbers
    return;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  text_ = text;
}

Json::Json(const std::string& value) : text_(quoted(value)) {}

Json Json::raw(const std::string& text) {
  Json json;
  json.text_ = text;
  return json;
}

Json& Json::operator[](const std::string& name) {
  for (auto& [known, value] : members_)
    if (known == name) return value;
  return members_.emplace_back(name, Json()).second;
}

std::string Json::text(int depth) const {
  if (kind_ == Kind::scalar) return text_;
  const bool object = kind_ == Kind::object;
  if (members_.empty()) return object ? "{}" : "[]";
  const std::string margin(2 * depth, ' ');
  std::string out = object ? "{" : "[";
  for (size_t i = 0; i < members_.size(); ++i) {
    out += (i == 0 ? "\n  " : ",\n  ") + margin;
    if (object) out += quoted(members_[i].first) + ": ";
    out += members_[i].second.text(depth + 1);
  }
  return out + "\n" + margin + (object ? "}" : "]");
}

}  // namespace gru4rec::gpu_check
