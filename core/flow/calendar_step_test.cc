#include <gtest/gtest.h>

#include "core/flow/step.h"

namespace hansard::flow {
namespace {

constexpr Instant kNow{1'780'000'000'000};

SeenOccurrence occurrence(const std::string& key, Instant start) {
  SeenOccurrence o;
  o.key = key;
  o.original_start = start;
  o.spec.platform = "generic";
  o.spec.meeting_key = key;
  o.spec.url = "http://localhost/rooms/" + key;
  o.spec.start = start;
  o.spec.end = start + minutes(30);
  o.spec.source = "work";
  return o;
}

struct Told {
  std::string meeting;
  std::string type;
};

std::vector<Told> told(const Batch& batch) {
  std::vector<Told> out;
  for (const auto& e : batch.effects) {
    if (const auto* to = std::get_if<ToAggregate>(&e)) out.push_back({to->aggregate, to_json(to->event).text_or("type")});
  }
  return out;
}

class CalendarTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CalendarSource source;
    source.id = "work";
    static_cast<void>(step(state_, CalendarConfigured{source, {}, 5}, kNow));
  }
  std::vector<Told> fetched(std::vector<SeenOccurrence> occurrences) {
    return told(step(state_, CalendarFetched{kNow, kNow + hours(24), std::move(occurrences)}, kNow));
  }
  CalendarState state_;
};

TEST_F(CalendarTest, ScansAtOnceAndAgain) {
  const Batch batch = step(state_, TimerFired{"scan"}, kNow);
  ASSERT_EQ(batch.effects.size(), 1u);
  EXPECT_EQ(std::get<FetchCalendar>(batch.effects[0]).to, kNow + hours(24));
  EXPECT_GE(state_.timers.at("scan"), kNow + minutes(5));
}

TEST_F(CalendarTest, TellsAMeetingOnceWhileNothingChanges) {
  EXPECT_EQ(fetched({occurrence("a", kNow + hours(1))}).size(), 1u);
  EXPECT_TRUE(fetched({occurrence("a", kNow + hours(1))}).empty());
}

TEST_F(CalendarTest, KeepsTheMeetingWhenItMoves) {
  const auto first = fetched({occurrence("a", kNow + hours(1))});
  SeenOccurrence moved = occurrence("a", kNow + hours(1));
  moved.spec.start = kNow + hours(3);
  const auto second = fetched({moved});
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].meeting, first[0].meeting);
  EXPECT_EQ(second[0].type, "meeting_seen");
}

TEST_F(CalendarTest, FollowsCancelledDeclinedRemovedAndRelinked) {
  fetched({occurrence("a", kNow + hours(1)), occurrence("b", kNow + hours(2)), occurrence("c", kNow + hours(3)),
           occurrence("d", kNow + hours(4))});
  SeenOccurrence a = occurrence("a", kNow + hours(1));
  a.cancelled = true;
  SeenOccurrence b = occurrence("b", kNow + hours(2));
  b.facts.response = calendar::Response::kDeclined;
  SeenOccurrence d = occurrence("d", kNow + hours(4));
  d.spec.meeting_key = "elsewhere";
  const auto changes = fetched({a, b, d});
  ASSERT_EQ(changes.size(), 5u);
  EXPECT_EQ(changes[0].type, "meeting_gone");
  EXPECT_EQ(changes[1].type, "meeting_gone");
  EXPECT_EQ(changes[2].type, "meeting_gone");
  EXPECT_EQ(changes[3].type, "meeting_gone");
  EXPECT_EQ(changes[4].type, "meeting_seen");  // d elsewhere
}

TEST_F(CalendarTest, AFailureDropsNothingAndIsSaidOnce) {
  fetched({occurrence("a", kNow + hours(1))});
  const Batch first = step(state_, CalendarFailed{"not reachable", {}}, kNow);
  EXPECT_EQ(first.records.size(), 1u);
  EXPECT_TRUE(told(first).empty());
  EXPECT_EQ(state_.timers.at("scan"), kNow + seconds(30));
  const Batch second = step(state_, CalendarFailed{"not reachable", seconds(600)}, kNow);
  EXPECT_TRUE(second.records.empty());
  EXPECT_EQ(state_.timers.at("scan"), kNow + seconds(600)) << "Retry-After is obeyed";
  EXPECT_TRUE(fetched({occurrence("a", kNow + hours(1))}).empty());
}

TEST(MeetingId, IsTheSameInEveryCalendar) {
  EXPECT_EQ(meeting_id("zoom", "123", kNow), meeting_id("zoom", "123", kNow));
  EXPECT_NE(meeting_id("zoom", "123", kNow), meeting_id("zoom", "123", kNow + hours(24)));
  EXPECT_NE(meeting_id("zoom", "123", kNow), meeting_id("meet", "123", kNow));
}

}  // namespace
}  // namespace hansard::flow
