#include "core/transcript/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/prng.h"

namespace hansard {
namespace {

CoverageInterval row(std::int64_t start, std::int64_t end, Coverage state, std::string reason = {}) {
  return {"p", {start}, {end}, state, std::move(reason)};
}

TEST(Ledger, LossWinsOverWhatWasHeard) {
  CoverageLedger ledger;
  ledger.joined("p", {0});
  ledger.add(row(0, 1000, Coverage::kSilent));
  ledger.add(row(1000, 3000, Coverage::kTranscribed));
  ledger.add(row(1500, 1560, Coverage::kLost, "network"));
  ledger.close({3000});
  EXPECT_EQ(ledger.intervals("p"), (std::vector<CoverageInterval>{
                                       row(0, 1000, Coverage::kSilent), row(1000, 1500, Coverage::kTranscribed),
                                       row(1500, 1560, Coverage::kLost, "network"), row(1560, 3000, Coverage::kTranscribed)}));
  EXPECT_EQ(ledger.totals("p").presence().ms, 3000);
}

TEST(Ledger, HolesArePendingThenLost) {
  CoverageLedger ledger;
  ledger.joined("p", {0});
  ledger.add(row(0, 1000, Coverage::kSilent));
  ledger.add(row(2000, 2500, Coverage::kTranscribed));
  EXPECT_EQ(ledger.totals("p", {4000}).pending.ms, 1000 + 1500);
  ledger.close({4000});
  EXPECT_EQ(ledger.totals("p").lost.ms, 2500);
  EXPECT_EQ(ledger.intervals("p")[1].reason, "unaccounted");
}

TEST(Ledger, CountsPresenceOnly) {
  CoverageLedger ledger;
  ledger.add(row(0, 500, Coverage::kLost, "connecting"));
  ledger.joined("p", {1000});
  ledger.left("p", {2000});
  ledger.joined("p", {5000});
  ledger.add(row(0, 9000, Coverage::kSilent));
  ledger.close({6000});
  EXPECT_EQ(ledger.totals("p").silent.ms, 2000);
  EXPECT_EQ(ledger.totals("p").presence().ms, 2000);
  EXPECT_EQ(ledger.intervals("p").size(), 2u);
}

TEST(Ledger, WhatComesTwiceOrForNobodyMeansNothing) {
  CoverageLedger ledger;
  EXPECT_TRUE(ledger.intervals("p").empty());
  EXPECT_EQ(ledger.totals("p").presence().ms, 0);
  ledger.left("p", {500});  // never came
  ledger.joined("p", {1000});
  ledger.joined("p", {1200});
  ledger.add(row(1500, 1500, Coverage::kLost, "network"));
  ledger.add(row(1900, 1800, Coverage::kLost, "network"));
  ledger.left("p", {2000});
  ledger.left("p", {9000});
  ledger.joined("q", {0});
  ledger.left("q", {0});  // gone in the same moment
  ledger.close({3000});
  EXPECT_EQ(ledger.totals("p").presence().ms, 1000);
  EXPECT_TRUE(ledger.intervals("q").empty());
  EXPECT_EQ(ledger.participants(), (std::vector<std::string>{"p", "q"}));
}

TEST(Ledger, AClockSetBackMakesNoTimeTwice) {
  CoverageLedger ledger;
  ledger.joined("p", {5000});
  ledger.left("p", {4000});  // before they came
  ledger.joined("p", {3000});
  ledger.close({6000});
  EXPECT_EQ(ledger.totals("p").presence().ms, 1000);
}

// Against the definition, millisecond by millisecond, in random orders.
TEST(Ledger, AgreesWithTheDefinitionInAnyOrder) {
  const Coverage states[] = {Coverage::kTranscribed, Coverage::kSilent,       Coverage::kPending,
                             Coverage::kWithheld,    Coverage::kUnrecognized, Coverage::kLost};
  const int strength[] = {4, 2, 1, 5, 3, 6};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Prng prng(seed);
    std::vector<CoverageInterval> rows;
    std::vector<int> best(400, 0);
    for (int i = 0; i < 12; ++i) {
      const auto start = prng.between(0, 380);
      const auto end = start + prng.between(0, 60);
      const auto which = prng.below(6);
      rows.push_back(row(start, end, states[which]));
      for (auto t = start; t < std::min<std::int64_t>(end, 400); ++t)
        best[static_cast<std::size_t>(t)] = std::max(best[static_cast<std::size_t>(t)], strength[which]);
    }
    const auto first = prng.between(0, 100);
    const auto away = prng.between(first, 200);
    const auto back = prng.between(away, 300);
    std::vector<CoverageInterval> expected;
    for (int order = 0; order < 3; ++order) {
      CoverageLedger ledger;
      ledger.joined("p", {first});
      for (const auto& r : rows) ledger.add(r);
      ledger.left("p", {away});
      ledger.joined("p", {back});
      ledger.close({390});
      const auto intervals = ledger.intervals("p");
      if (order == 0) {
        expected = intervals;
        std::int64_t sum = 0;
        MediaTime at{-1};
        for (const auto& i : intervals) {
          EXPECT_GE(i.start, at);
          at = i.end;
          sum += (i.end - i.start).ms;
          for (auto t = i.start.ms; t < i.end.ms; ++t) {
            const int want = best[static_cast<std::size_t>(t)];
            const int got = i.reason == "unaccounted"
                                ? 0
                                : strength[std::find(std::begin(states), std::end(states), i.state) - std::begin(states)];
            EXPECT_EQ(got, want) << "seed " << seed << " at " << t;
          }
        }
        EXPECT_EQ(sum, (away - first) + (390 - back));
      } else {
        EXPECT_EQ(intervals, expected) << "seed " << seed;
      }
      for (std::size_t i = rows.size() - 1; i > 0; --i) std::swap(rows[i], rows[prng.below(i + 1)]);
    }
  }
}

}  // namespace
}  // namespace hansard
