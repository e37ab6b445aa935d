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

// The same words on other days of the year.
std::string due_on(CivilDate today, std::string_view text) {
  const auto tokens = tokenize(text);
  const auto p = find_due(tokens, today);
  if (!p) return "none";
  return p->date ? format_date(*p->date) : "no date";
}

TEST(Due, AroundTheEndOfTheYear) {
  const CivilDate december{2026, 12, 30};  // a Wednesday
  EXPECT_EQ(due_on(december, "by the end of the month"), "2026-12-31");
  EXPECT_EQ(due_on(december, "by the end of next month"), "2027-01-31");
  EXPECT_EQ(due_on(december, "next month"), "2027-01-31");
  EXPECT_EQ(due_on(december, "end of the quarter"), "2026-12-31");
  EXPECT_EQ(due_on(december, "end of next quarter"), "2027-03-31");
  EXPECT_EQ(due_on({2026, 5, 4}, "end of next quarter"), "2026-09-30");
  EXPECT_EQ(due_on(december, "end of the year"), "2026-12-31");
  EXPECT_EQ(due_on(december, "end of next year"), "2027-12-31");
  EXPECT_EQ(due_on(december, "end of January"), "2027-01-31");
  EXPECT_EQ(due_on(december, "end of December"), "2026-12-31");
  EXPECT_EQ(due_on(december, "on March 1"), "2027-03-01");
  EXPECT_EQ(due_on(december, "by the second"), "2027-01-02");
  EXPECT_EQ(due_on({2026, 1, 31}, "in a month"), "2026-02-28");
  EXPECT_EQ(due_on({2026, 1, 31}, "by the thirtieth"), "no date") << "February has none";
}

TEST(Due, OnAWeekendThisWeekEndsOnSunday) {
  EXPECT_EQ(due_on({2026, 1, 24}, "this week"), "2026-01-25");
  EXPECT_EQ(due_on({2026, 1, 24}, "end of the week"), "2026-01-25");
  EXPECT_EQ(due_on({2026, 1, 24}, "next week"), "2026-01-30");
}

TEST(Due, MoreWaysToSayIt) {
  EXPECT_EQ(due("tonight"), "2026-01-21");
  EXPECT_EQ(due("this evening"), "2026-01-21");
  EXPECT_EQ(due("by noon"), "2026-01-21");
  EXPECT_EQ(due("the sun at noon"), "none");
  EXPECT_EQ(due("tomorrow at noon"), "2026-01-22");
  EXPECT_EQ(due("first thing tomorrow"), "2026-01-22");
  EXPECT_EQ(due("this month"), "2026-01-31");
  EXPECT_EQ(due("coming Friday"), "2026-01-23");
  EXPECT_EQ(due("within the next thirty days"), "2026-02-20");
  EXPECT_EQ(due("three days from today"), "2026-01-24");
  EXPECT_EQ(due("in an hour"), "none");
  EXPECT_EQ(due("in two months"), "2026-03-21");
  EXPECT_EQ(due("in a couple weeks"), "2026-02-04");
  EXPECT_EQ(due("March the third"), "2026-03-03");
  EXPECT_EQ(due("March is long"), "none");
  EXPECT_EQ(due("March thirty first"), "2026-03-31");
  EXPECT_EQ(due("the thirtieth of March"), "2026-03-30");
  EXPECT_EQ(due("on the first, if you can"), "2026-02-01");
  EXPECT_EQ(due("till the first"), "2026-02-01");
  EXPECT_EQ(due("by the first draft"), "none");
  EXPECT_EQ(due("each Friday"), "none");
  EXPECT_EQ(due("no later than Friday"), "2026-01-23");
  EXPECT_EQ(due("next time"), "no date");
  EXPECT_EQ(due("this thing"), "none");
  EXPECT_EQ(due("the end of it"), "none");
}

TEST(Due, WithoutTheDayOfTheMeetingAPhraseIsFoundWithoutADate) {
  for (const char* text : {"by Friday", "tomorrow", "tonight", "this week", "next month", "in two weeks", "by March third",
                           "by the third", "end of March", "end of the day", "by the end of the week", "end of the month",
                           "end of the year", "end of the quarter"}) {
    const auto tokens = tokenize(text);
    const auto p = find_due(tokens, std::nullopt);
    ASSERT_TRUE(p) << text;
    EXPECT_FALSE(p->date) << text;
  }
  EXPECT_FALSE(find_due(tokenize("the end of the road"), std::nullopt));
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
  for (const char* bad : {"2026-2-3", "", "2026-02", "2026-02-03-04", "26-02-03x", "202x-02-03", "2026-0x-03", "2026-02-0x",
                          "2026-00-10", "2026-13-10", "2026-10-00", "2026-10-32", "02026-1-1", "2026-111-1"})
    EXPECT_FALSE(parse_date(bad)) << bad;
}

}  // namespace
}  // namespace hansard::analysis
