#include "core/base/time.h"

#include <gtest/gtest.h>

#include <string>

namespace hansard {
namespace {

TEST(Time, ReadsEveryFormOfRfc3339) {
  const std::int64_t expected = 1'772'618'400'000;  // date -u -d 2026-03-04T10:00:00Z +%s
  for (const char* text : {"2026-03-04T10:00:00Z", "2026-03-04t10:00:00z", "2026-03-04 10:00:00Z", "2026-03-04T10:00:00.000Z",
                           "2026-03-04T10:00:00+00:00", "2026-03-04T10:00:00-00:00", "2026-03-04T15:45:00+05:45",
                           "2026-03-04T00:30:00-09:30", "2026-03-03T10:01:00-23:59"}) {
    const auto t = parse_rfc3339(text);
    ASSERT_TRUE(t) << text;
    EXPECT_EQ(t->ms, expected) << text;
  }
  // What is finer than a millisecond is cut off, however long it is.
  EXPECT_EQ(parse_rfc3339("2026-03-04T10:00:00.1239999999999999999999999Z")->ms, expected + 123);
  EXPECT_EQ(parse_rfc3339("2026-03-04T10:00:00.5Z")->ms, expected + 500);
  // A leap second is the first second of the next minute.
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z")->ms, parse_rfc3339("2017-01-01T00:00:00Z")->ms);
}

TEST(Time, RefusesWhatIsCutOffOrGoesOn) {
  for (const std::string whole : {"2026-03-04T10:00:00Z", "2026-03-04T10:00:00+05:45"}) {
    for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(parse_rfc3339(whole.substr(0, n))) << whole.substr(0, n);
    for (const char* more : {" ", "Z", "0", "+"}) EXPECT_FALSE(parse_rfc3339(whole + more)) << whole << more;
  }
  EXPECT_FALSE(parse_rfc3339("2026-03-04T10:00:00.Z"));
}

TEST(Time, RefusesWhatNoCalendarOrClockShows) {
  for (const char* text : {"2026-00-04T10:00:00Z", "2026-13-04T10:00:00Z", "2026-03-00T10:00:00Z", "2026-04-31T10:00:00Z",
                           "2026-02-29T10:00:00Z", "1900-02-29T10:00:00Z", "2026-03-04T24:00:00Z", "2026-03-04T10:60:00Z",
                           "2026-03-04T10:00:61Z", "2026-03-04T10:00:00+24:00", "2026-03-04T10:00:00+00:60",
                           "2026/03/04T10:00:00Z", "2026-03-04T10.00.00Z", "2026-03-04T-1:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
  EXPECT_TRUE(parse_rfc3339("2000-02-29T10:00:00Z"));
}

TEST(Time, AnyByteInAnyPlaceIsRefusedOrReadAsWhatIsWritten) {
  const std::string whole = "2026-03-04T10:00:00.250Z";
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = whole;
      text[at] = static_cast<char>(byte);
      const auto t = parse_rfc3339(text);
      if (!t) continue;
      const auto again = parse_rfc3339(format_rfc3339(*t));
      ASSERT_TRUE(again) << text;
      EXPECT_EQ(again->ms, t->ms) << text;
      if (text.substr(17, 2) == "60") continue;  // written as the next minute
      EXPECT_EQ(format_rfc3339(*t).substr(0, 19), text.substr(0, 10) + "T" + text.substr(11, 8));
    }
  }
}

TEST(Time, BeforeTheEpoch) {
  EXPECT_EQ(format_rfc3339({-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339({-86'400'000}), "1969-12-31T00:00:00Z");
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999Z")->ms, -1);
  EXPECT_EQ(parse_rfc3339("0000-03-01T00:00:00Z")->ms, -719'468LL * 86'400'000);
  EXPECT_EQ(civil_from_days(days_from_civil({-400, 2, 29})), (CivilDate{-400, 2, 29}));
  // 1 January 1970 was a Thursday.
  EXPECT_EQ(weekday_from_days(0), 4);
  EXPECT_EQ(weekday_from_days(-1), 3);
  EXPECT_EQ(weekday_from_days(-5), 6);
  EXPECT_EQ(weekday_from_days(-7), 4);
}

}  // namespace
}  // namespace hansard
