// The engine's own rules, each by itself; what they add up to is tested by the simulation.
#include "sim/engine_testing.h"

namespace hansard::sim {
namespace {

TEST_F(EngineTest, CommitsThenReleasesWithAKeyThatNamesTheCommit) {
  const std::string key = validating("m1");
  EXPECT_EQ(state("m1"), meeting::State::kValidating);
  EXPECT_TRUE(store_.has_effect(key));
  EXPECT_EQ(key, "m1:" + std::to_string(store_.peek("m1")->version) + ":0");
}

TEST_F(EngineTest, ManyEventsShareOneCommit) {
  for (int i = 0; i < 40; ++i) engine_->post("m" + std::to_string(i), seen("m" + std::to_string(i), hours(5)));
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(store_.commits(), 1u);
  EXPECT_EQ(got(store_.aggregates("meeting", true)).size(), 40u);
}

TEST_F(EngineTest, ASecondAnswerIsDropped) {
  const std::string key = validating("m1");
  engine_->post("m1", flow::Validated{}, key);
  engine_->post("m1", flow::ValidationFailed{meeting::FailureCode::kMeetingNotFound, false, {}}, key);
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kPreparing);
  engine_->post("m1", flow::ValidationFailed{meeting::FailureCode::kMeetingNotFound, false, {}}, key);
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kPreparing);
  EXPECT_FALSE(store_.has_effect(key));
}

TEST_F(EngineTest, AnEventThatChangesNothingIsNotCommitted) {
  validating("m1");
  const auto before = store_.commits();
  engine_->post("m1", flow::SpeechDrained{});
  engine_->post("nobody", flow::Validated{});
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(store_.commits(), before);
}

TEST_F(EngineTest, ASetClockDoesNotMakeTheStoreWait) {
  validating("m1");
  bool full = true;
  store_.before_commit = [&](std::uint64_t) -> Result<void> {
    if (full) return fail(ErrorClass::kExhausted, "store", "full");
    return {};
  };
  engine_->post("m1", flow::ValidationFailed{meeting::FailureCode::kNone, true, "busy"}, runner_.released[0].key);
  ASSERT_FALSE(engine_->drain());
  EXPECT_TRUE(engine_->store_failing());
  full = false;
  // An hour back, while it waits one second.
  clock_.set = Duration{} - hours(1);
  clock_.time = clock_.time - hours(1);
  ASSERT_TRUE(engine_->next_deadline());
  EXPECT_EQ(*engine_->next_deadline() - clock_.time, seconds(1));
  clock_.time = clock_.time + seconds(1);
  ASSERT_TRUE(engine_->drain());
  EXPECT_FALSE(engine_->store_failing());
  EXPECT_EQ(engine_->queued(), 0u);
}

TEST_F(EngineTest, AFailedCommitChangesAndReleasesNothingAndIsTriedAgain) {
  int fails = 2;
  store_.before_commit = [&](std::uint64_t) -> Result<void> {
    if (fails-- > 0) return fail(ErrorClass::kExhausted, "store", "full");
    return {};
  };
  engine_->post("m1", seen("m1", minutes(5)));
  for (const std::int64_t wait_ms : {1000, 2000}) {
    const auto r = engine_->drain();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, ErrorClass::kExhausted);
    EXPECT_EQ(engine_->find("m1"), nullptr);
    EXPECT_TRUE(runner_.released.empty());
    ASSERT_TRUE(engine_->next_deadline());
    EXPECT_EQ((*engine_->next_deadline() - clock_.time).ms, wait_ms);
    EXPECT_TRUE(engine_->drain()) << "too early: nothing is tried";
    clock_.time = *engine_->next_deadline();
  }
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kValidating);
  EXPECT_EQ(runner_.released.size(), 1u);
}

TEST_F(EngineTest, AConflictIsFinal) {
  ASSERT_TRUE(store_.acquire("another", Instant{1}));
  engine_->post("m1", seen("m1", minutes(5)));
  EXPECT_EQ(engine_->drain().error().code, ErrorClass::kConflict);
  EXPECT_EQ(engine_->drain().error().code, ErrorClass::kConflict);
  EXPECT_FALSE(engine_->next_deadline());
  EXPECT_TRUE(runner_.released.empty());
}

TEST_F(EngineTest, ARestartReleasesWhatIsUnansweredUnderTheSameKey) {
  const std::string key = validating("m1");
  begin();
  ASSERT_EQ(runner_.released.size(), 1u);
  EXPECT_EQ(runner_.released[0].key, key);
  engine_->post("m1", flow::Validated{}, key);
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kPreparing);
}

