#include "daemon/system.h"

#include <gtest/gtest.h>

#include <set>

namespace hansard {
namespace {

TEST(System, RandomNumbersAreAsManyAsAskedForAndDiffer) {
  std::set<std::string> seen;
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(random_bytes(32).size(), 32u);
    const std::string hex = random_hex(24);
    EXPECT_EQ(hex.size(), 48u);
    EXPECT_EQ(hex.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(hex).second);
    EXPECT_TRUE(seeds.insert(random_seed()).second);
  }
  EXPECT_FALSE(seeds.contains(0));
  EXPECT_TRUE(random_bytes(0).empty());
  EXPECT_EQ(random_bytes(1'000).size(), 256u);
}

TEST(System, ClocksGoOn) {
  const SystemClock clock;
  const Instant wall = system_now();
  const Duration before = clock.monotonic();
  EXPECT_GT(wall, *parse_rfc3339("2024-01-01T00:00:00Z"));
  for (Duration now = before; now <= before; now = clock.monotonic()) ASSERT_GE(now, before);
  EXPECT_LT(clock.now() - wall, minutes(5));
  EXPECT_GE(clock.boot().size(), 36u) << "a UUID, and the namespace";
  EXPECT_EQ(clock.boot(), SystemClock().boot());
}

}  // namespace
}  // namespace hansard
