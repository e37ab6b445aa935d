// Everything that is stored or sent as JSON: each event, effect, record and aggregate comes back as it was, whatever it holds;
// an older or newer program's members are taken as they come, and a member of the wrong type is an error that names it.
#include <gtest/gtest.h>

#include "core/base/prng.h"
#include "core/flow/step.h"

namespace hansard::flow {
namespace {

using namespace reflect_detail;

/// Fills a value with generated content, all the way down.
template <class T>
void fill(T& out, Prng& rng, int depth = 0) {
  if constexpr (is_time<T>) {
    out.ms = rng.between(-4'000'000'000'000, 4'000'000'000'000);
  } else if constexpr (NamedEnum<T>) {
    const auto names = enum_names(T{});
    out = names[rng.below(names.size())].value;
  } else if constexpr (std::is_same_v<T, bool>) {
    out = rng.chance(50);
  } else if constexpr (std::is_same_v<T, std::string>) {
    static constexpr std::string_view kPieces[] = {"a", "\"", "\\", "\n", "\x01", "\x7f", "\u00e9", "\U0001F600", "{", "null"};
    out.clear();
    for (std::uint64_t n = rng.below(6); n > 0; --n) out += kPieces[rng.below(std::size(kPieces))];
  } else if constexpr (std::is_same_v<T, double>) {
    out = static_cast<double>(rng.between(-1'000'000, 1'000'000)) / static_cast<double>(rng.between(1, 999));
  } else if constexpr (std::is_integral_v<T>) {
    out = static_cast<T>(rng.next());
  } else if constexpr (is_optional<T>::value) {
    out.reset();
    if (rng.chance(50)) fill(out.emplace(), rng, depth + 1);
  } else if constexpr (is_vector<T>::value) {
    out.clear();
    for (std::uint64_t n = rng.below(3); n > 0; --n) fill(out.emplace_back(), rng, depth + 1);
  } else if constexpr (is_map<T>::value) {
    out.clear();
    for (std::uint64_t n = rng.below(3); n > 0; --n) fill(out["k" + std::to_string(n)], rng, depth + 1);
  } else if constexpr (is_variant<T>::value) {
    const std::uint64_t which = rng.below(std::variant_size_v<T>);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((I == which ? fill(out.template emplace<I>(), rng, depth + 1) : void()), ...);
    }(std::make_index_sequence<std::variant_size_v<T>>());
  } else {
    std::apply([&](const auto&... f) { (fill(out.*(f.member), rng, depth + 1), ...); }, T::fields);
  }
}

/// A value of none of the types that a member may have, so that it fits nowhere.
Json wrong_for(const Json& right) {
  if (right.is_object()) return Json("text");
  if (right.is_array()) return Json(true);
  if (right.is_string()) return Json(2);
  if (right.is_bool()) return Json("true");
  return Json("1");
}

/// What a program makes of a stored value: reads it and writes it again.
using Copy = Result<std::string> (*)(const Json&);

template <class V>
Result<std::string> copy(const Json& json) {
  const auto value = from_json<V>(json);
  if (!value) return std::unexpected(value.error());
  EXPECT_EQ(to_json(*value).dump(), json_text(*value));
  return json_text(*value);
}

void check(const std::string& text, Copy copy) {
  const auto parsed = Json::parse(text);
  ASSERT_TRUE(parsed) << text;
  const auto back = copy(*parsed);
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(*back, text);
  // A newer program's member is passed over.
  const auto newer = copy(Json(*parsed).set("of_a_newer_program", Json(Json::Array{Json(1)})));
  ASSERT_TRUE(newer);
  EXPECT_EQ(*newer, text);
  for (const auto& [name, member] : parsed->members()) {
    if (name == "type") continue;
    // An older program's value without this member: it keeps its default, and so does one that is null.
    Json::Object members = parsed->members();
    std::erase_if(members, [&, n = name](const auto& m) { return m.first == n; });
    const auto older = copy(Json(members));
    ASSERT_TRUE(older) << name;
    const auto null = copy(Json(*parsed).set(name, Json()));
    ASSERT_TRUE(null) << name;
    EXPECT_EQ(*older, *null);
    const auto broken = copy(Json(*parsed).set(name, wrong_for(member)));
    ASSERT_FALSE(broken) << name;
    EXPECT_EQ(broken.error().code, ErrorClass::kInvalid);
    EXPECT_TRUE(broken.error().detail.starts_with(name + ": ")) << broken.error().detail;
  }
}

template <class V>
void check_all(std::uint64_t seed) {
  Prng rng(seed);
  const auto one = [&]<class A>(std::type_identity<A>) {
    SCOPED_TRACE(std::string(A::kType));
    for (int round = 0; round < 5; ++round) {
      A value;
      fill(value, rng);
      check(json_text(V(std::move(value))), &copy<V>);
    }
  };
  [&]<class... A>(std::type_identity<std::variant<A...>>) { (one(std::type_identity<A>{}), ...); }(std::type_identity<V>{});
}

TEST(FlowJson, EveryEventComesBack) { check_all<Event>(1); }
TEST(FlowJson, EveryEffectComesBack) { check_all<Effect>(2); }
TEST(FlowJson, EveryRecordComesBack) { check_all<Record>(3); }
TEST(FlowJson, EveryAggregateComesBack) { check_all<State>(4); }

TEST(FlowJson, WhatIsNoEventIsRefused) {
  for (const char* bad : {"null", "[]", "3", "{}", R"({"type":7})", R"({"type":"meeting"})", R"({"type":"Timer_fired"})"}) {
    const auto json = Json::parse(bad);
    ASSERT_TRUE(json);
    EXPECT_FALSE(from_json<Event>(*json)) << bad;
  }
}

TEST(FlowJson, ErrorsNameTheWayToTheMember) {
  Json json = to_json(State(MeetingState{}));
  json.set("settings", *Json::parse(R"({"leave":{"lobby_ms":"long"}})"));
  const auto read = from_json<State>(json);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().detail, "settings: leave: lobby_ms: expected a whole number");
}

TEST(FlowJson, RefusesNamesAndNumbersOutOfRange) {
  const auto read = [](const char* member, Json value) {
    return from_json<State>(to_json(State(MeetingState{})).set(member, std::move(value)));
  };
  EXPECT_FALSE(read("state", Json("asleep")));
  EXPECT_FALSE(read("epoch", Json(-1)));
  EXPECT_FALSE(read("epoch", Json(std::int64_t{1} << 32)));
  EXPECT_FALSE(read("attempts", Json(std::int64_t{1} << 31)));
  EXPECT_FALSE(read("sources", Json(Json::Array{Json(1)})));
  EXPECT_FALSE(read("timers", *Json::parse(R"({"join":"soon"})")));
  EXPECT_FALSE(read("views", *Json::parse("[[]]")));
  EXPECT_FALSE(read("origin_unix_ms", Json(0.5)));
  EXPECT_TRUE(read("origin_unix_ms", Json(5.0))) << "a whole number, however it is written";
}

}  // namespace
}  // namespace hansard::flow
