#include "core/flow/audited.h"

#include "core/flow/meeting_testing.h"

namespace hansard::flow {
namespace {

using meeting_testing::kStart;
using meeting_testing::Phase;

/// One aggregate, and the acts that its events leave, as an engine would write them.
class AuditedTest : public ::testing::Test {
 protected:
  /// As host/engine.cc: an event that changes nothing leaves nothing. "ACTOR ACTION OBJECT OUTCOME" of each act.
  std::vector<std::string> apply(const Event& event, std::string_view actor = audit::kByDaemon) {
    if (!state_) state_ = begin(event);
    const std::optional<State> before = began_ ? state_ : std::nullopt;
    const std::string plain = json_text(*state_);
    const Batch batch = step(*state_, event, now_);
    for (const Effect& e : batch.effects) effects_.push_back(e);
    if (began_ && batch.empty() && json_text(*state_) == plain) return {};
    began_ = true;
    std::vector<std::string> out;
    for (const audit::Act& act : audited({aggregate_, before ? &*before : nullptr, event, *state_, batch}, now_, actor)) {
      EXPECT_EQ(act.at, now_);
      EXPECT_NE(std::find(audit::kActions.begin(), audit::kActions.end(), act.action), audit::kActions.end()) << act.action;
      out.push_back(act.actor + " " + act.action + " " + act.object + " " + act.outcome);
    }
    return out;
  }
  using Acts = std::vector<std::string>;

  MeetingSeen seen(bool by_hand = true) {
    MeetingSeen e{"m1", meeting_testing::spec(), {}, 7};
    e.spec.by_hand = by_hand;
    e.spec.source = by_hand ? "manual" : "work";
    return e;
  }
  /// Into the call; what that leaves.
  Acts enter(const std::string& announced = "display_name") {
    now_ = kStart - minutes(2);
    apply(TimerFired{"validate"});
    apply(Validated{});
    apply(Prepared{});
    now_ = kStart;
    apply(TimerFired{"join"});
    MediaReport r;
    r.epoch = meeting().epoch;
    r.phase = MediaPhase::kInCall;
    r.announced = announced;
    return apply(r);
  }
  const MeetingState& meeting() const { return std::get<MeetingState>(*state_); }

