#define JSON_NOEXCEPTION
#include "core/base/json.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/text.h"

namespace hansard {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::string_view kArea = "json";

/// Builds our tree from nlohmann's SAX events; stops at the first error.
class TreeBuilder {
 public:
  using number_integer_t = std::int64_t;
  using number_unsigned_t = std::uint64_t;
  using number_float_t = double;
  using string_t = std::string;
  using binary_t = nlohmann::json::binary_t;

  bool null() { return add(Json()); }
  bool boolean(bool v) { return add(Json(v)); }
  bool number_integer(std::int64_t v) { return add(Json(v)); }
  bool number_unsigned(std::uint64_t v) { return add(Json(v)); }
  bool number_float(double v, const std::string&) { return add(Json(v)); }
  bool string(std::string& v) { return add(Json(std::move(v))); }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool key(std::string& k) {
    stack_.back().key = std::move(k);
    return true;
  }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    error_ = "not valid JSON at byte " + std::to_string(position);
    return false;
  }

  Json root;
  std::string error_;

 private:
  struct Frame {
    Json value;
    std::string key;  // of the member being read
    Json::Object members;
  };

  bool add(Json v) {
    if (stack_.empty()) {
      root = std::move(v);
    } else if (stack_.back().value.is_array()) {
      stack_.back().value.push(std::move(v));
    } else {
      // Appending without a search keeps hostile objects linear; readers take the last equal key.
      stack_.back().members.emplace_back(std::move(stack_.back().key), std::move(v));
    }
    return true;
  }
  bool open(Json v) {
    if (stack_.size() >= kMaxDepth) {
      error_ = "nested more than 64 levels deep";
      return false;
    }
    stack_.push_back({std::move(v), {}, {}});
    return true;
  }
  bool close() {
    Frame top = std::move(stack_.back());
    stack_.pop_back();
    return add(top.value.is_object() ? Json(std::move(top.members)) : std::move(top.value));
  }

  std::vector<Frame> stack_;
};

/// True when one of eight bytes is a control character, a quote, a backslash or no ASCII; a false alarm is possible.
bool needs_care(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  const auto zero = [](std::uint64_t v) { return (v - kOnes) & ~v; };
  const std::uint64_t control = bytes - 0x20 * kOnes;
  const std::uint64_t above = bytes + kOnes;  // 0x7f becomes 0x80
  return ((control | above | bytes | zero(bytes ^ 0x22 * kOnes) | zero(bytes ^ 0x5c * kOnes)) & kHigh) != 0;
}

/// Nearly all text there is.
bool is_plain(std::string_view s) {
  std::size_t i = 0;
  for (; i + 8 <= s.size(); i += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, s.data() + i, 8);
    if (needs_care(bytes)) return false;
  }
  std::uint64_t rest = 0x2020202020202020u;
  std::memcpy(&rest, s.data() + i, s.size() - i);
  return !needs_care(rest);
}

void write_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;  // where the run begins that needs no escape
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7f) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: {
        char buf[8];
        std::snprintf(buf, sizeof buf, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += buf;
      }
    }
  }
  out.append(text, plain);
}

const Json kNull;
const Json::Array kNoItems;
const Json::Object kNoMembers;

std::unexpected<Error> expected(const char* what) { return fail(ErrorClass::kInvalid, kArea, std::string("expected ") + what); }

}  // namespace

Json::Json(std::uint64_t v) {
  if (v > static_cast<std::uint64_t>(INT64_MAX)) {
    value_ = static_cast<double>(v);
  } else {
    value_ = static_cast<std::int64_t>(v);
  }
}

Result<Json> Json::parse(std::string_view text) {
  TreeBuilder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    return fail(ErrorClass::kInvalid, kArea, builder.error_.empty() ? "not valid JSON" : builder.error_);
  }
  return std::move(builder.root);
}

