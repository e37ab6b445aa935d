#include "host/seal.h"

#include <gtest/gtest.h>

namespace hansard::host {
namespace {

TEST(Seal, RoundTripKeepsEveryByte) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& text : {std::string(), std::string("x"), all}) {
    const auto back = unseal(seal(text, "row"), "row");
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, text);
  }
}

TEST(Seal, FirstByteIsTheFormat) { EXPECT_EQ(seal("x", "row"), std::string("\0x", 2)); }

TEST(Seal, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(unseal("", "row").error().code, ErrorClass::kCorrupt);
  const auto other = unseal("\x07zzz", "row");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorClass::kCorrupt);
  EXPECT_NE(other.error().detail.find("format 7"), std::string::npos);
}

}  // namespace
}  // namespace hansard::host
