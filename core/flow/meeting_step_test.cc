#include <gtest/gtest.h>

#include <algorithm>

#include "core/flow/step.h"

namespace hansard::flow {
namespace {

using meeting::FailureCode;
using Phase = meeting::State;

constexpr Instant kStart{1'780'000'000'000};

MeetingSpec spec() {
  MeetingSpec s;
  s.platform = "generic";
  s.meeting_key = "standup";
  s.url = "http://localhost/rooms/standup";
  s.title = "Standup";
  s.start = kStart;
  s.end = kStart + minutes(30);
  s.source = "work";
  return s;
}

/// Drives one meeting and checks after every event that the state survives being written and read.
class MeetingTest : public ::testing::Test {
 protected:
  void send(const Event& event) {
    last_ = step(state_, event, now_);
    const Batch& batch = last_;
    const Json json = to_json(State(state_));
    const auto back = from_json<State>(json);
    EXPECT_TRUE(back);
    if (back) {
      EXPECT_EQ(to_json(*back).dump(), json.dump());
    }
    for (const auto& r : batch.records) records_.push_back(r);
    for (const auto& e : batch.effects) effects_.push_back(e);
  }
  /// Fires the timers that are due when the clock reaches `at`.
  void advance_to(Instant at) {
    while (true) {
      const auto next = next_deadline(State(state_));
      if (!next || *next > at) break;
      now_ = std::max(now_, *next);
      for (const auto& name : due_timers(State(state_), now_)) send(TimerFired{name});
    }
    now_ = at;
  }
  template <class E>
  const E* last_effect() const {
    for (auto it = effects_.rbegin(); it != effects_.rend(); ++it) {
      if (const auto* e = std::get_if<E>(&*it)) return e;
    }
    return nullptr;
  }
  template <class E>
  std::size_t count_effects() const {
    return static_cast<std::size_t>(
        std::count_if(effects_.begin(), effects_.end(), [](const Effect& e) { return std::holds_alternative<E>(e); }));
  }
  template <class R>
  std::vector<R> all_records() const {
    std::vector<R> out;
    for (const auto& r : records_) {
      if (const auto* x = std::get_if<R>(&r)) out.push_back(*x);
    }
    return out;
  }
  MediaReport media(MediaPhase phase) {
    MediaReport r;
    r.epoch = state_.epoch;
    r.phase = phase;
    r.announced = "display_name";
    r.reason = "network";
    return r;
  }

  void see() {
    now_ = kStart - minutes(60);
    send(MeetingSeen{"m1", spec(), {}, 7});
  }
  void prepare() {
    see();
    advance_to(kStart - minutes(10));
    ASSERT_EQ(state_.state, Phase::kValidating);
    send(Validated{});
    send(Prepared{});
  }
  void record() {
    prepare();
    advance_to(kStart);
    ASSERT_EQ(state_.state, Phase::kJoining);
    send(media(MediaPhase::kInCall));
    ASSERT_EQ(state_.state, Phase::kRecording);
    send(ParticipantChanged{"p1", "Ada", true, false});
  }
  void finish() {
    send(SpeechDrained{true});
    AnalysisFinished done;
    AnalysisItem item;
    item.id = "a1";
    item.text = "Send the report";
    item.utterance_ids = {"u1"};
    item.quote = "send the report";
    done.items = {item};
    done.summary = "Ada: hello";
    send(done);
    send(MinutesWritten{{"minutes.md"}});
    send(CleanedUp{});
  }

  MeetingState state_;
  Batch last_;
  Instant now_ = kStart - hours(2);
  std::vector<Record> records_;
  std::vector<Effect> effects_;
};

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
  send(ParticipantChanged{"p1", "Ada", true, false});
  send(ParticipantChanged{"p1", "Ada", false, false});
  advance_to(now_ + seconds(59));
  EXPECT_EQ(state_.state, Phase::kRecording);
  advance_to(now_ + seconds(2));
  EXPECT_EQ(state_.state, Phase::kLeaving);
}

TEST_F(MeetingTest, LeavesWhenOnlyBotsAreLeft) {
  record();
  send(ParticipantChanged{"p2", "Notetaker", true, true});
  send(ParticipantChanged{"p1", "Ada", false, false});
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
  MeetingSpec moved = spec();
  moved.start = kStart + hours(1);
  moved.end = kStart + hours(2);
  send(MeetingSeen{"m1", moved, {}, 7});
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
  MeetingSpec moved = spec();
  moved.start = kStart + hours(1);
  moved.end = kStart + hours(2);
  send(MeetingSeen{"m1", moved, {}, 7});
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
  MeetingSpec moved = spec();
  moved.start = kStart + hours(1);
  moved.end = kStart + hours(2);
  send(MeetingSeen{"m1", moved, {}, 7});
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
  now_ = kStart + hours(3);
  send(HostStarted{});
  EXPECT_EQ(state_.state, Phase::kLeaving);
  EXPECT_EQ(state_.note, "the meeting ended while hansard was not running");
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
  Prepared full;
  full.room = false;
  full.note = "the disk is full";
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
  Prepared full;
  full.room = false;
  full.note = "the disk is full";
  for (int i = 0; i < 1'000 && state_.state == Phase::kPreparing; ++i) {
    send(full);
    advance_to(now_ + seconds(11));
  }
  EXPECT_EQ(state_.state, Phase::kCleaning);
  EXPECT_EQ(state_.code, FailureCode::kDiskFull);
  EXPECT_GE(now_, kStart + minutes(15));
  EXPECT_LT(now_, kStart + minutes(16));
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

TEST_F(MeetingTest, StateDoesNotGrowWithTheMeeting) {
  record();
  std::size_t early = 0;
  for (int i = 0; i < 10'000; ++i) {
    send(SegmentFinal{"p1", {i * 1000}, {i * 1000 + 900}, "Words and words.", {}});
    if (i == 10) early = to_json(State(state_)).dump().size();
  }
  EXPECT_LT(to_json(State(state_)).dump().size(), early + 32);
}

}  // namespace
}  // namespace hansard::flow
