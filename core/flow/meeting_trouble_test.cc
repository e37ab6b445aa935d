// A meeting when something goes otherwise: late answers, restarts, refusals, a full disk, a clock that is set.
#include "core/flow/meeting_testing.h"

namespace hansard::flow {
namespace {

using namespace meeting_testing;

TEST_F(MeetingTest, OneAttemptIsNotLostTwice) {
  prepare();
  advance_to(kStart);
  advance_to(kStart + seconds(30));
  ASSERT_EQ(state_.state, Phase::kReconnecting) << "no answer came";
  ASSERT_EQ(state_.attempts, 1);
  const Instant planned = state_.timers.at("reconnect");
  send(media(MediaPhase::kLost));  // its own word for it, later
  EXPECT_EQ(state_.attempts, 1);
  EXPECT_EQ(state_.timers.at("reconnect"), planned);
  MediaReport busy = media(MediaPhase::kLost);
  busy.retry_after = minutes(2);
  send(busy);
  EXPECT_EQ(state_.attempts, 1);
  EXPECT_EQ(state_.timers.at("reconnect"), now_ + minutes(2)) << "what the other side asks for is obeyed all the same";
}

TEST_F(MeetingTest, AnAnswerThatComesLateKeepsTheBotInTheWaitingRoom) {
  prepare();
  advance_to(kStart);
  advance_to(kStart + seconds(30));
  ASSERT_EQ(state_.state, Phase::kReconnecting) << "no answer came";
  send(media(MediaPhase::kWaitingRoom));
  EXPECT_EQ(state_.state, Phase::kInWaitingRoom);
  advance_to(now_ + minutes(5));
  EXPECT_EQ(count_effects<StartMedia>(), 1u) << "who waits does not come in a second time";
}

TEST_F(MeetingTest, WaitsAgainWhenTheRoomIsClosedAndOpenedWhileItWaits) {
  prepare();
  advance_to(kStart);
  send(media(MediaPhase::kWaitingRoom));
  MediaReport r = media(MediaPhase::kRefused);
  r.code = FailureCode::kMeetingNotFound;
  send(r);
  advance_to(now_ + seconds(5));
  ASSERT_EQ(count_effects<StartMedia>(), 2u);
  send(media(MediaPhase::kWaitingRoom));
  advance_to(now_ + minutes(5));
  EXPECT_EQ(state_.state, Phase::kInWaitingRoom) << "an answer came: " << state_.note;
  EXPECT_EQ(state_.attempts, 0);
}

TEST_F(MeetingTest, AStopHoldsForAMeetingThatIsOnItsWayOutToComeInAgain) {
  prepare();
  advance_to(kStart);
  send(media(MediaPhase::kWaitingRoom));
  send(MeetingSeen{"m1", spec("work", kStart + hours(1)), {}, 7});
  ASSERT_EQ(state_.state, Phase::kLeaving);
  send(StopRequested{"Ada"});
  EXPECT_EQ(all_records<StateRecord>().back().note, "stopped by Ada");
  send(media(MediaPhase::kLeft));
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kCancelled);
}

TEST_F(MeetingTest, HandsEachTaskToEachSinkUnderAKeyOfItsOwn) {
  now_ = kStart - minutes(60);
  MeetingSettings settings;
  settings.sinks = {"board", "mail"};
  send(MeetingSeen{"m1", spec(), settings, 7});
  advance_to(kStart - minutes(10));
  send(Validated{});
  send(Prepared{});
  advance_to(kStart);
  send(media(MediaPhase::kInCall));
  send(media(MediaPhase::kEnded));
  send(media(MediaPhase::kLeft));
  finish();
  ASSERT_EQ(count_effects<ToAggregate>(), 2u);
  EXPECT_EQ(count_effects<HoldTask>(), 0u);
  std::vector<std::string> keys;
  for (const auto& e : effects_) {
    const auto* to = std::get_if<ToAggregate>(&e);
    if (to == nullptr) continue;
    const auto& wanted = std::get<TaskWanted>(to->event);
    EXPECT_EQ(to->aggregate, "sink:" + wanted.sink);
    EXPECT_EQ(wanted.task.meeting, "m1");
    EXPECT_EQ(wanted.task.key.size(), 32u);
    keys.push_back(wanted.task.key);
  }
  EXPECT_NE(keys[0], keys[1]);
  for (const auto& r : all_records<TaskRecord>()) EXPECT_EQ(r.state, "recorded");
}

TEST_F(MeetingTest, OnlyActionItemsBecomeTasks) {
  record();
  send(ItemsChanged{{ItemChange{}}});
  EXPECT_EQ(all_records<ItemRecord>().size(), 1u);
  send(media(MediaPhase::kEnded));
  send(media(MediaPhase::kLeft));
  send(SpeechDrained{true});
  send(ItemsChanged{{ItemChange{}}});
  EXPECT_EQ(all_records<ItemRecord>().size(), 1u) << "of the live analysis, too late";
  AnalysisFinished done;
  done.changes = {ItemChange{}, ItemChange{}};
  done.items.resize(3);
  done.items[0].kind = ItemKind::kDecision;
  done.items[1].kind = ItemKind::kKeyPoint;
  done.items[2].id = "a1";
  send(done);
  EXPECT_EQ(all_records<ItemRecord>().size(), 3u);
  send(MinutesWritten{{"minutes.md"}});
  ASSERT_EQ(all_records<TaskRecord>().size(), 1u);
  EXPECT_EQ(all_records<TaskRecord>()[0].item, "a1");
}

TEST_F(MeetingTest, LeavesAtOnceWhenTheEndPassedWhileHansardWasNotRunning) {
  record();
  send(ParticipantChanged{"p9", "Zoe", true, false, {}});
  const Instant over = state_.timers.at("end");
  now_ = kStart + hours(72);
  send(HostStarted{});
  EXPECT_EQ(state_.state, Phase::kLeaving);
  EXPECT_EQ(state_.note, "the meeting ended while hansard was not running");
  const auto people = all_records<ParticipantRecord>();
  ASSERT_FALSE(people.empty());
  EXPECT_FALSE(people.back().present);
  EXPECT_EQ(people.back().at.ms, (over - state_.origin).ms) << "not for three days";
  EXPECT_EQ(count_effects<StartMedia>(), 1u);
}

TEST_F(MeetingTest, APersonWhoSentTheBotAnswersForTellingTheOthers) {
  now_ = kStart - minutes(1);
  MeetingSpec by_hand = spec();
  by_hand.by_hand = true;
  send(MeetingSeen{"m1", by_hand, {}, 7});
  advance_to(kStart - minutes(1));
  send(Validated{});
  send(Prepared{});
  advance_to(kStart);
  MediaReport r = media(MediaPhase::kInCall);
  r.announced.clear();
  send(r);
  EXPECT_EQ(state_.state, Phase::kRecording);
  ASSERT_EQ(all_records<ConsentRecord>().size(), 1u);
  EXPECT_EQ(all_records<ConsentRecord>()[0].how, "left to the person who sent the bot");
  EXPECT_EQ(all_records<ConsentRecord>()[0].by, "");
}

TEST_F(MeetingTest, ARefusalWithoutACodeIsAFaultOfOurs) {
  prepare();
  advance_to(kStart);
  MediaReport r = media(MediaPhase::kRefused);
  r.vendor_code = "418 teapot";
  send(r);
  EXPECT_EQ(state_.code, FailureCode::kInternal);
  EXPECT_EQ(state_.vendor_code, "418 teapot");
  EXPECT_EQ(state_.note, meeting::failure_advice(FailureCode::kInternal));
}

TEST_F(MeetingTest, AsksAgainWhenValidationHasNoAnswerUntilTheJoinIsDue) {
  see();
  advance_to(kStart - minutes(10));
  const std::size_t asked = count_effects<ValidateMeeting>();
  send(ValidationFailed{FailureCode::kInternal, true, "down"});
  EXPECT_EQ(state_.state, Phase::kValidating);
  advance_to(now_ + seconds(30));
  EXPECT_EQ(count_effects<ValidateMeeting>(), asked + 1);
  now_ = kStart - seconds(20);
  send(ValidationFailed{FailureCode::kInternal, true, "still down"});
  EXPECT_EQ(state_.state, Phase::kPreparing) << "the attempt itself decides";
}

TEST_F(MeetingTest, FollowsNoMoreThanAThousandParticipants) {
  record();
  for (int i = 0; i < 1'100; ++i) {
    ParticipantChanged e;
    e.id = "x" + std::to_string(i);
    last_ = step(state_, e, now_);
  }
  EXPECT_EQ(state_.participants.size(), kMaxParticipants);
  EXPECT_TRUE(last_.empty());
  send(SegmentFinal{"x1099", {0}, {900}, "Hello.", {}});
  EXPECT_TRUE(last_.empty());
  send(SegmentFinal{"x10", {0}, {900}, "Hello.", {}});
  EXPECT_EQ(all_records<UtteranceRecord>().size(), 1u);
}

TEST_F(MeetingTest, WhoIsNotThereAfterAReconnectionHasLeft) {
  record();
  ParticipantChanged bob;
  bob.id = "p2";
  bob.name = "Bob";
  send(bob);
  send(media(MediaPhase::kLost));
  advance_to(now_ + seconds(3));
  send(media(MediaPhase::kInCall));
  send(bob);
  advance_to(now_ + seconds(6));
  const auto people = all_records<ParticipantRecord>();
  ASSERT_FALSE(people.empty());
  EXPECT_EQ(people.back().id, "p1");
  EXPECT_FALSE(people.back().present);
}

TEST_F(MeetingTest, AudioThatWaitedTooLongForARecognizerIsGivenUp) {
  record();
  send(media(MediaPhase::kEnded));
  send(media(MediaPhase::kLeft));
  send(SpeechDrained{false});
  advance_to(now_ + hours(73));
  EXPECT_EQ(count_effects<AnalyzeFinal>(), 1u);
  send(AnalysisFinished{});
  send(MinutesWritten{{"minutes.md"}});
  send(CleanedUp{});
  EXPECT_EQ(state_.state, Phase::kDone);
}

TEST_F(MeetingTest, WaitsForRoomOnTheDiskAndSaysSo) {
  see();
  advance_to(kStart - minutes(10));
  send(Validated{});
  const Prepared full{true, "the disk is full", false};
  send(full);
  EXPECT_EQ(state_.note, "the disk is full");
  EXPECT_FALSE(state_.timers.contains("join"));
  const std::size_t asked = count_effects<PrepareMeeting>();
  advance_to(now_ + seconds(11));
  EXPECT_EQ(count_effects<PrepareMeeting>(), asked + 1);
  send(Prepared{});
  EXPECT_EQ(state_.note, "") << "there is room again";
  advance_to(kStart);
  EXPECT_EQ(state_.state, Phase::kJoining);
}

TEST_F(MeetingTest, ADiskThatStaysFullFailsTheMeetingWithThatReason) {
  see();
  advance_to(kStart - minutes(10));
  send(Validated{});
  const Prepared full{true, "the disk is full", false};
  for (int i = 0; i < 1'000 && state_.state == Phase::kPreparing; ++i) {
    send(full);
    advance_to(now_ + seconds(11));
  }
  EXPECT_EQ(state_.state, Phase::kCleaning);
  EXPECT_EQ(state_.code, FailureCode::kDiskFull);
  EXPECT_GE(now_, kStart + minutes(15));
  EXPECT_LT(now_, kStart + minutes(16));
}

/// After our own restart it was measured how long we were away; after one of the machine it was not, and that is said.
TEST_F(MeetingTest, SaysWhetherTheMachineWasStartedAgain) {
  for (const bool machine : {false, true}) {
    record();
    advance_to(now_ + seconds(10));
    send(HostStarted{machine});
    EXPECT_EQ(state_.state, Phase::kReconnecting);
    EXPECT_EQ(all_records<StateRecord>().back().note.starts_with("the machine was started again: how long it was off"), machine);
    EXPECT_EQ(state_.note == "hansard was started again", !machine);
    state_ = {};
  }
}

TEST_F(MeetingTest, AClockThatIsSetChangesNoWaitAndNoMediaTime) {
  record();
  advance_to(kStart + minutes(2));
  send(media(MediaPhase::kLost));
  const Duration wait = state_.timers.at("reconnect") - now_;
  const Duration end = state_.timers.at("end") - now_;
  const Duration media_time = now_ - state_.origin;
  now_ = now_ + hours(1);
  send(ClockMoved{hours(1)});
  EXPECT_EQ(state_.timers.at("reconnect") - now_, wait);
  EXPECT_EQ(now_ - state_.origin, media_time);
  EXPECT_EQ(state_.timers.at("end") - now_, end - hours(1)) << "the planned end stands in a calendar";
}

TEST_F(MeetingTest, ANoticeIsShownOnceWhileThereIsARecording) {
  record();
  const std::size_t told = all_records<StateRecord>().size();
  send(HostNotice{"the disk is full"});
  send(HostNotice{"the disk is full"});
  EXPECT_EQ(all_records<StateRecord>().size(), told + 1);
  EXPECT_EQ(all_records<StateRecord>().back().note, "the disk is full");
}

}  // namespace
}  // namespace hansard::flow
