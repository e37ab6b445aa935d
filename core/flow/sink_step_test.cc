#include <gtest/gtest.h>

#include <functional>

#include "core/flow/step.h"

namespace hansard::flow {
namespace {

using tasks::Answer;
using tasks::Outcome;
using tasks::SinkClass;

/// A sink's aggregate with a clock, and what it did.
class SinkTest : public ::testing::Test {
 protected:
  void configure(SinkClass kind, int per_minute = 100, int max_attempts = 4) {
    SinkConfigured e;
    e.settings = {"board", kind, per_minute, max_attempts};
    e.seed = 7;
    apply(e);
  }
  void apply(const Event& event) {
    for (Effect& effect : step(state_, event, now_).effects) {
      if (const auto* send = std::get_if<SendTask>(&effect)) sent_.push_back(*send);
      if (const auto* find = std::get_if<FindTask>(&effect)) looked_.push_back(*find);
      if (const auto* to = std::get_if<ToAggregate>(&effect)) told_.push_back(std::get<TaskDelivered>(to->event));
    }
  }
  void want(const std::string& key, const std::string& meeting = "m1") {
    TaskWanted e;
    e.sink = "board";
    e.task.key = key;
    e.task.meeting = meeting;
    e.task.item.id = "a-" + key;
    apply(e);
  }
  void answer(Outcome outcome, Duration retry_after = {}) {
    ASSERT_FALSE(sent_.empty());
    const SendTask s = sent_.back();
    apply(TaskAnswered{s.task.key, s.attempt, Answer{outcome, "because", retry_after}});
  }
  /// To the next timer.
  bool wait() {
    const auto at = next_deadline(State(state_));
    if (!at) return false;
    now_ = std::max(now_, *at);
    apply(TimerFired{"send"});
    return true;
  }

  SinkState state_;
  Instant now_{1'700'000'000'000};
  std::vector<SendTask> sent_;
  std::vector<FindTask> looked_;
  std::vector<TaskDelivered> told_;
};

TEST_F(SinkTest, TheAttemptIsOnRecordInTheCommitThatReleasesIt) {
  configure(SinkClass::kIdempotent);
  want("k1");
  ASSERT_EQ(sent_.size(), 1u);
  EXPECT_EQ(sent_[0].attempt, 1);
  EXPECT_EQ(state_.deliveries[0].state, DeliveryState::kSending);
  EXPECT_EQ(state_.deliveries[0].attempts, 1);
  answer(Outcome::kAccepted);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].state, "delivered");
  EXPECT_EQ(told_[0].item, "a-k1");
  EXPECT_TRUE(state_.deliveries.empty());
  EXPECT_FALSE(next_deadline(State(state_)));
}

TEST_F(SinkTest, NothingIsSentUntilTheSinkIsConfigured) {
  want("k1");
  EXPECT_TRUE(sent_.empty());
  EXPECT_FALSE(next_deadline(State(state_)));
  configure(SinkClass::kIdempotent);
  EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(SinkTest, TheSameTaskTwiceIsOneDelivery) {
  configure(SinkClass::kIdempotent);
  want("k1");
  want("k1");
  EXPECT_EQ(state_.deliveries.size(), 1u);
  EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(SinkTest, AnIdempotentSinkGetsTheSameKeyAgainAfterAnUnknownOutcome) {
  configure(SinkClass::kIdempotent);
  want("k1");
  answer(Outcome::kUnknown);
  ASSERT_TRUE(wait());
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_EQ(sent_[1].task.key, "k1");
  EXPECT_EQ(sent_[1].attempt, 2);
  EXPECT_EQ(sent_[1].created, sent_[0].created);
}

TEST_F(SinkTest, AFindableSinkIsAskedBeforeItGetsTheTaskAgain) {
  configure(SinkClass::kFindable);
  want("k1");
  answer(Outcome::kUnknown);
  ASSERT_EQ(looked_.size(), 1u);
  EXPECT_EQ(sent_.size(), 1u);
  apply(TaskFound{"k1", 1, Answer{Outcome::kAccepted, {}, {}}, true});
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].state, "delivered");
  want("k2");
  answer(Outcome::kUnknown);
  apply(TaskFound{"k2", 1, Answer{Outcome::kAccepted, {}, {}}, false});
  ASSERT_TRUE(wait());
  EXPECT_EQ(sent_.back().attempt, 2);
}

TEST_F(SinkTest, ALookUpWithoutAnAnswerIsMadeAgainAndNothingIsSentMeanwhile) {
  configure(SinkClass::kFindable);
  want("k1");
  answer(Outcome::kUnknown);
  apply(TaskFound{"k1", 1, Answer{Outcome::kUnknown, "down", {}}, false});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(wait());
  EXPECT_GE(looked_.size(), 4u);
  EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(SinkTest, AnOpaqueSinkNeverGetsATaskTwiceByItself) {
  configure(SinkClass::kOpaque);
  want("k1");
  answer(Outcome::kUnknown);
  EXPECT_FALSE(next_deadline(State(state_)));
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].state, "dead");
  apply(HostStarted{});
  configure(SinkClass::kOpaque);
  EXPECT_EQ(sent_.size(), 1u);
  apply(TaskDecided{"k1", true});
  EXPECT_EQ(sent_.size(), 2u);
  answer(Outcome::kAccepted);
  EXPECT_EQ(told_.back().state, "delivered");
}

