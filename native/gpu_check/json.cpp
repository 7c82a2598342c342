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

std::string without_folders(const std::string& json) {
  constexpr const char* kAround = " \t\n\"'`()[]{}<>=,;:\\";  // what a path stands between
  const auto is_around = [&](char c) { return std::string(kAround).find(c) != std::string::npos; };
  std::string out;
  for (size_t i = 0; i < json.size();) {
    // The escape of a line's end may stand before a path, too.
    const bool begins = i == 0 || is_around(json[i - 1]) || (i > 1 && json[i - 2] == '\\' && json[i - 1] == 'n');
    size_t end = i;
    if (json[i] == '/' && begins)
      while (end < json.size() && !is_around(json[end])) ++end;
    const std::string path = json.substr(i, end - i);
    const size_t last = path.empty() ? 0 : path.find_last_of('/');
    if (last == 0 || path[1] == '/') {  // no folder, or the end of an address
      out += json[i++];
      continue;
    }
    out += path.substr(last + 1);
    i = end;
  }
  return out;
}

}  // namespace gru4rec::gpu_check