std::string Json::dump() const {
  std::string out;
  struct Writer {
    std::string& out;
    void operator()(const Json& v) {
      if (v.is_null()) {
        out += "null";
      } else if (const auto* b = std::get_if<bool>(&v.value_)) {
        out += *b ? "true" : "false";
      } else if (const auto* i = std::get_if<std::int64_t>(&v.value_)) {
        out += std::to_string(*i);
      } else if (const auto* d = std::get_if<double>(&v.value_)) {
        append_json(out, *d);
      } else if (const auto* s = std::get_if<std::string>(&v.value_)) {
        append_json(out, std::string_view(*s));
      } else if (const auto* a = std::get_if<Array>(&v.value_)) {
        out += '[';
        for (std::size_t n = 0; n < a->size(); ++n) {
          if (n != 0) out += ',';
          (*this)((*a)[n]);
        }
        out += ']';
      } else {
        out += '{';
        bool first = true;
        for (const auto& [k, member] : std::get<Object>(v.value_)) {
          if (!first) out += ',';
          first = false;
          append_json(out, std::string_view(k));
          out += ':';
          (*this)(member);
        }
        out += '}';
      }
    }
  };
  Writer{out}(*this);
  return out;
}

Result<bool> Json::as_bool() const {
  if (const auto* b = std::get_if<bool>(&value_)) return *b;
  return expected("true or false");
}

Result<std::int64_t> Json::as_int() const {
  if (const auto* i = std::get_if<std::int64_t>(&value_)) return *i;
  if (const auto* d = std::get_if<double>(&value_)) {
    if (*d >= -9.0e15 && *d <= 9.0e15 && std::floor(*d) == *d) return static_cast<std::int64_t>(*d);
  }
  return expected("a whole number");
}

Result<double> Json::as_double() const {
  if (const auto* d = std::get_if<double>(&value_)) return *d;
  if (const auto* i = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*i);
  return expected("a number");
}

Result<std::string> Json::as_string() const {
  if (const auto* s = std::get_if<std::string>(&value_)) return *s;
  return expected("a string");
}

const Json::Array& Json::items() const {
  const auto* a = std::get_if<Array>(&value_);
  return a != nullptr ? *a : kNoItems;
}

const Json::Object& Json::members() const {
  const auto* o = std::get_if<Object>(&value_);
  return o != nullptr ? *o : kNoMembers;
}

const Json& Json::operator[](std::string_view key) const {
  const Object& all = members();
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    if (it->first == key) return it->second;
  }
  return kNull;
}

bool Json::has(std::string_view key) const { return &(*this)[key] != &kNull; }

std::string Json::text_or(std::string_view key, std::string_view fallback) const {
  return (*this)[key].as_string().value_or(std::string(fallback));
}

std::int64_t Json::int_or(std::string_view key, std::int64_t fallback) const { return (*this)[key].as_int().value_or(fallback); }

double Json::double_or(std::string_view key, double fallback) const { return (*this)[key].as_double().value_or(fallback); }

bool Json::bool_or(std::string_view key, bool fallback) const { return (*this)[key].as_bool().value_or(fallback); }

Json& Json::set(std::string_view key, Json value) {
  if (!is_object()) value_ = Object{};
  auto& all = std::get<Object>(value_);
  for (auto& member : all) {
    if (member.first == key) {
      member.second = std::move(value);
      return *this;
    }
  }
  all.emplace_back(std::string(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (!is_array()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

void append_json(std::string& out, std::string_view text) {
  out += '"';
  if (is_plain(text)) {
    out += text;
  } else if (is_valid_utf8(text)) {
    write_escaped(out, text);
  } else {
    write_escaped(out, sanitize_utf8(text));
  }
  out += '"';
}

void append_json(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char buf[32];
  for (int precision = 15; precision <= 17; ++precision) {
    std::snprintf(buf, sizeof buf, "%.*g", precision, number);
    if (std::strtod(buf, nullptr) == number) break;
  }
  out += buf;
  if (std::string_view(buf).find_first_of(".en") == std::string_view::npos) out += ".0";
}

}  // namespace hansard
