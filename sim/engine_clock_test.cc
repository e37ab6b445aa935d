// A clock that is set while nobody looks, and what the engine makes of it when it starts.
#include "sim/engine_testing.h"

namespace hansard::sim {
namespace {

class ClockBetweenRunsTest : public OneRoomTest {
 protected:
  /// A recording that has run for five minutes, and a daemon that has just died.
  void SetUp() override {
    show("m", "a", start_);
    advance_to(start_ + minutes(5));
    ASSERT_EQ(state("m"), meeting::State::kRecording);
    ASSERT_NE(meeting().origin.ms, 0);
    engine_->post("m", flow::ParticipantChanged{"p", "Anna", true, false, {}});
    run();
    died_ = media_time();
  }
  flow::MeetingState meeting() {
    const auto s = host::decode<flow::State>(store_.peek("m")->state, host::state_binding("m"));
    return std::get<flow::MeetingState>(*s);
  }
  Duration media_time() { return clock_.time - meeting().origin; }
  /// `down` passes, in which the wall clock is set by `set`; then a daemon starts.
  void start_again(Duration down, Duration set, bool machine = false) {
    clock_.time = clock_.time + down + set;
    clock_.set = clock_.set + set;
    if (machine) {
      clock_.name = "second boot";
      clock_.set = clock_.time - Instant{} - minutes(1);
    }
    begin();
    ASSERT_TRUE(engine_->drain());
  }

  Duration died_;
};

TEST_F(ClockBetweenRunsTest, MediaTimeIsTheTimeThatPassed) {
  for (const Duration set : {minutes(10), Duration{} - minutes(30), milliseconds(250)}) {
    start_again(seconds(10), set);
    died_ = died_ + seconds(10);
    EXPECT_EQ(media_time(), died_) << set.ms;
    EXPECT_FALSE(engine_->machine_restarted());
    EXPECT_EQ(meeting().note, "hansard was started again");
  }
}

TEST_F(ClockBetweenRunsTest, WhatCountsFromAMomentMovesAndThePlannedEndDoesNot) {
  const auto before = meeting().timers;
  const Duration spoke = meeting().last_speech - meeting().origin;
  start_again(seconds(1), minutes(2));
  const auto after = meeting().timers;
  EXPECT_EQ(after.at("end"), before.at("end"));
  EXPECT_EQ(meeting().last_speech - meeting().origin, spoke);
}

/// The first commit of a run tells the next one: not when it dies before that, and not twice.
TEST_F(ClockBetweenRunsTest, IsToldOnce) {
  store_.before_commit = [](std::uint64_t) -> Result<void> { throw 1; };
  clock_.time = clock_.time + hours(1);
  clock_.set = clock_.set + hours(1);
  begin();
  EXPECT_THROW((void)engine_->drain(), int);
  store_.before_commit = nullptr;
  for (int i = 0; i < 3; ++i) {
    begin();
    ASSERT_TRUE(engine_->drain());
    EXPECT_EQ(media_time(), died_);
  }
}

/// Set while it runs and the store takes nothing; then it dies.
TEST_F(ClockBetweenRunsTest, SetBeforeTheEndOfARunThatCouldNotWriteIt) {
  store_.before_commit = [](std::uint64_t) -> Result<void> { return fail(ErrorClass::kExhausted, "store", "full"); };
  clock_.time = clock_.time + hours(1);
  clock_.set = clock_.set + hours(1);
  EXPECT_FALSE(engine_->drain());
  store_.before_commit = nullptr;
  begin();
  ASSERT_TRUE(engine_->drain());
  EXPECT_EQ(media_time(), died_);
}

TEST_F(ClockBetweenRunsTest, AfterARestartOfTheMachineTheWallClockCountsAndThatIsSaid) {
  start_again(seconds(40), {}, true);
  EXPECT_EQ(media_time(), died_ + seconds(40));
  EXPECT_TRUE(engine_->machine_restarted());
  EXPECT_EQ(meeting().note, "the machine was started again: how long it was off is what its clock says");
  start_again(seconds(10), hours(1));
  EXPECT_EQ(media_time(), died_ + seconds(50)) << "the new boot is known";
  EXPECT_FALSE(engine_->machine_restarted());
}

/// A machine without a clock of its own starts with an old time.
TEST_F(ClockBetweenRunsTest, ItCannotBeEarlierThanWhatHasHappened) {
  start_again(seconds(40), Duration{} - hours(2), true);
  EXPECT_EQ(media_time(), died_) << "the newest record";
}

TEST_F(ClockBetweenRunsTest, NorThanTheAudioThatIsThere) {
  runner_.captured = MediaTime{(died_ + seconds(7)).ms};
  start_again(seconds(40), Duration{} - hours(2), true);
  EXPECT_EQ(media_time(), died_ + seconds(7));
}

TEST_F(ClockBetweenRunsTest, AStoreWithoutItIsBridgedByTheWallClock) {
  store_.forget_context(host::kClockKey);
  start_again(seconds(10), minutes(1));
  EXPECT_EQ(media_time(), died_ + seconds(70));
  EXPECT_FALSE(engine_->machine_restarted());
  start_again(seconds(10), minutes(1));
  EXPECT_EQ(media_time(), died_ + seconds(80)) << "from then on it is known";
}

}  // namespace
}  // namespace hansard::sim
