#include "core/analysis/due.h"

#include <gtest/gtest.h>

namespace hansard::analysis {
namespace {

// The meeting is on Wednesday, 2026-01-21.
std::string due(std::string_view text) {
  const auto tokens = tokenize(text);
  const auto p = find_due(tokens, CivilDate{2026, 1, 21});
  if (!p) return "none";
  return p->date ? format_date(*p->date) : "no date";
}

TEST(Due, Weekdays) {
  EXPECT_EQ(due("I'll send it by Friday"), "2026-01-23");
  EXPECT_EQ(due("on Wednesday"), "2026-01-28") << "a bare weekday is never today";
  EXPECT_EQ(due("this Wednesday"), "2026-01-21");
  EXPECT_EQ(due("next Tuesday"), "2026-01-27");
  EXPECT_EQ(due("next Friday"), "2026-01-30");
  EXPECT_EQ(due("Friday next week"), "2026-01-30");
  EXPECT_EQ(due("next week on Thursday"), "2026-01-29");
  EXPECT_EQ(due("last Friday"), "none");
  EXPECT_EQ(due("every Friday"), "none");
}

TEST(Due, Days) {
  EXPECT_EQ(due("I can do it tomorrow morning"), "2026-01-22");
  EXPECT_EQ(due("later today"), "2026-01-21");
  EXPECT_EQ(due("you get it this afternoon"), "2026-01-21");
  EXPECT_EQ(due("the day after tomorrow"), "2026-01-23");
  EXPECT_EQ(due("by the end of the day"), "2026-01-21");
  EXPECT_EQ(due("we did it yesterday"), "none");
}

TEST(Due, Periods) {
  EXPECT_EQ(due("by the end of the week"), "2026-01-23");
  EXPECT_EQ(due("by end of next week"), "2026-01-30");
  EXPECT_EQ(due("before the end of the month"), "2026-01-31");
  EXPECT_EQ(due("by the end of February"), "2026-02-28");
  EXPECT_EQ(due("this week"), "2026-01-23");
  EXPECT_EQ(due("in two weeks"), "2026-02-04");
  EXPECT_EQ(due("within 10 days"), "2026-01-31");
  EXPECT_EQ(due("a week from now"), "2026-01-28");
  EXPECT_EQ(due("in a couple of days"), "2026-01-23");
  EXPECT_EQ(due("end of the quarter"), "2026-03-31");
  EXPECT_EQ(due("two weeks ago"), "none");
  EXPECT_EQ(due("it takes two weeks"), "none");
}

TEST(Due, DatesOfTheYear) {
  EXPECT_EQ(due("by March third"), "2026-03-03");
  EXPECT_EQ(due("by March 3rd"), "2026-03-03");
  EXPECT_EQ(due("the twenty third of March"), "2026-03-23");
  EXPECT_EQ(due("until February tenth"), "2026-02-10");
  EXPECT_EQ(due("on 4 January"), "2027-01-04") << "passed: next year's";
  EXPECT_EQ(due("by the twentieth"), "2026-02-20");
  EXPECT_EQ(due("by the 30th"), "2026-01-30");
  EXPECT_EQ(due("February thirtieth"), "no date");
  EXPECT_EQ(due("the second option"), "none");
}

TEST(Due, ADeadlineGoesFirstAndWithoutAMeetingDateThereIsNone) {
  EXPECT_EQ(due("today we talk, I'll write by Monday"), "2026-01-26");
  EXPECT_EQ(due("by the next meeting"), "no date");
  const auto tokens = tokenize("by Friday");
  const auto p = find_due(tokens, std::nullopt);
  ASSERT_TRUE(p);
  EXPECT_FALSE(p->date);
  EXPECT_TRUE(p->deadline);
}

TEST(Due, ParsesOnlyRealDates) {
  EXPECT_EQ(parse_date("2026-02-28").value(), (CivilDate{2026, 2, 28}));
  EXPECT_FALSE(parse_date("2026-02-30"));
  EXPECT_FALSE(parse_date("2026-2-3"));
}

}  // namespace
}  // namespace hansard::analysis
