// The form of what is stored, written out, against the form that the present schema stands for. An older program ignores a member
// that it does not know and drops it at its next commit, so a new one must keep it from opening the store.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "adapters/sqlite/migrations.h"
#include "core/flow/step.h"

namespace hansard {
namespace {

template <class T>
std::string form_of();

template <class T>
std::string members_of(std::string_view separator) {
  std::string out;
  std::apply(
      [&](const auto&... f) {
        [[maybe_unused]] const auto add = [&](const auto& one) {
          using M = std::remove_cvref_t<decltype(std::declval<T&>().*(one.member))>;
          out += (out.empty() ? "" : std::string(separator)) + std::string(one.name) + ": " + form_of<M>();
        };
        (add(f), ...);
      },
      T::fields);
  return out;
}

template <class T>
struct Variant;
template <class... T>
struct Variant<std::variant<T...>> {
  static std::string lines(const std::string& before) {
    std::string out;
    ((out += before + std::string(T::kType) + "\n  " + members_of<T>("\n  ") + "\n"), ...);
    return out;
  }
};

template <class T>
std::string form_of() {
  using namespace reflect_detail;
  if constexpr (std::is_same_v<T, Json>) {
    return "json";
  } else if constexpr (is_time<T>) {
    return "ms";
  } else if constexpr (NamedEnum<T>) {
    std::string out;
    for (const auto& entry : enum_names(T{})) out += (out.empty() ? "" : "|") + std::string(entry.name);
    return "(" + out + ")";
  } else if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "text";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return "number";
  } else if constexpr (is_optional<T>::value) {
    return form_of<typename T::value_type>() + "?";
  } else if constexpr (is_vector<T>::value) {
    return "[" + form_of<typename T::value_type>() + "]";
  } else if constexpr (is_map<T>::value) {
    return "<" + form_of<typename T::mapped_type>() + ">";
  } else if constexpr (is_variant<T>::value) {
    return "event";  // of ToAggregate; they have their own lines
  } else {
    return "{" + members_of<T>(", ") + "}";
  }
}

TEST(BodyForm, IsTheOneThatTheSchemaStandsFor) {
  const std::string is = Variant<flow::State>::lines("state ") + Variant<flow::Record>::lines("record ") +
                         Variant<flow::Effect>::lines("effect ") + Variant<flow::Event>::lines("event ");
  const std::string name = "bodies-" + std::to_string(sqlite::migrations().size()) + ".txt";
  std::ifstream file("tests/data/stores/" + name, std::ios::binary);
  const std::string was{std::istreambuf_iterator<char>(file), {}};
  const std::string path = testing::TempDir() + name;
  if (is != was) std::ofstream(path, std::ios::binary) << is;
  EXPECT_TRUE(is == was) << "the form of stored bodies has changed. If this schema has been released, add a migration "
                            "(adapters/sqlite/migrations.cc; its SQL may be empty). Then cp "
                         << path << " tests/data/stores/, and look at what `git diff` shows";
}

}  // namespace
}  // namespace hansard
