// What every aggregate has in common: how it begins, its timers, and when it is over.
#include "core/flow/step.h"

#include <gtest/gtest.h>

namespace hansard::flow {
namespace {

constexpr Instant kNow{1'780'000'000'000};

MeetingSpec spec() {
  MeetingSpec s;
  s.platform = "generic";
  s.meeting_key = "room";
  s.start = kNow + hours(1);
  s.end = kNow + hours(2);
  s.source = "work";
  return s;
}

TEST(Begin, OnlyFiveEventsBeginAnAggregate) {
  const auto begun = [](const Event& event) {
    const auto state = begin(event);
    return state ? std::string(std::visit([](const auto& s) { return std::remove_cvref_t<decltype(s)>::kType; }, *state)) : "";
  };
  EXPECT_EQ(begun(MeetingSeen{}), "meeting");
  EXPECT_EQ(begun(PlaceTaken{}), "meeting");
  EXPECT_EQ(begun(CalendarConfigured{}), "calendar");
  EXPECT_EQ(begun(SinkConfigured{}), "sink");
  EXPECT_EQ(begun(TaskWanted{}), "sink");
  // A word for one that is not there, or not any more, makes none.
  for (const Event& event :
       std::vector<Event>{MeetingGone{}, PlaceFree{}, HostStarted{}, TimerFired{}, StopRequested{}, MediaReport{},
                          TaskDelivered{}, TaskAnswered{}, CalendarRemoved{}, CalendarFetched{}})
    EXPECT_EQ(begun(event), "");
}

TEST(Begin, ASinkKnowsItsNameFromTheFirstTask) {
  TaskWanted wanted;
  wanted.sink = "board";
  EXPECT_EQ(std::get<SinkState>(*begin(wanted)).settings.id, "board");
}

TEST(Timers, AreDueInTheOrderOfTheirTimes) {
  MeetingState m;
  EXPECT_FALSE(next_deadline(m));
  m.timers = {{"a", kNow + seconds(3)}, {"b", kNow + seconds(1)}, {"c", kNow + seconds(2)}, {"d", kNow + seconds(9)}};
  EXPECT_EQ(next_deadline(m), kNow + seconds(1));
  EXPECT_EQ(due_timers(m, kNow + seconds(3)), (std::vector<std::string>{"b", "c", "a"}));
  EXPECT_TRUE(due_timers(m, kNow).empty());
}

TEST(Finished, AMeetingIsWhenItIsOverAndItsPlaceIsGivenUp) {
  State state = MeetingState{};
  EXPECT_TRUE(finished(state));
  EXPECT_FALSE(holds_place(state));
  (void)step(state, MeetingSeen{"m1", spec(), {}, 7}, kNow);
  EXPECT_FALSE(finished(state));
  EXPECT_TRUE(holds_place(state));
  (void)step(state, StopRequested{"Ada"}, kNow);
  (void)step(state, CleanedUp{}, kNow);
  EXPECT_FALSE(finished(state)) << "a person stopped it: its place is kept";
  EXPECT_TRUE(holds_place(state));
  (void)step(state, TimerFired{"place"}, *next_deadline(state));
  EXPECT_TRUE(finished(state));
  EXPECT_FALSE(holds_place(state));
}

TEST(Finished, OneWithoutARoomOrBehindAnotherHoldsNoPlace) {
  State state = MeetingState{};
  MeetingSpec s = spec();
  s.meeting_key.clear();
  (void)step(state, MeetingSeen{"m1", s, {}, 7}, kNow);
  EXPECT_FALSE(holds_place(state));
  State behind = MeetingState{};
  (void)step(behind, PlaceTaken{"m0"}, kNow);
  (void)step(behind, MeetingSeen{"m1", spec(), {}, 7}, kNow);
  EXPECT_FALSE(holds_place(behind));
}

TEST(Finished, ACalendarIsWhenItWasRemovedAndASinkNever) {
  State calendar = CalendarState{};
  EXPECT_FALSE(finished(calendar));
  (void)step(calendar, CalendarConfigured{}, kNow);
  (void)step(calendar, CalendarRemoved{}, kNow);
  EXPECT_TRUE(finished(calendar));
  EXPECT_TRUE(step(calendar, ScanRequested{}, kNow).empty()) << "and nothing more is done with it";
  EXPECT_FALSE(next_deadline(calendar));
  EXPECT_FALSE(finished(SinkState{}));
  EXPECT_FALSE(holds_place(SinkState{}));
}

TEST(Places, DifferInPlatformRoomOrStart) {
  const MeetingSpec a = spec();
  MeetingSpec b = a;
  EXPECT_TRUE(same_place(a, b));
  b.title = "another name";
  b.end = b.end + hours(1);
  EXPECT_TRUE(same_place(a, b));
  b.platform = "zoom";
  EXPECT_FALSE(same_place(a, b));
  b = a;
  b.meeting_key = "other";
  EXPECT_FALSE(same_place(a, b));
  b = a;
  b.start = b.start + minutes(1);
  EXPECT_FALSE(same_place(a, b));
}

}  // namespace
}  // namespace hansard::flow