TEST_F(SinkTest, ARestartWhileSendingIsAnUnknownOutcome) {
  configure(SinkClass::kOpaque);
  want("k1");
  apply(HostStarted{});
  EXPECT_EQ(sent_.size(), 1u);
  EXPECT_EQ(state_.deliveries[0].state, DeliveryState::kDead);
}

TEST_F(SinkTest, NoConnectionIsNoUnknownOutcome) {
  configure(SinkClass::kOpaque);
  want("k1");
  answer(Outcome::kUnavailable);
  ASSERT_TRUE(wait());
  EXPECT_EQ(sent_.size(), 2u);
}

TEST_F(SinkTest, AnAnswerToAnOlderAttemptMeansNothing) {
  configure(SinkClass::kIdempotent);
  want("k1");
  const SendTask first = sent_.back();
  answer(Outcome::kUnknown);
  ASSERT_TRUE(wait());
  apply(TaskAnswered{"k1", first.attempt, Answer{Outcome::kRefused, "late", {}}});
  EXPECT_EQ(state_.deliveries[0].state, DeliveryState::kSending);
}

TEST_F(SinkTest, NoAnswerAtAllEndsByItself) {
  configure(SinkClass::kIdempotent, 100, 3);
  want("k1");
  for (int i = 0; i < 20 && wait(); ++i) {
  }
  EXPECT_EQ(sent_.size(), 3u);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].state, "dead");
}

TEST_F(SinkTest, RetryAfterPausesTheWholeSinkAndIsNoAttempt) {
  configure(SinkClass::kIdempotent);
  want("k1", "m1");
  answer(Outcome::kBusy, minutes(10));
  want("k2", "m2");
  EXPECT_EQ(sent_.size(), 1u);
  const Instant before = now_;
  ASSERT_TRUE(wait());
  EXPECT_GE(now_ - before, minutes(10));
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_EQ(sent_[1].attempt, 1);
}

TEST_F(SinkTest, ATaskThatMetABusySinkGoesAsSoonAsThePauseIsOver) {
  configure(SinkClass::kIdempotent);
  want("k1");
  const Instant before = now_;
  answer(Outcome::kBusy, seconds(7));
  ASSERT_TRUE(wait());
  EXPECT_EQ(now_ - before, seconds(7));
  EXPECT_EQ(sent_.size(), 2u);
}

TEST_F(SinkTest, TheFirstBackoffIsFiveSecondsAndEachOneIsTwiceTheOneBefore) {
  configure(SinkClass::kIdempotent, 100, 5);
  want("k1");
  for (const Duration least : {seconds(5), seconds(10), seconds(20)}) {
    const Instant before = now_;
    answer(Outcome::kUnknown);
    ASSERT_TRUE(wait());
    EXPECT_GE(now_ - before, least);
    EXPECT_LE(now_ - before, Duration{least.ms + least.ms / 8});
  }
}

TEST_F(SinkTest, AfterARestartNothingGoesToASinkThatIsNotConfiguredAnyMore) {
  configure(SinkClass::kIdempotent);
  want("k1");
  answer(Outcome::kUnknown);
  now_ = now_ + hours(1);  // its turn comes while no program runs
  apply(HostStarted{});
  EXPECT_EQ(sent_.size(), 1u);
  configure(SinkClass::kIdempotent);
  EXPECT_EQ(sent_.size(), 2u);
}

TEST_F(SinkTest, TasksOfOneMeetingGoInOrderAndADeadOneLetsTheNextThrough) {
  configure(SinkClass::kIdempotent);
  want("k1");
  want("k2");
  want("k3", "m2");
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_EQ(sent_[0].task.key, "k1");
  EXPECT_EQ(sent_[1].task.key, "k3");
  apply(TaskAnswered{"k1", 1, Answer{Outcome::kRefused, "no such list", {}}});
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_EQ(sent_[2].task.key, "k2");
  EXPECT_EQ(told_[0].state, "dead");
  EXPECT_EQ(told_[0].detail, "no such list");
}

TEST_F(SinkTest, TheBudgetOfAMinuteHolds) {
  configure(SinkClass::kIdempotent, 3);
  const Instant start = now_;
  for (int i = 0; i < 9; ++i) want("k" + std::to_string(i), "m" + std::to_string(i));
  int answered = 0;
  for (std::size_t done = 0; done < 9;) {
    while (done < sent_.size()) {
      const SendTask s = sent_[done++];
      apply(TaskAnswered{s.task.key, s.attempt, Answer{Outcome::kAccepted, {}, {}}});
      ++answered;
    }
    if (done == 9) break;
    ASSERT_TRUE(wait());
  }
  EXPECT_EQ(answered, 9);
  EXPECT_GE(now_ - start, minutes(2));
  EXPECT_LT(now_ - start, minutes(4));
}

