#include <gtest/gtest.h>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/prng.h"
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

TEST(PrngTest, SameSeedSameNumbers) {
  Prng a(7);
  Prng b(7);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(a.next(), b.next());
}

}  // namespace
}  // namespace hansard
