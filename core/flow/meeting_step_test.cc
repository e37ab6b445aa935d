#include "core/flow/meeting_testing.h"

namespace hansard::flow {
namespace {

using namespace meeting_testing;

TEST_F(MeetingTest, GoesFromACalendarToMinutes) {
  record();
  send(SegmentFinal{"p1", {0}, {900}, "Hello, I will send the report.", {}});
  send(media(MediaPhase::kEnded));
  EXPECT_EQ(state_.state, Phase::kLeaving);
  send(media(MediaPhase::kLeft));
  EXPECT_EQ(state_.state, Phase::kProcessing);
  finish();
  EXPECT_EQ(state_.state, Phase::kDone);
  EXPECT_EQ(state_.timers.size(), state_.timers.count("place")) << "only its place is kept";
  ASSERT_EQ(all_records<UtteranceRecord>().size(), 1u);
  EXPECT_EQ(all_records<UtteranceRecord>()[0].utterance.speaker, "Ada");
  ASSERT_EQ(all_records<TaskRecord>().size(), 1u);
  EXPECT_EQ(all_records<TaskRecord>()[0].state, "held");
  std::vector<std::string> path;
  for (const auto& r : all_records<StateRecord>()) {
    if (path.empty() || path.back() != enum_name(r.state)) path.emplace_back(enum_name(r.state));
  }
  EXPECT_EQ(path, (std::vector<std::string>{"scheduled", "validating", "preparing", "joining", "in_call", "recording", "leaving",
                                            "processing", "distributing", "cleaning", "done"}));
}

TEST_F(MeetingTest, RemovesTheJoinContextInCleaning) {
  see();
  advance_to(kStart - minutes(10));
  send(Validated{});
  ASSERT_EQ(last_.context.size(), 1u);
  EXPECT_EQ(last_.context[0].key, "meeting:m1:context");
  EXPECT_FALSE(last_.context[0].value.empty());
  send(StopRequested{"Ada"});
  ASSERT_EQ(last_.context.size(), 1u);
  EXPECT_TRUE(last_.context[0].value.empty());
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kCancelled);
}

TEST_F(MeetingTest, ReconnectsWithTheSpecifiedDelaysThenGivesUp) {
  record();
  const std::int64_t base[] = {2000, 4000, 8000, 16000, 32000};
  for (int attempt = 0; attempt < 5; ++attempt) {
    const std::uint32_t epoch = state_.epoch;
    const Instant lost_at = now_;
    send(media(MediaPhase::kLost));
    ASSERT_EQ(state_.state, Phase::kReconnecting) << attempt;
    const Duration delay = state_.timers.at("reconnect") - lost_at;
    EXPECT_GE(delay.ms, base[attempt]);
    EXPECT_LE(delay.ms, base[attempt] * 9 / 8);
    advance_to(lost_at + delay);
    EXPECT_EQ(state_.epoch, epoch + 1);
  }
  send(media(MediaPhase::kLost));
  EXPECT_EQ(state_.state, Phase::kLeaving);
  EXPECT_EQ(state_.code, FailureCode::kMediaLost);
  send(media(MediaPhase::kLeft));
  EXPECT_EQ(state_.state, Phase::kProcessing) << "what was recorded is not thrown away";
}

TEST_F(MeetingTest, ForgetsAttemptsAfterAMinuteInTheCall) {
  record();
  send(media(MediaPhase::kLost));
  advance_to(now_ + seconds(3));
  send(media(MediaPhase::kInCall));
  EXPECT_EQ(state_.attempts, 1);
  advance_to(now_ + seconds(61));
  EXPECT_EQ(state_.attempts, 0);
}

TEST_F(MeetingTest, IgnoresReportsOfOlderAttempts) {
  record();
  MediaReport old = media(MediaPhase::kEnded);
  old.epoch -= 1;
  send(old);
  EXPECT_TRUE(last_.empty());
  EXPECT_EQ(state_.state, Phase::kRecording);
}

TEST_F(MeetingTest, TakesTheMeetingUpAgainAfterARestart) {
  record();
  send(SegmentFinal{"p1", {0}, {4000}, "Hello.", {}});
  advance_to(now_ + seconds(20));
  send(HostStarted{});
  ASSERT_EQ(state_.state, Phase::kReconnecting);
  advance_to(now_);
  ASSERT_NE(last_effect<StartMedia>(), nullptr);
  EXPECT_EQ(last_effect<StartMedia>()->epoch, state_.epoch);
  EXPECT_EQ(state_.attempts, 0);
  const Instant origin = state_.origin;
  send(media(MediaPhase::kInCall));
  ASSERT_EQ(state_.state, Phase::kRecording);
  EXPECT_EQ(state_.origin, origin);
  EXPECT_EQ(last_effect<StartCapture>()->gap_reason, "daemon");
  EXPECT_EQ(last_effect<StartCapture>()->cursors.at(0).covered_until.ms, 4000);
}

TEST_F(MeetingTest, DropsRepeatedFinalsAndCutsOverlaps) {
  record();
  send(SegmentFinal{"p1", {0}, {4000}, "Hello.", {}});
  send(SegmentFinal{"p1", {0}, {4000}, "Hello.", {}});
  EXPECT_EQ(all_records<UtteranceRecord>().size(), 1u);
  send(SegmentFinal{"p1", {3900}, {6000}, "Next.", {}});
  ASSERT_EQ(all_records<UtteranceRecord>().size(), 2u);
  EXPECT_EQ(all_records<UtteranceRecord>()[1].utterance.start.ms, 4000);
}

TEST_F(MeetingTest, LeavesWhenAloneOnlyAfterSomebodyCame) {
  prepare();
  advance_to(kStart);
  send(media(MediaPhase::kInCall));
  advance_to(kStart + minutes(10));
  EXPECT_EQ(state_.state, Phase::kRecording) << "waiting for people to come";
  send(ParticipantChanged{"p1", "Ada", true, false, {}});
  send(ParticipantChanged{"p1", "Ada", false, false, {}});
  advance_to(now_ + seconds(59));
  EXPECT_EQ(state_.state, Phase::kRecording);
  advance_to(now_ + seconds(2));
  EXPECT_EQ(state_.state, Phase::kLeaving);
}

TEST_F(MeetingTest, LeavesWhenOnlyBotsAreLeft) {
  record();
  send(ParticipantChanged{"p2", "Notetaker", true, true, {}});
  send(ParticipantChanged{"p1", "Ada", false, false, {}});
  advance_to(now_ + seconds(61));
  EXPECT_EQ(state_.state, Phase::kLeaving);
}

TEST_F(MeetingTest, LeavesAfterLongSilenceAndAfterTheEnd) {
  record();
  advance_to(kStart + minutes(5));
  send(SegmentFinal{"p1", {290'000}, {300'000}, "Still here.", {}});
  advance_to(kStart + minutes(14));
  EXPECT_EQ(state_.state, Phase::kRecording);
  advance_to(kStart + minutes(15) + seconds(1));
  EXPECT_EQ(state_.state, Phase::kLeaving);
  EXPECT_NE(state_.note.find("nobody spoke"), std::string::npos);
}

TEST_F(MeetingTest, GivesUpInTheWaitingRoom) {
  prepare();
  advance_to(kStart);
  send(media(MediaPhase::kWaitingRoom));
  EXPECT_EQ(state_.state, Phase::kInWaitingRoom);
  advance_to(kStart + minutes(14));
  EXPECT_EQ(state_.state, Phase::kInWaitingRoom);
  advance_to(kStart + minutes(15));
  send(media(MediaPhase::kLeft));
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kFailed);
  EXPECT_EQ(state_.code, FailureCode::kWaitingRoomTimeout);
}