TEST_F(SinkTest, APersonMayDropADeadLetter) {
  configure(SinkClass::kIdempotent);
  want("k1");
  answer(Outcome::kRefused);
  apply(TaskDecided{"k1", false});
  EXPECT_EQ(told_.back().state, "discarded");
  EXPECT_TRUE(state_.deliveries.empty());
}

TEST_F(SinkTest, FourAreOnTheirWayAtOnceAndAnAnswerLetsTheNextGo) {
  configure(SinkClass::kIdempotent);
  for (int i = 0; i < 6; ++i) want("k" + std::to_string(i), "m" + std::to_string(i));
  ASSERT_EQ(sent_.size(), 4u);
  apply(TaskAnswered{"k2", 1, Answer{Outcome::kAccepted, {}, {}}});
  ASSERT_EQ(sent_.size(), 5u);
  EXPECT_EQ(sent_.back().task.key, "k4");
}

TEST_F(SinkTest, OneThatIsAskedForCountsAsOnItsWay) {
  configure(SinkClass::kFindable);
  for (int i = 0; i < 4; ++i) want("k" + std::to_string(i), "m" + std::to_string(i));
  for (int i = 0; i < 4; ++i) apply(TaskAnswered{"k" + std::to_string(i), 1, Answer{Outcome::kUnknown, "down", {}}});
  EXPECT_EQ(looked_.size(), 4u);
  want("k9", "m9");
  EXPECT_EQ(sent_.size(), 4u);
}

TEST_F(SinkTest, MoreThanTheLimitIsToldAndNotTakenIn) {
  for (int i = 0; i < 2'000; ++i) want("k" + std::to_string(i));  // not configured: nothing is sent
  EXPECT_TRUE(told_.empty());
  want("one more");
  EXPECT_EQ(state_.deliveries.size(), 2'000u);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].task, "one more");
  EXPECT_EQ(told_[0].state, "dead");
  EXPECT_EQ(told_[0].detail, "too many tasks wait for this sink");
}

TEST_F(SinkTest, AfterARestartALookUpIsMadeAtOnce) {
  configure(SinkClass::kFindable);
  want("k1");
  answer(Outcome::kUnknown);
  ASSERT_EQ(looked_.size(), 1u);
  apply(HostStarted{});
  EXPECT_EQ(looked_.size(), 2u) << "asking changes nothing there";
  want("k2", "m2");
  configure(SinkClass::kFindable);
  apply(HostStarted{});  // while k2 is being sent
  EXPECT_EQ(looked_.size(), 4u);
  EXPECT_EQ(sent_.size(), 2u);
}

TEST_F(SinkTest, WhatNobodyWaitsForMeansNothing) {
  configure(SinkClass::kFindable);
  want("k1");
  const std::string before = json_text(State(state_));
  apply(TaskAnswered{"other", 1, Answer{Outcome::kAccepted, {}, {}}});
  apply(TaskAnswered{"k1", 2, Answer{Outcome::kAccepted, {}, {}}});
  apply(TaskFound{"k1", 1, Answer{Outcome::kAccepted, {}, {}}, true});  // it was not asked
  apply(TaskFound{"other", 1, Answer{Outcome::kAccepted, {}, {}}, true});
  apply(TaskDecided{"k1", true});  // no dead letter
  apply(TaskDecided{"other", false});
  apply(TimerFired{"tea"});
  apply(TimerFired{"send"});  // not due
  apply(MeetingSeen{});
  EXPECT_EQ(json_text(State(state_)), before);
  EXPECT_TRUE(told_.empty());
  answer(Outcome::kUnknown);
  apply(TaskFound{"k1", 7, Answer{Outcome::kAccepted, {}, {}}, true});  // of another attempt
  EXPECT_TRUE(told_.empty());
}

TEST_F(SinkTest, AnAnswerThatComesAfterItCountedAsNoneIsNotTaken) {
  configure(SinkClass::kOpaque);
  want("k1");
  ASSERT_TRUE(wait());  // two minutes without an answer
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_NE(told_[0].detail.find("no answer came; it may have arrived"), std::string::npos);
  answer(Outcome::kAccepted);
  EXPECT_EQ(told_.size(), 1u) << "a person decides";
}

TEST_F(SinkTest, AClockThatIsSetChangesNoWait) {
  configure(SinkClass::kIdempotent);
  want("k1");
  answer(Outcome::kBusy, minutes(10));
  const Duration left = *next_deadline(State(state_)) - now_;
  for (const Duration by : {hours(5), hours(-7)}) {
    now_ = now_ + by;
    apply(ClockMoved{by});
    EXPECT_EQ(sent_.size(), 1u);
    EXPECT_EQ(*next_deadline(State(state_)) - now_, left);
  }
  ASSERT_TRUE(wait());
  EXPECT_EQ(sent_.size(), 2u);
}

TEST_F(SinkTest, StateSurvivesItsJson) {
  configure(SinkClass::kFindable);
  want("k1");
  answer(Outcome::kUnknown);
  const auto back = from_json<State>(to_json(State(state_)));
  ASSERT_TRUE(back);
  EXPECT_EQ(json_text(*back), json_text(State(state_)));
}

}  // namespace
}  // namespace hansard::flow
