#include <gtest/gtest.h>

#include <algorithm>

#include "sim/daemon.h"

namespace hansard::sim {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& l : lines) out += l + "\n";
  return out;
}

TEST(Simulation, DaysWithEveryKindOfTroubleEndWell) {
  FaultCounts faults;
  std::uint64_t recorded = 0;
  std::uint64_t tasks = 0;
  std::uint64_t long_meetings = 0;
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    const Scenario scenario = generate(seed, 1);
    const Outcome first = simulate(scenario, {.seed = seed});
    const Outcome second = simulate(scenario, {.seed = seed});
    EXPECT_EQ(first.digest, second.digest) << "again: sim_main --seed " << seed;
    EXPECT_TRUE(first.violations.empty()) << joined(first.violations) << "again: sim_main --seed " << seed << " --verbose";
    faults += first.faults;
    recorded += first.recorded;
    tasks += first.tasks;
    long_meetings += first.long_meetings;
  }
  // Over more days sim_main sees to it that every kind came.
  const auto seen = std::count_if(faults.n.begin(), faults.n.end(), [](std::uint64_t n) { return n > 0; });
  EXPECT_GE(seen, 30);
  EXPECT_GT(recorded, 50u);
  EXPECT_GT(long_meetings, 40u);
  EXPECT_GT(tasks, 50u);
}

TEST(Simulation, OtherSeedsAreOtherDays) {
  EXPECT_NE(simulate(generate(1, 1), {.seed = 1}).digest, simulate(generate(2, 1), {.seed = 2}).digest);
}

TEST(Simulation, TheReferenceMeetingIsRecordedWhole) {
  const Outcome o = simulate(reference_scenario(), {});
  EXPECT_TRUE(o.violations.empty()) << joined(o.violations);
  EXPECT_EQ(o.recorded, 1u);
  EXPECT_EQ(o.finals, 10u);
}

/// The exhaustive pass: the same meeting, with one thing going wrong at each place where it can.
class Sweep : public ::testing::Test {
 protected:
  template <class Set>
  void sweep(std::uint64_t places, const Set& set, Fault kind) {
    ASSERT_GT(places, 20u);
    for (std::uint64_t n = 0; n < places; ++n) {
      RunOptions options;
      set(options) = n;
      const Outcome o = simulate(scenario_, options);
      EXPECT_TRUE(o.violations.empty()) << "at " << n << ": " << joined(o.violations);
      EXPECT_EQ(o.recorded, 1u) << "at " << n;
      EXPECT_GE(o.faults[kind], 1u) << "at " << n;
    }
  }
  const Scenario scenario_ = reference_scenario();
  const Outcome clean_ = simulate(scenario_, {});
};

TEST_F(Sweep, KilledBeforeEachCommit) {
  sweep(clean_.commits, [](RunOptions& o) -> auto& { return o.kill_before_commit; }, Fault::kKilledBeforeCommit);
}
TEST_F(Sweep, KilledAfterEachCommit) {
  sweep(clean_.commits, [](RunOptions& o) -> auto& { return o.kill_after_commit; }, Fault::kKilledAfterCommit);
}
TEST_F(Sweep, KilledAtEachEffect) {
  sweep(clean_.effects, [](RunOptions& o) -> auto& { return o.kill_at_effect; }, Fault::kKilledInRelease);
}
TEST_F(Sweep, EachCommitFailsOnce) {
  sweep(clean_.commits, [](RunOptions& o) -> auto& { return o.fail_commit; }, Fault::kStoreUnavailable);
}

TEST_F(Sweep, EachOperationOnStoreDiskAndNetworkFailsOnce) {
  ASSERT_GT(clean_.operations, 100u);
  for (std::uint64_t n = 0; n < clean_.operations; ++n) {
    const Outcome o = simulate(scenario_, {.fail_operation = n});
    EXPECT_TRUE(o.violations.empty()) << "at " << n << ": " << joined(o.violations);
    EXPECT_EQ(o.recorded, 1u) << "at " << n;
    EXPECT_GT(o.operations, n);
  }
}

/// 2, 4, 8, 16, 32 s with at most an eighth more, then media_lost.
TEST(Simulation, ReconnectsWithTheSpecifiedDelaysThenGivesUp) {
  Scenario s = reference_scenario();
  s.rooms[0].closes = s.rooms[0].closes + minutes(20);
  for (Guest& g : s.rooms[0].guests) g.out = s.rooms[0].closes;
  s.entries[0].end = s.rooms[0].closes;
  const Instant lost = s.entries[0].start + seconds(90);
  s.faults_end = lost + minutes(30);
  s.end = s.faults_end + hours(1);
  s.troubles.push_back({lost, minutes(10), Fault::kNetworkLost, 0, 0});
  Machine machine(s, {.seed = 7});
  machine.run();
  const auto& attempts = machine.rooms.attempts;
  ASSERT_EQ(attempts.size(), 6u);
  for (std::size_t n = 1; n <= 5; ++n) {
    const std::int64_t base = 1000ll << n;
    const std::int64_t waited = (attempts[n].at - attempts[n - 1].ended).ms;
    EXPECT_GE(waited, base) << n;
    EXPECT_LE(waited, base + base / 8 + 1) << n;
  }
  const auto stored = machine.store.aggregates("meeting", false);
  ASSERT_EQ(stored->size(), 1u);
  EXPECT_NE(stored->front().state.find("\"code\":\"media_lost\""), std::string::npos);
}

/// The wall clock is set in the middle of a meeting, forward and back; the bot reconnects and the daemon starts again while it
/// is wrong. The simulation's own check compares the ledger with what was sent, and each capture's media time with the first.
TEST(Simulation, TheLedgerHoldsWhenTheClockIsSetDuringAMeeting) {
  for (const Fault kind : {Fault::kClockForward, Fault::kClockBack}) {
    for (const Fault after : {Fault::kPacketLoss, Fault::kNetworkLost, Fault::kDaemonKilled}) {
      Scenario s = reference_scenario();
      const Instant begin = s.entries[0].start;
      s.troubles.push_back({begin + seconds(30), seconds(60), kind, 0, 0});
      s.troubles.push_back({begin + seconds(45), seconds(4), after, 0, 0});
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const Outcome o = simulate(s, {.seed = seed});
        EXPECT_TRUE(o.violations.empty()) << enum_name(kind) << ", " << enum_name(after) << ": " << joined(o.violations);
        EXPECT_EQ(o.faults[kind], 1u);
        EXPECT_EQ(o.recorded, 1u);
      }
    }
  }
}

/// The same between the death of one daemon and the start of the next; and over a restart of the machine, when nobody can know
/// how long it was off: then what was captured stays where it is, and what comes after it stands behind it.
TEST(Simulation, TheLedgerHoldsWhenTheClockIsSetWhileNobodyIsThere) {
  for (const Fault kind : {Fault::kClockSetWhileDown, Fault::kMachineRestarted, Fault::kClockSetOverRestart}) {
    Scenario s = reference_scenario();
    s.troubles.push_back({s.entries[0].start + seconds(50), seconds(150), kind, 0, 0});
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const Outcome o = simulate(s, {.seed = seed});
      EXPECT_TRUE(o.violations.empty()) << enum_name(kind) << ", seed " << seed << ": " << joined(o.violations);
      EXPECT_EQ(o.faults[kind], 1u);
      EXPECT_EQ(o.recorded, 1u);
    }
  }
}

}  // namespace
}  // namespace hansard::sim