TEST_F(MeetingTest, WaitsForAMeetingThatIsNotThereYet) {
  prepare();
  advance_to(kStart);
  MediaReport r = media(MediaPhase::kRefused);
  r.code = FailureCode::kMeetingNotFound;
  send(r);
  EXPECT_EQ(state_.state, Phase::kJoining);
  advance_to(now_ + seconds(5));
  EXPECT_EQ(count_effects<StartMedia>(), 2u);
  now_ = kStart + minutes(16);
  r.epoch = state_.epoch;
  send(r);
  EXPECT_EQ(state_.code, FailureCode::kNotStarted);
}

TEST_F(MeetingTest, RecordsNothingWhenNobodyCanBeTold) {
  prepare();
  advance_to(kStart);
  MediaReport r = media(MediaPhase::kInCall);
  r.announced.clear();
  send(r);
  EXPECT_EQ(state_.code, FailureCode::kRecordingNotAllowed);
  EXPECT_EQ(count_effects<StartCapture>(), 0u);
}

TEST_F(MeetingTest, PausesAndResumes) {
  record();
  send(PauseRequested{true, "Ada"});
  EXPECT_EQ(state_.state, Phase::kPaused);
  EXPECT_EQ(count_effects<PauseCapture>(), 1u);
  send(media(MediaPhase::kLost));
  advance_to(now_ + seconds(3));
  send(media(MediaPhase::kInCall));
  EXPECT_EQ(state_.state, Phase::kPaused) << "a pause holds over a reconnection";
  send(PauseRequested{false, "Ada"});
  EXPECT_EQ(state_.state, Phase::kRecording);
  EXPECT_EQ(last_effect<StartCapture>()->gap_reason, "paused");
}

