// What is told of the end of somebody's presence when nothing was captured then.
#include "core/flow/meeting_testing.h"

namespace hansard::flow::meeting_testing {
namespace {

class HolesTest : public MeetingTest {
 protected:
  /// Ada says something, up to 4 s; at 20 s it is over.
  void say_something() {
    record();
    send(SegmentFinal{"p1", {0}, {4000}, "Hello.", {}});
    advance_to(now_ + seconds(20));
  }
  void come_back() {
    advance_to(now_ + seconds(3));
    send(media(MediaPhase::kInCall));
  }
  void end() {
    send(media(MediaPhase::kEnded));
    send(media(MediaPhase::kLeft));
    ASSERT_EQ(state_.state, Phase::kProcessing);
  }
  /// All rows behind what was said, as "from-to state reason".
  std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const auto& r : all_records<CoverageRecord>()) {
      if (r.interval.start.ms < 4000) continue;
      out.push_back(std::to_string(r.interval.start.ms) + "-" + std::to_string(r.interval.end.ms) + " " +
                    std::string(enum_name(r.interval.state)) + " " + r.interval.reason);
    }
    return out;
  }
  using Rows = std::vector<std::string>;
};

TEST_F(HolesTest, WhoLeftWhileHansardWasNotRunningIsLostUntilThatIsSeen) {
  say_something();
  send(HostStarted{});
  come_back();
  advance_to(now_ + seconds(10));
  const MediaTime seen = all_records<ParticipantRecord>().back().at;
  ASSERT_GT(seen.ms, 23'000);
  EXPECT_EQ(told(), Rows{}) << "audio may still wait";
  end();
  send(SpeechDrained{true});
  EXPECT_EQ(told(), Rows{"4000-" + std::to_string(seen.ms) + " lost daemon"});
}

TEST_F(HolesTest, TheReasonIsThatOfTheHoleNotOfTheNext) {
  say_something();
  send(media(MediaPhase::kLost));
  come_back();
  advance_to(now_ + seconds(10));
  const MediaTime seen = all_records<ParticipantRecord>().back().at;
  send(HostStarted{});
  come_back();
  end();
  send(SpeechDrained{true});
  EXPECT_EQ(told(), Rows{"4000-" + std::to_string(seen.ms) + " lost network"});
}

TEST_F(HolesTest, AMeetingThatEndedWhileHansardWasNotRunningIsLostToItsEnd) {
  say_something();
  const Instant over = state_.timers.at("end");
  now_ = kStart + hours(2);
  send(HostStarted{});
  send(media(MediaPhase::kLeft));
  send(SpeechDrained{true});
  EXPECT_EQ(told(), Rows{"4000-" + std::to_string((over - state_.origin).ms) + " lost daemon"});
}

TEST_F(HolesTest, ARestartWhileLeavingLosesTheRest) {
  say_something();
  send(media(MediaPhase::kEnded));
  ASSERT_EQ(state_.state, Phase::kLeaving);
  send(HostStarted{});
  ASSERT_EQ(state_.state, Phase::kProcessing);
  send(SpeechDrained{true});
  EXPECT_EQ(told(), Rows{"4000-20000 lost daemon"});
}

TEST_F(HolesTest, APauseIsWithheldAlsoWhenNobodySawTheEnd) {
  say_something();
  send(PauseRequested{true, "a person"});
  send(HostStarted{});
  come_back();
  ASSERT_EQ(state_.state, Phase::kPaused);
  advance_to(now_ + seconds(10));
  const MediaTime seen = all_records<ParticipantRecord>().back().at;
  end();
  send(SpeechDrained{true});
  EXPECT_EQ(told(), Rows{"4000-" + std::to_string(seen.ms) + " withheld "});
}

/// What a host knows of the silence after the last sound reaches the store with the recognizer's answers only.
TEST_F(HolesTest, ARestartBeforeTheAnswersForgetsTheSilenceAtTheEnd) {
  say_something();
  send(ParticipantChanged{"p1", "Ada", false, false, MediaTime{19'000}});
  send(GapDetected{{"p1", {18'900}, {19'000}, Coverage::kLost, "leaving"}});
  end();
  send(HostStarted{});
  send(SegmentFinal{"p1", {4000}, {9000}, "More.", {}});
  send(SpeechDrained{true});
  EXPECT_EQ(told(), (Rows{"18900-19000 lost leaving", "4000-9000 transcribed ", "9000-18900 lost daemon"}));
}

/// Its clock is another one, and may be a millisecond ahead.
TEST_F(HolesTest, PresenceIsAsTheHostSays) {
  record();
  send(ParticipantChanged{"p2", "Bob", true, false, MediaTime{1}});
  send(ParticipantChanged{"p2", "Bob", false, false, MediaTime{2}});
  const auto people = all_records<ParticipantRecord>();
  ASSERT_GE(people.size(), 2u);
  EXPECT_EQ(people[people.size() - 2].at.ms, 1);
  EXPECT_EQ(people.back().at.ms, 2);
}

TEST_F(HolesTest, NothingIsAddedWhereTheHostHasSeenTheEnd) {
  say_something();
  send(ParticipantChanged{"p1", "Ada", false, false, MediaTime{19'000}});
  end();
  send(SpeechDrained{true});
  EXPECT_EQ(told(), Rows{});
}

TEST_F(HolesTest, WhoComesAgainIsNotLostBefore) {
  say_something();
  send(HostStarted{});
  come_back();
  advance_to(now_ + seconds(10));
  send(ParticipantChanged{"p1", "Ada", true, false, {}});
  send(GapDetected{{"p1", {4000}, {30'000}, Coverage::kLost, "daemon"}});
  send(SegmentFinal{"p1", {30'000}, {32'000}, "Again.", {}});
  end();
  send(SpeechDrained{true});
  EXPECT_EQ(told(), (Rows{"4000-30000 lost daemon", "30000-32000 transcribed ", "32000-33000 lost leaving"}));
}

TEST_F(HolesTest, AudioThatNobodyTranscribedIsLostForThatReason) {
  say_something();
  end();
  send(SpeechDrained{false});
  advance_to(now_ + hours(73));
  ASSERT_EQ(count_effects<AnalyzeFinal>(), 1u);
  EXPECT_EQ(told(), Rows{"4000-20000 lost recognizer"});
}

}  // namespace
}  // namespace hansard::flow::meeting_testing
