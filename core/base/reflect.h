#pragma once
// One description of a struct serves reading and writing it as JSON. A struct lists its members once:
//
//   static constexpr auto fields = std::make_tuple(field("name", &T::name), ...);
//
// and an enum its names by an overload `enum_names(E)` that returns a span of EnumName<E>. Reading is strict about
// types and tolerant about members: an absent member keeps its default, an unknown one is ignored, so that older and
// newer data can be read. Variants are written as {"type": NAME, ...members}, each alternative having `kType`.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard {

template <class T, class M>
struct Field {
  std::string_view name;
  M T::* member;
};
template <class T, class M>
constexpr Field<T, M> field(std::string_view name, M T::* member) {
  return {name, member};
}

template <class E>
struct EnumName {
  E value;
  std::string_view name;
};

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) { enum_names(e); };
template <class T>
concept Reflected = requires { T::fields; };

template <NamedEnum E>
constexpr std::string_view enum_name(E value) {
  for (const auto& entry : enum_names(value)) {
    if (entry.value == value) return entry.name;
  }
  return "unknown";
}
template <NamedEnum E>
std::optional<E> enum_value(std::string_view text) {
  for (const auto& entry : enum_names(E{})) {
    if (entry.name == text) return entry.value;
  }
  return std::nullopt;
}

namespace reflect_detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};
template <class T>
struct is_variant : std::false_type {};
template <class... T>
struct is_variant<std::variant<T...>> : std::true_type {};
template <class T>
constexpr bool is_time = std::is_same_v<T, Instant> || std::is_same_v<T, Duration> || std::is_same_v<T, MediaTime>;

}  // namespace reflect_detail

template <class T>
Result<void> read_json(const Json& json, T& out);

/// Reads a T from a tree. Errors: kInvalid, naming the member.
template <class T>
Result<T> from_json(const Json& json) {
  T out{};
  if (auto r = read_json(json, out); !r) return pass(r);
  return out;
}