TEST_F(MeetingTest, FollowsAMeetingThatMoves) {
  prepare();
  send(MeetingSeen{"m1", spec("work", kStart + hours(1)), {}, 7});
  EXPECT_EQ(state_.state, Phase::kScheduled);
  advance_to(kStart + minutes(30));
  EXPECT_EQ(count_effects<StartMedia>(), 0u);
  advance_to(kStart + minutes(50));
  EXPECT_EQ(state_.state, Phase::kValidating);
}

TEST_F(MeetingTest, FollowsAMeetingThatMovesWhileTheBotWaits) {
  prepare();
  advance_to(kStart);
  send(media(MediaPhase::kWaitingRoom));
  send(MeetingSeen{"m1", spec("work", kStart + hours(1)), {}, 7});
  EXPECT_EQ(state_.state, Phase::kLeaving);
  send(media(MediaPhase::kLeft));
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kScheduled);
  advance_to(kStart + minutes(50));
  EXPECT_EQ(state_.state, Phase::kValidating);
}

TEST_F(MeetingTest, IsCancelledOnlyWhenNoCalendarWantsIt) {
  see();
  MeetingSpec other = spec();
  other.source = "home";
  send(MeetingSeen{"m1", other, {}, 7});
  send(MeetingGone{"work", "declined"});
  EXPECT_EQ(state_.state, Phase::kScheduled);
  send(MeetingGone{"home", "cancelled"});
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kCancelled);
  send(MeetingSeen{"m1", spec(), {}, 7});
  EXPECT_EQ(state_.state, Phase::kScheduled) << "a cancellation can be taken back";
}

TEST_F(MeetingTest, SaysThatItMissedAMeeting) {
  see();
  now_ = kStart + minutes(31);
  for (const auto& name : due_timers(State(state_), now_)) send(TimerFired{name});
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kFailed);
  EXPECT_EQ(state_.code, FailureCode::kMissed);
}

TEST_F(MeetingTest, WaitsForARecognizerAndThenTranscribes) {
  record();
  send(media(MediaPhase::kEnded));
  send(media(MediaPhase::kLeft));
  send(SpeechDrained{false});
  EXPECT_EQ(state_.state, Phase::kProcessing);
  EXPECT_NE(state_.note.find("no speech recognizer"), std::string::npos);
  const std::size_t drains = count_effects<DrainSpeech>();
  send(RecognizerReady{});
  EXPECT_EQ(count_effects<DrainSpeech>(), drains + 1);
  send(SegmentFinal{"p1", {0}, {900}, "Hello.", {}});
  finish();
  EXPECT_EQ(state_.state, Phase::kDone);
  EXPECT_EQ(all_records<UtteranceRecord>().size(), 1u);
}

TEST_F(MeetingTest, StateDoesNotGrowWithTheMeeting) {
  record();
  std::size_t early = 0;
  for (int i = 0; i < 10'000; ++i) {
    send(SegmentFinal{"p1", {i * 1000}, {i * 1000 + 900}, "Words and words.", {}});
    if (i == 10) early = json_text(State(state_)).size();
  }
  EXPECT_LT(json_text(State(state_)).size(), early + 32);
}

}  // namespace
}  // namespace hansard::flow
