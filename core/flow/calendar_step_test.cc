#include <gtest/gtest.h>

#include <map>
#include <set>

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
    source.kind = "ics";
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

TEST_F(CalendarTest, TheRightIsGoneSoNobodyAsksUntilAPersonDoes) {
  fetched({occurrence("a", kNow + hours(1))});
  const Batch lost = step(state_, CalendarFailed{"the grant was revoked", {}, true}, kNow);
  EXPECT_TRUE(told(lost).empty()) << "what is planned stays";
  ASSERT_EQ(lost.records.size(), 1u);
  const auto& record = std::get<CalendarRecord>(lost.records[0]);
  EXPECT_EQ(record.state, "reconnect");
  EXPECT_NE(record.detail.find("hansard calendar connect ics --id work"), std::string::npos);
  EXPECT_EQ(record.meetings, 1);
  EXPECT_TRUE(state_.timers.empty());
  static_cast<void>(step(state_, HostStarted{}, kNow));
  EXPECT_TRUE(state_.timers.empty()) << "a restart does not ask either";

  static_cast<void>(step(state_, ScanRequested{}, kNow));
  const Batch asked = step(state_, TimerFired{"scan"}, kNow);
  EXPECT_EQ(asked.effects.size(), 1u);
  EXPECT_TRUE(state_.timers.empty()) << "once";
  EXPECT_TRUE(step(state_, CalendarFailed{"the grant was revoked", {}, true}, kNow).records.empty()) << "said once";
  static_cast<void>(step(state_, ScanRequested{}, kNow));
  static_cast<void>(step(state_, TimerFired{"scan"}, kNow));
  EXPECT_TRUE(fetched({occurrence("a", kNow + hours(1))}).empty());
  EXPECT_EQ(state_.state, "ok");
  EXPECT_TRUE(state_.timers.contains("scan"));
}

TEST_F(CalendarTest, ARemovedCalendarTakesItsMeetingsWithIt) {
  const auto seen = fetched({occurrence("a", kNow + hours(1)), occurrence("b", kNow + hours(2))});
  const Batch batch = step(state_, CalendarRemoved{}, kNow);
  const auto gone = told(batch);
  ASSERT_EQ(gone.size(), 2u);
  EXPECT_EQ(gone[0].type, "meeting_gone");
  EXPECT_TRUE(finished(State(state_)));
  EXPECT_TRUE(state_.timers.empty());
  EXPECT_TRUE(fetched({occurrence("a", kNow + hours(1))}).empty()) << "an answer that was under way";
  CalendarSource source;
  source.id = "work";
  static_cast<void>(step(state_, CalendarConfigured{source, {}, 5}, kNow));
  EXPECT_FALSE(finished(State(state_)));
  EXPECT_EQ(fetched({occurrence("a", kNow + hours(1))}).size(), 1u);
}

TEST_F(CalendarTest, KeepsEveryOccurrenceWithItsReason) {
  SeenOccurrence day = occurrence("day", kNow);
  day.all_day = true;
  SeenOccurrence bare = occurrence("bare", kNow + hours(1));
  bare.spec.platform.clear();
  SeenOccurrence ended = occurrence("ended", kNow - hours(2));
  EXPECT_EQ(fetched({day, bare, ended, occurrence("a", kNow + hours(1))}).size(), 1u);
  std::map<std::string, std::string> reasons;
  for (const auto& k : state_.known) reasons[k.key] = k.reason;
  EXPECT_EQ(reasons,
            (std::map<std::string, std::string>{{"a", "all"}, {"bare", "no-link"}, {"day", "all-day"}, {"ended", "over"}}));
}

TEST_F(CalendarTest, NewRulesApplyToWhatIsKnown) {
  const auto first = fetched({occurrence("a", kNow + hours(1)), occurrence("b", kNow + hours(2))});
  CalendarSource source = state_.source;
  source.attend.tagged = true;
  const auto none = told(step(state_, CalendarConfigured{source, {}, 5}, kNow));
  ASSERT_EQ(none.size(), 2u);
  EXPECT_EQ(none[0].type, "meeting_gone");
  EXPECT_EQ(state_.known[0].reason, "not-tagged");
  source.attend.tagged = false;
  const auto again = told(step(state_, CalendarConfigured{source, {}, 5}, kNow));
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].type, "meeting_seen");
  EXPECT_EQ((std::set<std::string>{again[0].meeting, again[1].meeting}),
            (std::set<std::string>{first[0].meeting, first[1].meeting}));
}

