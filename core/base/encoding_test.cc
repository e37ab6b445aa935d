#include "core/base/encoding.h"

#include <gtest/gtest.h>

#include "core/base/http.h"

namespace hansard {
namespace {

// RFC 4648 section 10.
TEST(Encoding, Base64Vectors) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
  }
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(base64_decode("-__-"), "\xfb\xff\xfe");
}

TEST(Encoding, EveryByteComesBackFromBothAlphabets) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  for (std::size_t from = 0; from < 3; ++from) {
    const std::string bytes = every.substr(from);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64_decode(base64url_encode(bytes)), bytes);
    EXPECT_EQ(percent_decode(percent_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64_decode("Zm9v{Zm9v"), "foo") << "up to the first other character";
  EXPECT_EQ(base64_value('@'), -1);
  EXPECT_EQ(base64_value('['), -1);
  EXPECT_EQ(base64_value('`'), -1);
  EXPECT_EQ(hex_value('g'), -1);
}

TEST(Encoding, PercentAndForms) {
  EXPECT_EQ(percent_encode("a b/ü~"), "a%20b%2F%C3%BC~");
  EXPECT_EQ(percent_decode("a%20b%2F%C3%BC~%4"), "a b/ü~%4");
  EXPECT_EQ(form_encode({{"scope", "a b"}, {"x", "1&2"}}), "scope=a%20b&x=1%262");
}

TEST(Http, RetryAfterInSecondsOnly) {
  EXPECT_EQ(retry_after({429, {{"retry-after", " 30 "}}}), seconds(30));
  EXPECT_EQ(retry_after({429, {{"retry-after", "999999999999"}}}), hours(6));
  EXPECT_EQ(retry_after({429, {{"retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"}}}), Duration{});
  EXPECT_EQ(retry_after({429, {}}), Duration{});
}

}  // namespace
}  // namespace hansard
