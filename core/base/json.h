#pragma once
// The one door to JSON. Values are a small tree; access with a wrong type gives an Error, never an abort.
// Reading is nlohmann/json's SAX parser inside json.cc; nothing else in the program includes that library.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace hansard {

class Json {
 public:
  using Array = std::vector<Json>;
  /// Members keep the order in which they were added. A reader sees the last of two equal keys.
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool v) : value_(v) {}
  Json(int v) : value_(std::int64_t{v}) {}
  Json(unsigned v) : value_(std::int64_t{v}) {}
  Json(std::int64_t v) : value_(v) {}
  /// Values above INT64_MAX become a double.
  Json(std::uint64_t v);
  Json(double v) : value_(v) {}
  Json(std::string v) : value_(std::move(v)) {}
  Json(std::string_view v) : value_(std::string(v)) {}
  Json(const char* v) : value_(std::string(v)) {}
  Json(Array v) : value_(std::move(v)) {}
  Json(Object v) : value_(std::move(v)) {}

  static Json array() { return Json(Array{}); }
  static Json object() { return Json(Object{}); }

  /// Parses one JSON text. Bounded: at most 64 levels deep. Invalid UTF-8 is an error. Errors: kInvalid.
  static Result<Json> parse(std::string_view text);
  /// Compact form. Invalid UTF-8 in strings is written as U+FFFD, non-finite numbers as null.
  std::string dump() const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Typed access. Errors: kInvalid ("expected a string").
  Result<bool> as_bool() const;
  Result<std::int64_t> as_int() const;  ///< a double with an integral value counts
  Result<double> as_double() const;
  Result<std::string> as_string() const;

  /// Empty when this is not an array.
  const Array& items() const;
  /// Empty when this is not an object.
  const Object& members() const;
  /// The member, or null (a static null value) when absent or when this is not an object.
  const Json& operator[](std::string_view key) const;
  bool has(std::string_view key) const;

  // Tolerant access for optional members: the fallback when absent or of another type.
  std::string text_or(std::string_view key, std::string_view fallback = {}) const;
  std::int64_t int_or(std::string_view key, std::int64_t fallback) const;
  double double_or(std::string_view key, double fallback) const;
  bool bool_or(std::string_view key, bool fallback) const;

  /// Sets a member (replaces an equal key). Makes this an object first when it is null.
  Json& set(std::string_view key, Json value);
  /// Appends to an array. Makes this an array first when it is null.
  Json& push(Json value);

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// Append what dump() writes for such a value.
void append_json(std::string& out, std::string_view text);
void append_json(std::string& out, double number);

}  // namespace hansard
