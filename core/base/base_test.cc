#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/prng.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/time.h"

namespace hansard {
namespace {

TEST(Time, RoundTripsRfc3339) {
  for (const std::string text :
       {"2026-03-04T10:00:00Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:59.250Z", "1601-01-01T00:00:00Z"}) {
    const auto t = parse_rfc3339(text);
    ASSERT_TRUE(t) << text;
    EXPECT_EQ(format_rfc3339(*t), text);
  }
  EXPECT_EQ(parse_rfc3339("2026-03-04T10:00:00+02:00")->ms, parse_rfc3339("2026-03-04T08:00:00Z")->ms);
  for (const std::string bad : {"2026-02-29T10:00:00Z", "2026-03-04", "2026-03-04T25:00:00Z", "2026-03-04T10:00:00", "x"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Time, CivilDaysAgreeForFourCenturies) {
  for (std::int64_t day = -150'000; day < 150'000; ++day) ASSERT_EQ(days_from_civil(civil_from_days(day)), day);
  EXPECT_EQ(weekday_from_days(0), 4);  // 1970-01-01 was a Thursday
}

TEST(Json, RoundTripsAndKeepsOrder) {
  const std::string text = R"({"b":1,"a":[true,null,-2.5,"x\"\u00e9\n"],"big":9223372036854775807})";
  const auto v = Json::parse(text);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->dump(), "{\"b\":1,\"a\":[true,null,-2.5,\"x\\\"\u00e9\\n\"],\"big\":9223372036854775807}");
  EXPECT_EQ(*Json::parse(v->dump()), *v);
}

TEST(Json, WrongTypesAreErrorsNotAborts) {
  const auto v = Json::parse(R"({"n":1,"s":"x"})");
  ASSERT_TRUE(v);
  EXPECT_FALSE((*v)["s"].as_int());
  EXPECT_FALSE((*v)["n"].as_string());
  EXPECT_FALSE((*v)["missing"]["deeper"].as_bool());
  EXPECT_EQ(v->text_or("n", "fallback"), "fallback");
}

TEST(Json, RefusesBrokenDeepAndNonUtf8) {
  for (const std::string bad : {"", "{", "[1,]", "nul", "1 2", "\"\xff\""}) EXPECT_FALSE(Json::parse(bad)) << bad;
  EXPECT_FALSE(Json::parse(std::string(65, '[') + std::string(65, ']')));
  EXPECT_TRUE(Json::parse(std::string(60, '[') + std::string(60, ']')));
}

TEST(Json, WritesWhatEveryReaderTakes) {
  std::string every;
  for (int c = 1; c < 0x80; ++c) every += static_cast<char>(c);
  const std::string dumped = Json(every).dump();
  for (const char c : dumped) EXPECT_GE(c, ' ') << "a control character as it is";
  EXPECT_EQ(*Json::parse(dumped)->as_string(), every);
  EXPECT_EQ(Json("a\"\\\n\r\t\x01\x7f").dump(), R"("a\"\\\n\r\t\u0001\u007f")");
  EXPECT_EQ(Json("a\xff").dump(), "\"a\uFFFD\"") << "what is no UTF-8 is written so that it is";
  EXPECT_EQ(Json(Json::Object{{"\xff\n", Json()}}).dump(), "{\"\uFFFD\\n\":null}");
  EXPECT_EQ(Json("").dump(), "\"\"");
}

TEST(Json, NumbersComeBackAsTheyWere) {
  for (const double v : {0.1, 1.0, -2.5, 1e300, 5e-324, 1.0 / 3, 123456789.123456789, -0.0, 9007199254740993.0}) {
    const std::string text = Json(v).dump();
    const auto back = Json::parse(text);
    ASSERT_TRUE(back) << text;
    EXPECT_FALSE(back->is_int()) << text << ": a fraction stays one";
    EXPECT_EQ(*back->as_double(), v) << text;
  }
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<double>::quiet_NaN()).dump(), "null");
  EXPECT_EQ(Json(std::uint64_t{5}).dump(), "5");
  EXPECT_TRUE(Json(std::numeric_limits<std::uint64_t>::max()).is_number());
  EXPECT_FALSE(Json(std::numeric_limits<std::uint64_t>::max()).is_int());
}

TEST(Json, AWholeNumberIsOneHoweverItIsWritten) {
  const auto whole = [](const char* text) {
    const auto v = Json::parse(text)->as_int();
    return v ? std::to_string(*v) : "none";
  };
  EXPECT_EQ(whole("7"), "7");
  EXPECT_EQ(whole("7.0"), "7");
  EXPECT_EQ(whole("1e3"), "1000");
  EXPECT_EQ(whole("7.5"), "none");
  EXPECT_EQ(whole("1e16"), "none") << "beyond what a double holds exactly";
  EXPECT_EQ(whole("-1e16"), "none");
  EXPECT_EQ(whole("1e999"), "none");
  EXPECT_EQ(whole("true"), "none");
  EXPECT_EQ(*Json(3).as_double(), 3.0);
  EXPECT_FALSE(Json("3").as_double());
}