namespace reflect_detail {

template <class T>
Result<void> read_members(const Json& json, T& out) {
  if (!json.is_object()) return fail(ErrorClass::kInvalid, "json", "expected an object");
  Result<void> result;
  std::apply(
      [&](const auto&... f) {
        [[maybe_unused]] const auto read = [&](const auto& one) {
          const Json& member = json[one.name];
          if (!result || member.is_null()) return;
          result = read_json(member, out.*(one.member));
          if (!result) result = fail(ErrorClass::kInvalid, "json", std::string(one.name) + ": " + result.error().detail);
        };
        (read(f), ...);
      },
      T::fields);
  return result;
}

template <class... T>
Result<void> read_variant(const Json& json, std::variant<T...>& out) {
  const std::string type = json.text_or("type");
  Result<void> result = fail(ErrorClass::kInvalid, "json", "unknown type");
  bool found = false;
  const auto attempt = [&]<class A>(std::type_identity<A>) {
    if (found || A::kType != type) return;
    found = true;
    A value{};
    result = read_members(json, value);
    if (result) out = std::move(value);
  };
  (attempt(std::type_identity<T>{}), ...);
  return result;
}

template <class T>
void append_members(std::string& out, const T& value, bool first);

template <class T>
void append_text(std::string& out, const T& value) {
  const auto list = [&](char open, char close, const auto& items, const auto& append) {
    out += open;
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) out += ',';
      append(item);
    }
    out += close;
  };
  if constexpr (is_time<T>) {
    out += std::to_string(value.ms);
  } else if constexpr (NamedEnum<T>) {
    append_json(out, enum_name(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, std::string>) {
    append_json(out, std::string_view(value));
  } else if constexpr (std::is_same_v<T, double>) {
    append_json(out, value);
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    // JSON's whole numbers are signed here: the same 64 bits, so that seeds above INT64_MAX come back as they were.
    out += std::to_string(static_cast<std::int64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    out += std::to_string(std::int64_t{value});
  } else if constexpr (is_optional<T>::value) {
    if (value) {
      append_text(out, *value);
    } else {
      out += "null";
    }
  } else if constexpr (is_vector<T>::value) {
    list('[', ']', value, [&](const auto& item) { append_text<typename T::value_type>(out, item); });
  } else if constexpr (is_map<T>::value) {
    list('{', '}', value, [&](const auto& member) {
      append_json(out, std::string_view(member.first));
      out += ':';
      append_text(out, member.second);
    });
  } else if constexpr (is_variant<T>::value) {
    std::visit(
        [&](const auto& alternative) {
          out += "{\"type\":";
          append_json(out, std::remove_cvref_t<decltype(alternative)>::kType);
          append_members(out, alternative, false);
          out += '}';
        },
        value);
  } else {
    static_assert(Reflected<T>, "give the struct a `fields` tuple");
    out += '{';
    append_members(out, value, true);
    out += '}';
  }
}

template <class T>
void append_members(std::string& out, const T& value, [[maybe_unused]] bool first) {
  std::apply(
      [&](const auto&... f) {
        [[maybe_unused]] const auto append = [&](const auto& one) {
          const auto& member = value.*(one.member);
          if constexpr (is_optional<std::remove_cvref_t<decltype(member)>>::value) {
            if (!member) return;
          }
          if (!std::exchange(first, false)) out += ',';
          append_json(out, one.name);
          out += ':';
          append_text(out, member);
        };
        (append(f), ...);
      },
      T::fields);
}

}  // namespace reflect_detail

/// Compact JSON, as Json::dump writes it.
template <class T>
std::string json_text(const T& value) {
  std::string out;
  reflect_detail::append_text(out, value);
  return out;
}

/// The same as a tree.
template <class T>
Json to_json(const T& value) {
  auto tree = Json::parse(json_text(value));
  CHECK(tree.has_value());
  return std::move(*tree);
}

template <class T>
Result<void> read_json(const Json& json, T& out) {
  using namespace reflect_detail;
  const auto take = [&](auto&& r) -> Result<void> {
    if (!r) return pass(r);
    out = static_cast<T>(std::move(*r));
    return {};
  };
  if constexpr (is_time<T>) {
    auto r = json.as_int();
    if (!r) return pass(r);
    out.ms = *r;
    return {};
  } else if constexpr (NamedEnum<T>) {
    auto r = json.as_string();
    if (!r) return pass(r);
    const auto v = enum_value<T>(*r);
    if (!v) return fail(ErrorClass::kInvalid, "json", "unknown name");
    out = *v;
    return {};
  } else if constexpr (std::is_same_v<T, bool>) {
    return take(json.as_bool());
  } else if constexpr (std::is_same_v<T, std::string>) {
    return take(json.as_string());
  } else if constexpr (std::is_same_v<T, double>) {
    return take(json.as_double());
  } else if constexpr (std::is_integral_v<T>) {
    auto r = json.as_int();
    if (!r) return pass(r);
    if constexpr (!std::is_same_v<T, std::uint64_t>) {
      if (!std::in_range<T>(*r)) return fail(ErrorClass::kInvalid, "json", "number out of range");
    }
    out = static_cast<T>(*r);
    return {};
  } else if constexpr (is_optional<T>::value) {
    if (json.is_null()) {
      out.reset();
      return {};
    }
    out.emplace();
    return read_json(json, *out);
  } else if constexpr (is_vector<T>::value) {
    if (!json.is_array()) return fail(ErrorClass::kInvalid, "json", "expected an array");
    out.clear();
    for (const Json& item : json.items()) {
      out.emplace_back();
      if (auto r = read_json(item, out.back()); !r) return r;
    }
    return {};
  } else if constexpr (is_map<T>::value) {
    if (!json.is_object()) return fail(ErrorClass::kInvalid, "json", "expected an object");
    out.clear();
    for (const auto& [key, item] : json.members()) {
      if (auto r = read_json(item, out[key]); !r) return r;
    }
    return {};
  } else if constexpr (is_variant<T>::value) {
    return read_variant(json, out);
  } else {
    static_assert(Reflected<T>, "give the struct a `fields` tuple");
    return read_members(json, out);
  }
}

}  // namespace hansard
