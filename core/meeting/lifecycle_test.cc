#include "core/meeting/lifecycle.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "core/meeting/policy.h"

namespace hansard::meeting {
namespace {

TEST(Lifecycle, HasOneRowForEachStateAndTrigger) {
  std::set<std::pair<State, Trigger>> seen;
  for (const auto& t : transitions())
    EXPECT_TRUE(seen.insert({t.from, t.trigger}).second) << enum_name(t.from) << " " << enum_name(t.trigger);
}

TEST(Lifecycle, EveryStateIsReachedAndEveryLivingStateCanEnd) {
  std::set<State> reached{State::kNew};
  for (std::size_t round = 0; round < transitions().size(); ++round) {
    for (const auto& t : transitions()) {
      if (reached.contains(t.from)) reached.insert(t.to);
    }
  }
  std::set<State> ending{State::kDone, State::kFailed, State::kCancelled};
  for (std::size_t round = 0; round < transitions().size(); ++round) {
    for (const auto& t : transitions()) {
      if (ending.contains(t.to)) ending.insert(t.from);
    }
  }
  for (const auto& n : enum_names(State{})) {
    EXPECT_TRUE(reached.contains(n.value)) << n.name;
    EXPECT_TRUE(ending.contains(n.value)) << n.name;
  }
}

TEST(Lifecycle, DiagramInArchitectureIsGeneratedFromTheTable) {
  std::ifstream file("ARCHITECTURE.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(lifecycle_diagram()), std::string::npos) << "put this into ARCHITECTURE.md:\n" << lifecycle_diagram();
}

TEST(Lifecycle, EveryFailureSaysWhatToDo) {
  for (const auto& n : enum_names(FailureCode{})) {
    if (n.value == FailureCode::kNone) continue;
    EXPECT_FALSE(failure_advice(n.value).empty()) << n.name;
  }
}

TEST(Lifecycle, NoFailureNeedsNoAdviceAndUnknownNamesAreNone) {
  EXPECT_EQ(failure_advice(FailureCode::kNone), "");
  EXPECT_EQ(failure_advice(static_cast<FailureCode>(250)), "");
  EXPECT_EQ(enum_name(static_cast<State>(250)), "unknown");
  EXPECT_FALSE(enum_value<State>("asleep"));
  EXPECT_FALSE(next(State::kDone, Trigger::kRescheduled)) << "what was held is not held again";
}

TEST(Lifecycle, WhatStatesMean) {
  for (const auto& n : enum_names(State{})) {
    EXPECT_EQ(is_final(n.value), n.name == "done" || n.name == "failed" || n.name == "cancelled") << n.name;
    EXPECT_EQ(in_call(n.value), n.name == "in_call" || n.name == "recording" || n.name == "paused") << n.name;
    const bool media = n.name == "joining" || n.name == "in_waiting_room" || in_call(n.value) || n.name == "reconnecting";
    EXPECT_EQ(wants_media(n.value), media) << n.name;
  }
}

TEST(ReconnectDelay, FollowsTheSpecification) {
  Prng prng(3);
  const std::int64_t base[] = {2000, 4000, 8000, 16000, 32000};
  for (int attempt = 1; attempt <= 5; ++attempt) {
    for (int i = 0; i < 200; ++i) {
      const auto d = reconnect_delay(attempt, {}, prng);
      EXPECT_GE(d.ms, base[attempt - 1]);
      EXPECT_LE(d.ms, base[attempt - 1] * 9 / 8);
    }
  }
  EXPECT_EQ(reconnect_delay(1, seconds(90), prng), seconds(90));
}

}  // namespace
}  // namespace hansard::meeting
