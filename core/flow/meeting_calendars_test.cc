// One meeting in several calendars that do not agree.
#include "core/flow/meeting_testing.h"

namespace hansard::flow {
namespace {

using namespace meeting_testing;

class SharedMeetingTest : public MeetingTest {
 protected:
  void seen(const MeetingSpec& s) { send(MeetingSeen{"m1", s, {}, 7}); }
  /// As ever, and what is asked on the way is answered.
  void advance_to(Instant at) {
    while (true) {
      const auto next = next_deadline(State(state_));
      if (!next || *next > at) break;
      now_ = std::max(now_, *next);
      for (const auto& name : due_timers(State(state_), now_)) send(TimerFired{name});
      if (state_.state == Phase::kValidating) send(Validated{});
      if (state_.state == Phase::kPreparing && !state_.timers.contains("join")) send(Prepared{});
    }
    now_ = at;
  }
  /// From the call to `done`.
  void hold_and_end() {
    advance_to(kStart);
    ASSERT_EQ(state_.state, Phase::kJoining);
    send(media(MediaPhase::kInCall));
    ASSERT_EQ(state_.state, Phase::kRecording);
    now_ = now_ + minutes(3);
  }
  void end() {
    send(media(MediaPhase::kEnded));
    send(media(MediaPhase::kLeft));
    send(SpeechDrained{true});
    send(AnalysisFinished{});
    send(MinutesWritten{{"minutes.md"}});
    send(CleanedUp{});
    ASSERT_EQ(state_.state, Phase::kDone);
  }
  std::vector<ToAggregate> passed_on() const {
    std::vector<ToAggregate> out;
    for (const auto& e : effects_) {
      if (const auto* to = std::get_if<ToAggregate>(&e)) out.push_back(*to);
    }
    return out;
  }
};

TEST_F(SharedMeetingTest, StaysAsLongAsOneOfFiveCalendarsWantsIt) {
  for (const char* c : {"a", "b", "c", "d", "e"}) seen(spec(c));
  send(MeetingGone{"a", "declined"});
  send(MeetingGone{"c", "cancelled"});
  send(MeetingGone{"e", "removed"});
  send(MeetingGone{"b", "calendar removed"});
  EXPECT_EQ(state_.state, Phase::kScheduled);
  EXPECT_EQ(state_.sources, std::vector<std::string>{"d"});
  send(MeetingGone{"a", "declined"});
  EXPECT_EQ(state_.state, Phase::kScheduled) << "a calendar that does not want it has no say";
  advance_to(kStart);
  EXPECT_EQ(state_.state, Phase::kJoining);
  EXPECT_EQ(std::count_if(effects_.begin(), effects_.end(), [](const auto& e) { return std::holds_alternative<StartMedia>(e); }),
            1);
}

TEST_F(SharedMeetingTest, TheLatestChangeCountsWhicheverCalendarShowsItFirst) {
  seen(spec("a"));
  seen(spec("b"));
  seen(spec("b", kStart + hours(2)));
  EXPECT_EQ(state_.spec.start, kStart + hours(2));
  seen(spec("a", kStart + hours(2)));
  EXPECT_EQ(state_.spec.start, kStart + hours(2));
  EXPECT_EQ(state_.sources.size(), 2u);
}

TEST_F(SharedMeetingTest, AFirstWordThatMayBeOldDoesNotOverrule) {
  seen(spec("a", kStart + hours(2)));
  seen(spec("lagging feed", kStart));
  EXPECT_EQ(state_.spec.start, kStart + hours(2));
}

TEST_F(SharedMeetingTest, TheHigherSequenceIsTheNewerVersion) {
  seen(spec("a", kStart, 1));
  seen(spec("b", kStart + hours(2), 2));
  EXPECT_EQ(state_.spec.start, kStart + hours(2)) << "even as a first word";
  MeetingSpec renamed = spec("a", kStart, 1);
  renamed.title = "Old board";
  seen(renamed);
  EXPECT_EQ(state_.spec.start, kStart + hours(2)) << "an old version stays old";
}

TEST_F(SharedMeetingTest, WhenTheSpeakerGoesTheOthersWordCounts) {
  seen(spec("a"));
  seen(spec("b", kStart + hours(1)));
  EXPECT_EQ(state_.spec.start, kStart);
  send(MeetingGone{"a", "removed"});
  EXPECT_EQ(state_.spec.start, kStart + hours(1));
  advance_to(kStart + minutes(5));
  EXPECT_EQ(state_.state, Phase::kScheduled);
}

TEST_F(SharedMeetingTest, WantedAgainWhileItIsCleanedUp) {
  seen(spec("a"));
  send(MeetingGone{"a", "removed"});
  ASSERT_EQ(state_.state, Phase::kCleaning);
  seen(spec("b", kStart + minutes(30)));
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kScheduled);
  EXPECT_EQ(state_.spec.start, kStart + minutes(30));
  send(MeetingGone{"b", "removed"});
  seen(spec("a"));
  send(MeetingGone{"a", "removed"});
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kCancelled) << "the last word was no";
}