  std::string aggregate_ = "m1";
  std::optional<State> state_;
  bool began_ = false;
  Instant now_ = kStart - hours(2);
  std::vector<Effect> effects_;
};

TEST_F(AuditedTest, AMeetingByHandFromItsJoinToItsEnd) {
  EXPECT_EQ(apply(seen(), audit::kByCli), Acts{"cli meeting.join m1 ok"});
  EXPECT_EQ(enter(), Acts{"daemon consent.announce m1 told"});
  EXPECT_EQ(apply(PauseRequested{true, "Ada"}, audit::kByApi), Acts{"api meeting.pause m1 ok"});
  EXPECT_EQ(apply(PauseRequested{true, "Ada"}, audit::kByApi), Acts{}) << "it is paused already";
  EXPECT_EQ(apply(PauseRequested{false, "Ada"}, audit::kByApi), Acts{"api meeting.resume m1 ok"});
  EXPECT_EQ(apply(StopRequested{"Ada"}, audit::kByApi), Acts{"api meeting.stop m1 ok"});
  EXPECT_EQ(apply(StopRequested{"Ada"}, audit::kByApi), Acts{}) << "it leaves already";
  MediaReport left;
  left.epoch = meeting().epoch;
  left.phase = MediaPhase::kLeft;
  EXPECT_EQ(apply(left), Acts{});
  EXPECT_EQ(apply(SpeechDrained{true}), Acts{});
  EXPECT_EQ(apply(AnalysisFinished{}), Acts{});
  EXPECT_EQ(apply(MinutesWritten{{"a.md"}}), Acts{"daemon minutes.write m1 ok"});
  ASSERT_EQ(meeting().state, Phase::kCleaning);
  EXPECT_EQ(apply(CleanedUp{}), Acts{"daemon meeting.clean m1 done"});
  EXPECT_EQ(apply(CleanedUp{}), Acts{});
}

TEST_F(AuditedTest, WhatCalendarsAndMeetingsSayIsNoActOfAPerson) {
  EXPECT_EQ(apply(seen(false)), Acts{});
  auto word = seen();  // passed on by a meeting that stands behind this one
  word.spec.source = "meeting:m2";
  EXPECT_EQ(apply(word), Acts{});
  EXPECT_EQ(apply(StopRequested{"a person"}, audit::kByApi), Acts{"api meeting.stop m1 ok"});
  EXPECT_EQ(apply(CleanedUp{}), Acts{"daemon meeting.clean m1 cancelled"});
}

TEST_F(AuditedTest, SaysWhenNobodyCouldBeTold) {
  apply(seen(), audit::kByApi);
  EXPECT_EQ(enter(""), Acts{"daemon consent.announce m1 left to the sender"});
}

TEST_F(AuditedTest, AMeetingThatComesBackWhileItIsCleanedUpWasCancelled) {
  apply(seen(false));
  now_ = kStart - minutes(2);
  apply(TimerFired{"validate"});
  apply(MeetingGone{"work", "removed"});
  ASSERT_EQ(meeting().state, Phase::kCleaning);
  apply(seen(false));
  EXPECT_EQ(apply(CleanedUp{}), Acts{"daemon meeting.clean m1 cancelled"});
  EXPECT_FALSE(meeting::is_final(meeting().state));
}

TEST_F(AuditedTest, AudioThatWaitedTooLong) {
  apply(seen(), audit::kByApi);
  enter();
  apply(StopRequested{"Ada"}, audit::kByApi);
  MediaReport left;
  left.epoch = meeting().epoch;
  left.phase = MediaPhase::kLeft;
  apply(left);
  apply(SpeechDrained{false});
  now_ = now_ + hours(72);
  EXPECT_EQ(apply(TimerFired{"keep_audio"}), Acts{"daemon audio.expire m1 not transcribed"});
}

TEST_F(AuditedTest, TasksThatWereDeliveredGivenUpAndDecided) {
  aggregate_ = "sink:board";
  SinkConfigured configured;
  configured.settings.id = "board";
  configured.settings.sink_class = tasks::SinkClass::kIdempotent;
  configured.seed = 3;
  EXPECT_EQ(apply(configured), Acts{});
  const auto want = [&](const std::string& key) {
    TaskWanted e;
    e.sink = "board";
    e.task.key = key;
    e.task.meeting = "m-" + key;
    EXPECT_EQ(apply(e), Acts{});
  };
  const auto answer = [&](const std::string& key, tasks::Outcome outcome) {
    return apply(TaskAnswered{key, 1, {outcome, "because", {}}});
  };
  want("k1");
  want("k2");
  want("k3");
  EXPECT_EQ(answer("k1", tasks::Outcome::kAccepted), Acts{"daemon task.deliver sink:board/k1 ok"});
  EXPECT_EQ(answer("k2", tasks::Outcome::kRefused), Acts{"daemon task.deliver sink:board/k2 dead"});
  EXPECT_EQ(answer("k3", tasks::Outcome::kRefused), Acts{"daemon task.deliver sink:board/k3 dead"});
  EXPECT_EQ(apply(TaskDecided{"k2", true}, audit::kByApi), Acts{"api task.retry sink:board/k2 ok"});
  now_ = now_ + seconds(1);
  EXPECT_EQ(apply(TaskDecided{"k2", true}, audit::kByApi), Acts{}) << "it is on its way";
  EXPECT_EQ(apply(TaskDecided{"k3", false}, audit::kByApi), Acts{"api task.discard sink:board/k3 ok"});
  EXPECT_EQ(apply(TaskDecided{"k3", false}, audit::kByApi), Acts{});
}

/// A sink that hears of a decision first of all, which no engine lets happen.
TEST_F(AuditedTest, ADecisionAboutNothing) {
  const State after = SinkState{};
  const Event event = TaskDecided{"k", true};
  EXPECT_TRUE(audited({aggregate_, nullptr, event, after, {}}, now_, audit::kByApi).empty());
}

TEST_F(AuditedTest, CalendarsUnderAPseudonym) {
  aggregate_ = "calendar:ada@example.org";
  const std::string object = audit::pseudonym("calendar", "ada@example.org");
  CalendarConfigured configured;
  configured.source.id = "ada@example.org";
  configured.source.kind = "ics";
  configured.source.url = "https://example.org/secret.ics";
  EXPECT_EQ(apply(configured), Acts{"daemon calendar.connect " + object + " ok"});
  now_ = now_ + seconds(1);
  configured.settings.display_name = "another";
  EXPECT_EQ(apply(configured), Acts{}) << "the daemon started again";
  configured.source.url = "https://example.org/other.ics";
  EXPECT_EQ(apply(configured, audit::kByApi), Acts{"api calendar.change " + object + " ok"});
  EXPECT_EQ(apply(TimerFired{"scan"}), Acts{});
  EXPECT_EQ(apply(CalendarRemoved{}, audit::kByApi), Acts{"api calendar.disconnect " + object + " ok"});
  EXPECT_EQ(apply(CalendarRemoved{}, audit::kByApi), Acts{});
  EXPECT_EQ(apply(configured), Acts{"daemon calendar.connect " + object + " ok"});
}

/// Whatever happens to a meeting, no word of it, no name and no address reaches the log.
TEST_F(AuditedTest, HoldsNothingOfTheMeeting) {
  auto e = seen();
  e.spec.title = "zanzibarquux";
  e.spec.url = "https://zanzibarquux.example/";
  e.spec.token = e.spec.passcode = "zanzibarquux";
  std::vector<std::string> all;
  const auto keep = [&](const Acts& acts) { all.insert(all.end(), acts.begin(), acts.end()); };
  keep(apply(e, audit::kByApi));
  keep(enter("zanzibarquux"));
  keep(apply(ParticipantChanged{"p1", "zanzibarquux", true, false, {}}));
  keep(apply(SegmentFinal{"p1", {0}, {1000}, "zanzibarquux", {}}));
  keep(apply(PauseRequested{true, "zanzibarquux"}, audit::kByApi));
  keep(apply(StopRequested{"zanzibarquux"}, audit::kByApi));
  MediaReport left;
  left.epoch = meeting().epoch;
  left.phase = MediaPhase::kLeft;
  keep(apply(left));
  keep(apply(SpeechDrained{true}));
  keep(apply(AnalysisFinished{{}, {}, "zanzibarquux"}));
  keep(apply(MinutesWritten{{"/minutes/zanzibarquux.md"}}));
  keep(apply(CleanedUp{}));
  EXPECT_EQ(all.size(), 6u);
  for (const auto& line : all) EXPECT_EQ(line.find("zanzibarquux"), std::string::npos) << line;
}

}  // namespace
}  // namespace hansard::flow