TEST(Json, SetAndPushMakeWhatTheyNeed) {
  Json json;
  json.set("a", 1).set("b", 2).set("a", 3);
  EXPECT_EQ(json.dump(), R"({"a":3,"b":2})");
  Json list;
  list.push(1).push("x");
  EXPECT_EQ(list.dump(), R"([1,"x"])");
  EXPECT_TRUE(Json().items().empty());
  EXPECT_TRUE(Json(5).members().empty());
  EXPECT_TRUE(Json(0.5).is_number());
  EXPECT_FALSE(Json("5").is_number());
  const auto twice = Json::parse(R"({"k":1,"k":2})");
  EXPECT_EQ(twice->int_or("k", 0), 2) << "the last of two counts";
  EXPECT_EQ(twice->int_or("x", 9), 9);
  EXPECT_EQ(twice->double_or("x", 0.5), 0.5);
  EXPECT_TRUE(twice->bool_or("k", true));
}

TEST(Result, EveryClassHasANameAndOnlyTwoMayBeRetried) {
  std::set<std::string_view> names;
  int retried = 0;
  for (int c = 0; c <= static_cast<int>(ErrorClass::kInternal); ++c) {
    EXPECT_TRUE(names.insert(name(static_cast<ErrorClass>(c))).second) << c;
    retried += retryable(static_cast<ErrorClass>(c)) ? 1 : 0;
  }
  EXPECT_EQ(names.size(), 10u);
  EXPECT_EQ(retried, 2);
  EXPECT_TRUE(retryable(ErrorClass::kUnavailable) && retryable(ErrorClass::kRateLimited));
  EXPECT_EQ(name(static_cast<ErrorClass>(250)), "internal");
}

TEST(Text, CharactersOutsideUnicodeAreReplaced) {
  std::string out;
  for (const char32_t c : {U'a', U'\u00e9', U'\u20ac', U'\U0001F600', char32_t{0xD800}, char32_t{0xDFFF}, char32_t{0x110000}})
    append_utf8(out, c);
  EXPECT_EQ(out, "a\u00e9\u20ac\U0001F600\uFFFD\uFFFD\uFFFD");
  std::size_t pos = 0;
  const std::string broken = "\xff z";
  EXPECT_EQ(next_utf8(broken, pos), U'\uFFFD');
  EXPECT_EQ(pos, 1u);
  EXPECT_EQ(next_utf8(broken, pos), U' ');
}

TEST(Text, EveryCharacterComesBackFromUtf8) {
  for (char32_t c = 1; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string out;
    append_utf8(out, c);
    std::size_t pos = 0;
    ASSERT_TRUE(is_valid_utf8(out)) << static_cast<unsigned>(c);
    ASSERT_EQ(next_utf8(out, pos), c);
    ASSERT_EQ(pos, out.size());
  }
}

TEST(Text, HtmlIsEscaped) {
  EXPECT_EQ(html_escape("<a href=\"x\" b='y'>&</a>"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;&lt;/a&gt;");
}

TEST(Text, Utf8) {
  EXPECT_TRUE(is_valid_utf8("h\u00e9 \U0001F600"));
  EXPECT_FALSE(is_valid_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80"));
  EXPECT_EQ(sanitize_utf8("a\xe2\x82z"), "a\uFFFDz");
  std::size_t pos = 0;
  EXPECT_EQ(next_utf8("\U0001F600", pos), U'\U0001F600');
  EXPECT_EQ(pos, 4u);
}

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(std::string(1000, 'a')), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
  // In pieces of every length around a block it is the same.
  const std::string text(300, 'z');
  for (std::size_t piece = 1; piece <= 130; ++piece) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece) hash.update(std::string_view(text).substr(at, piece));
    EXPECT_EQ(hash.finish_hex(), sha256_hex(text)) << piece;
  }
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
}

TEST(PrngTest, StaysWithinItsBounds) {
  Prng prng(1);
  EXPECT_EQ(prng.below(0), 0u);
  EXPECT_EQ(prng.between(7, 7), 7);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(prng.between(-2, 2));
  EXPECT_EQ(seen, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
}

TEST(PrngTest, SameSeedSameNumbers) {
  Prng a(7);
  Prng b(7);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(a.next(), b.next());
}

}  // namespace
}  // namespace hansard