TEST_F(SharedMeetingTest, WhatAPersonStoppedIsNotBegunAgainByAnotherCalendar) {
  seen(spec("a"));
  send(StopRequested{"operator"});
  send(CleanedUp{});
  ASSERT_EQ(state_.state, Phase::kCancelled);
  seen(spec("b"));
  EXPECT_EQ(state_.state, Phase::kCancelled);
  seen(spec("a", kStart + hours(1)));
  EXPECT_EQ(state_.state, Phase::kScheduled) << "at another time it is another matter";
}

TEST_F(SharedMeetingTest, AnotherNameOfAMeetingPassesOnWhatItIsTold) {
  send(PlaceTaken{"m0"});  // as the host begins it
  seen(spec("b"));
  send(MeetingGone{"b", "removed"});
  ASSERT_EQ(passed_on().size(), 2u);
  EXPECT_EQ(passed_on()[0].aggregate, "m0");
  EXPECT_EQ(std::get<MeetingSeen>(passed_on()[0].event).id, "m0");
  EXPECT_EQ(std::get<MeetingGone>(passed_on()[1].event).source, "meeting:m1");
  EXPECT_TRUE(finished(State(state_)));
  EXPECT_EQ(state_.state, Phase::kNew);
}

TEST_F(SharedMeetingTest, BehindAnotherItPartsWhenItIsMoved) {
  send(PlaceTaken{"m0"});
  seen(spec("a"));
  seen(spec("b"));
  seen(spec("a", kStart + hours(1)));
  EXPECT_EQ(state_.state, Phase::kScheduled);
  EXPECT_EQ(state_.sources.size(), 2u) << "nothing that it was told is lost";
  const auto last = passed_on().back();
  EXPECT_EQ(last.aggregate, "m0");
  EXPECT_EQ(std::get<MeetingGone>(last.event).source, "meeting:m1");
}

TEST_F(SharedMeetingTest, WhoStandsBehindHasNoSayAboutAnotherPlace) {
  seen(spec("a"));
  MeetingSpec behind = spec("meeting:m2", kStart, 9);
  seen(behind);
  EXPECT_EQ(state_.sources.size(), 2u);
  seen(spec("a", kStart + hours(1), 10));
  ASSERT_EQ(passed_on().size(), 1u) << "it is told to go its own way";
  EXPECT_EQ(passed_on()[0].aggregate, "m2");
  EXPECT_EQ(std::get<PlaceFree>(passed_on()[0].event).by, "m1");
  behind.sequence = 11;
  seen(behind);  // was under way when the two parted
  EXPECT_EQ(state_.spec.start, kStart + hours(1));
  EXPECT_EQ(state_.sources, std::vector<std::string>{"a"});
  EXPECT_EQ(passed_on().size(), 2u);
}

TEST_F(SharedMeetingTest, ABotThatIsThereIsNotCalledBackForAnother) {
  seen(spec("a"));
  hold_and_end();
  send(PlaceTaken{"m0"});
  EXPECT_EQ(state_.state, Phase::kRecording);
  EXPECT_TRUE(state_.behind.empty());
  end();
  EXPECT_FALSE(finished(State(state_))) << "the place is kept";
  advance_to(kStart + hours(26));
  EXPECT_TRUE(finished(State(state_)));
}

TEST_F(SharedMeetingTest, AMeetingThatWasHeldAndIsMovedIsFollowedByAnother) {
  seen(spec("a"));
  hold_and_end();
  end();
  seen(spec("a", kStart + hours(24)));
  EXPECT_EQ(state_.state, Phase::kDone);
  ASSERT_EQ(passed_on().size(), 1u);
  const std::string successor = passed_on()[0].aggregate;
  EXPECT_NE(successor, "m1");
  EXPECT_EQ(std::get<MeetingSeen>(passed_on()[0].event).spec.start, kStart + hours(24));
  seen(spec("b", kStart + hours(24)));
  send(MeetingGone{"a", "cancelled"});
  ASSERT_EQ(passed_on().size(), 3u);
  EXPECT_EQ(passed_on()[1].aggregate, successor) << "one bot there too";
  EXPECT_EQ(passed_on()[2].aggregate, successor);
}

TEST_F(SharedMeetingTest, MovedToTomorrowWhileItIsHeld) {
  seen(spec("a"));
  hold_and_end();
  seen(spec("a", kStart + hours(24)));
  EXPECT_EQ(state_.state, Phase::kRecording);
  EXPECT_EQ(state_.spec.end, kStart + minutes(30)) << "this one still ends";
  end();
  ASSERT_EQ(passed_on().size(), 1u);
  EXPECT_EQ(std::get<MeetingSeen>(passed_on()[0].event).spec.start, kStart + hours(24));
}

TEST_F(SharedMeetingTest, AShortMoveOfARunningMeetingMakesNoSecondBot) {
  seen(spec("a"));
  hold_and_end();
  seen(spec("a", kStart + minutes(5)));
  EXPECT_EQ(state_.spec.end, kStart + minutes(35));
  now_ = kStart + minutes(35);
  end();
  EXPECT_TRUE(passed_on().empty());
}

}  // namespace
}  // namespace hansard::flow