TEST_F(CalendarTest, ACopyInTheSameCalendarIsTheSameMeeting) {
  SeenOccurrence copy = occurrence("copy", kNow + hours(1));
  copy.spec.meeting_key = "a";
  copy.spec.url = "http://localhost/rooms/a";
  EXPECT_EQ(fetched({occurrence("a", kNow + hours(1)), copy}).size(), 1u);
  EXPECT_EQ(state_.known[0].meeting, state_.known[1].meeting);
  // The one that spoke for it goes: the other still wants it.
  for (const auto& t : fetched({copy})) EXPECT_EQ(t.type, "meeting_seen");
  const auto gone = fetched({});
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].type, "meeting_gone");
}

TEST_F(CalendarTest, CopiesWithUidsOfTheirOwnAreOneMeetingUntilOneMovesAway) {
  SeenOccurrence a = occurrence("a", kNow + hours(1));
  a.identity = "a";
  SeenOccurrence b = a;
  b.key = b.identity = "b";
  EXPECT_EQ(fetched({a, b}).size(), 1u);
  EXPECT_EQ(state_.known[0].meeting, state_.known[1].meeting);
  const std::string shared = state_.known[0].meeting;
  b.spec.start = kNow + hours(5);
  b.spec.end = kNow + hours(6);
  const auto moved = fetched({a, b});
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_EQ(moved[0].type, "meeting_seen");
  EXPECT_NE(moved[0].meeting, shared);
  const auto gone = fetched({b});
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].meeting, shared);
  EXPECT_EQ(gone[0].type, "meeting_gone");
}

TEST_F(CalendarTest, AnEventMadeAgainInTheSamePlaceIsTheSameMeeting) {
  SeenOccurrence first = occurrence("uid-1", kNow + hours(1));
  first.identity = "uid-1";
  const auto seen = fetched({first});
  SeenOccurrence again = first;
  again.key = again.identity = "uid-2";
  EXPECT_TRUE(fetched({again}).empty());
  EXPECT_EQ(state_.known[0].meeting, seen[0].meeting);
}

TEST_F(CalendarTest, WhatHasBegunIsNotDroppedWithTheWindow) {
  fetched({occurrence("a", kNow - minutes(5)), occurrence("b", kNow + hours(30))});
  // A server that shows only what begins after now, and a shorter look-ahead.
  EXPECT_TRUE(fetched({}).empty());
  EXPECT_EQ(state_.known.size(), 2u);
  const Instant later = kNow + minutes(26);
  EXPECT_TRUE(told(step(state_, CalendarFetched{later, later + hours(24), {}, {}}, later)).empty()) << "over is not gone";
  EXPECT_EQ(state_.known.size(), 1u);
}

TEST_F(CalendarTest, IsBoundedAndSaysSo) {
  std::vector<SeenOccurrence> many;
  for (int i = 0; i < 5100; ++i) many.push_back(occurrence("k" + std::to_string(i), kNow + minutes(6000 - i)));
  const Batch batch = step(state_, CalendarFetched{kNow, kNow + hours(240), many, {"a part could not be read"}}, kNow);
  EXPECT_EQ(state_.known.size(), kMaxKnown);
  EXPECT_EQ(told(batch).size(), kMaxKnown);
  ASSERT_EQ(state_.notes.size(), 2u);
  EXPECT_NE(state_.notes[1].find("100 later occurrences"), std::string::npos);
  for (const auto& k : state_.known) EXPECT_NE(k.key, "k0") << "the earliest are kept";
  EXPECT_NE(std::get<CalendarRecord>(batch.records.at(0)).detail.find("a part could not be read"), std::string::npos);
}

TEST_F(CalendarTest, SurvivesBeingWritten) {
  SeenOccurrence o = occurrence("a", kNow + hours(1));
  o.facts.tags = {"#x"};
  o.facts.response = calendar::Response::kTentative;
  fetched({o});
  const Json json = to_json(State(state_));
  const auto back = from_json<State>(json);
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(json_text(*back), json.dump());
}

TEST(MeetingId, OfAnEventThatStandsAloneDoesNotDependOnItsTime) {
  SeenOccurrence early = occurrence("uid", kNow);
  early.identity = "uid";
  SeenOccurrence late = early;
  late.original_start = late.spec.start = kNow + hours(2);
  EXPECT_EQ(meeting_id(early), meeting_id(late));
  late.identity = "other";
  EXPECT_NE(meeting_id(early), meeting_id(late));
  late.identity.clear();
  EXPECT_EQ(meeting_id(late), meeting_id("generic", "uid", kNow + hours(2)));
}

TEST(MeetingId, IsTheSameInEveryCalendar) {
  EXPECT_EQ(meeting_id("zoom", "123", kNow), meeting_id("zoom", "123", kNow));
  EXPECT_NE(meeting_id("zoom", "123", kNow), meeting_id("zoom", "123", kNow + hours(24)));
  EXPECT_NE(meeting_id("zoom", "123", kNow), meeting_id("meet", "123", kNow));
}

}  // namespace
}  // namespace hansard::flow