TEST_F(EngineTest, TimersFireWhenTheyAreDue) {
  engine_->post("m1", seen("m1", hours(1)));
  ASSERT_TRUE(engine_->drain());
  EXPECT_TRUE(runner_.released.empty());
  ASSERT_TRUE(engine_->next_deadline());
  clock_.time = *engine_->next_deadline() + milliseconds(-1);
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kScheduled);
  clock_.time = *engine_->next_deadline();
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kValidating);
}

TEST_F(EngineTest, HeldTimersWaitForALaterRun) {
  validating("m1");
  engine_->post("m2", seen("m2", hours(1)));
  ASSERT_TRUE(engine_->drain());
  engine_->hold_timers([](const flow::State& s) { return std::get<flow::MeetingState>(s).state < meeting::State::kJoining; });
  EXPECT_FALSE(engine_->next_deadline()) << "nothing to wake up for";
  clock_.time = clock_.time + hours(1);
  // Answers are applied as ever: it gets ready, and does not join.
  engine_->post("m1", flow::Validated{}, runner_.released[0].key);
  ASSERT_TRUE(engine_->drain());
  engine_->post("m1", flow::Prepared{}, runner_.released.back().key);
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kPreparing);
  EXPECT_EQ(state("m2"), meeting::State::kScheduled);
  EXPECT_FALSE(engine_->next_deadline());
  begin();
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kJoining);
  EXPECT_EQ(state("m2"), meeting::State::kValidating);
}

TEST_F(EngineTest, WhatIsNotHeldKeepsItsTimers) {
  engine_->hold_timers([](const flow::State& s) { return std::get<flow::MeetingState>(s).id == "m1"; });
  engine_->post("m1", seen("m1", hours(1)));
  engine_->post("m2", seen("m2", hours(2)));
  ASSERT_TRUE(engine_->drain());
  ASSERT_TRUE(engine_->next_deadline());
  clock_.time = *engine_->next_deadline();
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kScheduled);
  EXPECT_EQ(state("m2"), meeting::State::kValidating);
}

TEST_F(EngineTest, ACallFromInsideAnEffectIsServedByTheOuterOne) {
  runner_.during = [&] {
    if (engine_->find("m2") != nullptr) return;
    engine_->post("m2", seen("m2", hours(1)));
    ASSERT_TRUE(engine_->drain());
    EXPECT_EQ(engine_->find("m2"), nullptr);
  };
  validating("m1");
  EXPECT_NE(engine_->find("m2"), nullptr);
}

TEST_F(EngineTest, MessagesBetweenAggregatesArriveOnceOverAKill) {
  flow::CalendarConfigured configured;
  configured.source.id = "work";
  engine_->post("calendar:work", configured);
  ASSERT_TRUE(engine_->drain());
  flow::CalendarFetched fetched{clock_.time, clock_.time + hours(24), {}};
  flow::SeenOccurrence o;
  o.key = "k";
  o.spec = seen("x", hours(2)).spec;
  o.spec.meeting_key = "x";
  fetched.occurrences.push_back(o);
  engine_->post("calendar:work", fetched);
  store_.after_commit = [](std::uint64_t) { throw 1; };  // dies before the message is delivered
  EXPECT_THROW((void)engine_->drain(), int);
  store_.after_commit = nullptr;
  EXPECT_EQ(got(store_.effects()).size(), 1u);
  EXPECT_TRUE(got(store_.aggregates("meeting", false)).empty());
  begin();
  ASSERT_TRUE(engine_->drain());
  EXPECT_TRUE(got(store_.effects()).empty());
  ASSERT_EQ(got(store_.aggregates("meeting", false)).size(), 1u);
  EXPECT_EQ(got(store_.aggregates("meeting", false))[0].version, 1u);
}

TEST_F(EngineTest, AFinishedMeetingLeavesMemoryAndComesBackWhenItIsOnAgain) {
  engine_->post("m1", seen("m1", hours(2)));
  engine_->post("m1", flow::MeetingGone{"work", "cancelled"});
  ASSERT_TRUE(engine_->drain());
  ASSERT_EQ(runner_.released.size(), 1u);
  engine_->post("m1", flow::CleanedUp{}, runner_.released[0].key);
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(engine_->find("m1"), nullptr);
  EXPECT_TRUE(store_.peek("m1")->finished);
  engine_->post("m1", seen("m1", hours(3)));
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(state("m1"), meeting::State::kScheduled);
  EXPECT_FALSE(store_.peek("m1")->finished);
}

