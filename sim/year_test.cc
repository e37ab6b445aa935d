#include "sim/year.h"

#include <gtest/gtest.h>

namespace hansard::sim {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& l : lines) out += l + "\n";
  return out;
}

/// Some weeks of several years: a whole year is what scripts/sim --calendar-year runs.
TEST(CalendarYear, WeeksWithEveryKindOfTroubleEndWell) {
  std::uint64_t meetings = 0;
  std::uint64_t cancelled = 0;
  for (std::uint64_t seed = 60; seed <= 300; seed += 60) {
    const YearOutcome o = simulate_year({.seed = seed, .days = 40});
    EXPECT_TRUE(o.violations.empty()) << joined(o.violations) << "again: sim_main --calendar-year --seed " << seed
                                      << " --days 40 --verbose";
    EXPECT_EQ(o.meetings, o.joined) << seed;
    meetings += o.meetings;
    cancelled += o.cancelled;
  }
  EXPECT_GT(meetings, 150u);
  EXPECT_GT(cancelled, 20u);
}

/// An event is made again under another UID and one calendar never showed the first one: two bots came to this one.
TEST(CalendarYear, OneBotForAnEventMadeAgain) {
  const YearOutcome o = simulate_year({.seed = 1, .days = 45});
  EXPECT_TRUE(o.violations.empty()) << joined(o.violations);
  EXPECT_GT(o.events[static_cast<std::size_t>(YearEvent::kRecreated)], 0u);
}

TEST(CalendarYear, ASeedIsTheSameYearAgain) {
  const YearOutcome once = simulate_year({.seed = 7, .days = 20});
  EXPECT_EQ(once.digest, simulate_year({.seed = 7, .days = 20}).digest);
  EXPECT_NE(once.digest, simulate_year({.seed = 8, .days = 20}).digest);
}

/// The alarm works: fakes that lie on purpose are found out.
TEST(CalendarYear, TheChecksNoticeWhatIsBroken) {
  for (const Canary canary : {Canary::kStaleFeed, Canary::kLostOutbox, Canary::kDeafToEnds}) {
    std::size_t found = 0;
    for (std::uint64_t seed = 1; seed <= 3 && found == 0; ++seed)
      found += simulate_year({.seed = seed, .days = 60, .canary = canary}).violations.size();
    EXPECT_GT(found, 0u) << enum_name(canary);
  }
}

}  // namespace
}  // namespace hansard::sim