TEST_F(OneRoomTest, AnEventMadeAgainIsOneMeetingWhicheverCalendarShowsItFirst) {
  show("old", "a", start_);
  show("again", "b", start_);  // b never showed the first one
  drop("old", "a");
  show("again", "a", start_);
  advance_to(start_ + minutes(5));
  EXPECT_EQ(bots_, Bots{"old"});
}

TEST_F(OneRoomTest, MadeAgainWhileItIsHeld) {
  show("old", "a", start_);
  advance_to(start_ + minutes(5));
  drop("old", "a");
  show("again", "a", start_);
  show("again", "b", start_);
  advance_to(start_ + minutes(10));
  EXPECT_EQ(bots_, Bots{"old"});
  EXPECT_EQ(state("old"), meeting::State::kRecording);
}

TEST_F(OneRoomTest, WhatWasHeldIsNotJoinedAgainUnderAnotherName) {
  show("old", "a", start_);
  advance_to(start_ + minutes(5));
  end("old");
  EXPECT_EQ(engine_->find("old"), nullptr);
  begin();  // it is known after a restart too
  advance_to(start_ + minutes(10));
  show("again", "b", start_);
  advance_to(start_ + minutes(20));
  EXPECT_EQ(bots_, Bots{"old"});
  EXPECT_FALSE(store_.peek("old")->finished);
  advance_to(start_ + hours(25));
  EXPECT_TRUE(store_.peek("old")->finished);
  EXPECT_FALSE(engine_->next_deadline());
}

TEST_F(OneRoomTest, TwoThatAreMovedToOneTimeAreOneUntilTheyPart) {
  show("x", "a", start_);
  show("y", "b", start_ + hours(2));
  show("y", "b", start_);
  EXPECT_EQ(stored("y"), meeting::State::kCancelled);
  show("y", "b", start_ + hours(3));
  EXPECT_EQ(state("y"), meeting::State::kScheduled);
  advance_to(start_ + minutes(5));
  EXPECT_EQ(bots_, Bots{"x"});
  end("x");
  advance_to(start_ + hours(3) + minutes(5));
  EXPECT_EQ(bots_, (Bots{"x", "y"}));
}

TEST_F(OneRoomTest, TheOneInFrontMovesAwayAndTheOtherIsStillAttended) {
  show("x", "a", start_);
  show("y", "b", start_);
  show("x", "a", start_ + hours(3));
  advance_to(start_ + minutes(5));
  EXPECT_EQ(bots_, Bots{"y"});
  end("y");
  advance_to(start_ + hours(3) + minutes(5));
  EXPECT_EQ(bots_, (Bots{"y", "x"}));
}

TEST_F(OneRoomTest, IsAttendedAsLongAsOneOfTheTwoIsWanted) {
  show("x", "a", start_);
  show("y", "b", start_);
  drop("x", "a");
  EXPECT_EQ(state("x"), meeting::State::kScheduled);
  drop("y", "b");
  EXPECT_EQ(stored("x"), meeting::State::kCancelled);
  show("y", "b", start_);
  advance_to(start_ + minutes(5));
  EXPECT_EQ(bots_.size(), 1u);
}

TEST_F(OneRoomTest, OneAfterTheOtherAndTheSameTimeOfAnotherDayAreMeetingsOfTheirOwn) {
  show("first", "a", start_);
  show("second", "b", start_ + minutes(30));
  show("tomorrow", "a", start_ + hours(24));
  advance_to(start_ + minutes(28));
  end("first");
  advance_to(start_ + minutes(40));
  end("second");
  advance_to(start_ + hours(24) + minutes(5));
  EXPECT_EQ(bots_, (Bots{"first", "second", "tomorrow"}));
}

TEST_F(EngineTest, RecordsAreShownInOrderAfterTheirCommit) {
  std::vector<std::uint64_t> seqs;
  engine_->on_record([&](const host::LiveRecord& r) {
    seqs.push_back(r.seq);
    EXPECT_LE(r.seq, *store_.last_seq());
  });
  validating("m1");
  ASSERT_GE(seqs.size(), 2u);
  for (std::size_t i = 1; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], seqs[i - 1] + 1);
}

}  // namespace
}  // namespace hansard::sim
