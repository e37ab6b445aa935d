#include "core/calendar/zone.h"

#include <gtest/gtest.h>

#include "core/calendar/test_support.h"
#include "core/calendar/vtimezone.h"
#include "core/calendar/windows_zones.h"

namespace hansard::calendar {
namespace {

std::int64_t wall(std::string_view text) { return parse_cal_time(text)->wall; }
std::string utc(const TimeZone& zone, std::string_view local) { return format_wall(zone.to_utc(wall(local))); }

TEST(TimeZone, ReadsGapsAndFoldsAsRfc5545Says) {
  const auto bytes = testing::system_zone("America/New_York");
  if (!bytes) GTEST_SKIP() << "no zone files on this machine";
  const auto zone = TimeZone::from_tzif(*bytes);
  ASSERT_TRUE(zone);
  EXPECT_EQ(utc(*zone, "20260308T015959"), "2026-03-08T06:59:59");
  EXPECT_EQ(utc(*zone, "20260308T023000"), "2026-03-08T07:30:00");  // in the gap: the offset before it
  EXPECT_EQ(utc(*zone, "20260308T030000"), "2026-03-08T07:00:00");
  EXPECT_EQ(utc(*zone, "20261101T013000"), "2026-11-01T05:30:00");  // occurs twice: the first
  EXPECT_EQ(utc(*zone, "20261101T020000"), "2026-11-01T07:00:00");
  EXPECT_TRUE(zone->is_ambiguous(wall("20261101T013000")));
  EXPECT_FALSE(zone->is_ambiguous(wall("20261101T020000")));
  EXPECT_FALSE(zone->is_ambiguous(wall("20260701T013000")));
  // The rules go on: in the footer, and 400 years later again.
  EXPECT_EQ(utc(*zone, "20500701T120000"), "2050-07-01T16:00:00");
  EXPECT_EQ(utc(*zone, "28500701T120000"), "2850-07-01T16:00:00");
  EXPECT_EQ(utc(*zone, "28500101T120000"), "2850-01-01T17:00:00");
}

TEST(TimeZone, WallAndUtcAgreeWheneverTheTimeIsUnique) {
  for (const std::string name :
       {"Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca"}) {
    const auto bytes = testing::system_zone(name);
    if (!bytes) GTEST_SKIP() << "no zone files on this machine";
    const auto zone = TimeZone::from_tzif(*bytes);
    ASSERT_TRUE(zone) << name;
    for (std::int64_t t = -2'000'000'000; t < 4'000'000'000; t += 1'234'567) {
      const WallSeconds local = zone->to_wall(t);
      const std::int64_t back = zone->to_utc(local);
      if (back != t) {
        ASSERT_LT(back, t) << name << " " << t;  // only the second of two readings may differ
        ASSERT_TRUE(zone->is_ambiguous(local)) << name << " " << t;
      }
    }
  }
}

/// A zone file without transitions: UTC+0 until `footer` says otherwise.
std::string tzif(const std::string& footer) {
  std::string block = "TZif2" + std::string(15, '\0');
  const std::string none(4, '\0');
  const std::string one = std::string(3, '\0') + '\x01';
  block += none + none + none + none + one + one;  // one type, a name of one character
  block += std::string(6, '\0') + std::string(1, '\0');
  return block + block + "\n" + footer + "\n";
}
std::optional<std::int32_t> offset(const std::string& footer, std::string_view utc_time) {
  const auto zone = TimeZone::from_tzif(tzif(footer));
  if (!zone) return std::nullopt;
  return zone->offset_at(wall(utc_time));
}

TEST(TimeZone, ReadsEveryFormOfRuleInTheFooter) {
  EXPECT_EQ(offset("<-03>3", "20260701T000000"), -10'800);
  EXPECT_EQ(offset("IST-5:30", "20260701T000000"), 19'800);
  EXPECT_EQ(offset("LMT+0:53:28", "20260701T000000"), -3'208);
  // Day 60 is 1 March in every year for J, and 29 February or 1 March when they are counted from 0.
  for (const auto& [rule, year, day] : {std::tuple("AAA0BBB,J60/0,J300/0", "2024", "0301"),
                                        {"AAA0BBB,J60/0,J300/0", "2025", "0301"},
                                        {"AAA0BBB,59/0,300/0", "2024", "0229"},
                                        {"AAA0BBB,59/0,300/0", "2025", "0301"},
                                        {"AAA0BBB,M3.1.5/0,M10.5.0", "2024", "0301"},
                                        {"AAA0BBB,M2.5.4/0,M10.5.0", "2024", "0229"},
                                        {"AAA0BBB,M12.5.0/0,M1.1.0/0", "2024", "1229"}}) {
    const std::string at = std::string(year) + day;
    const std::string before = std::to_string(std::stol(at) - (std::string(day) == "0301" ? 0 : 1));
    if (std::string(day) != "0301") {
      EXPECT_EQ(offset(rule, before + "T235959"), 0) << rule << " " << year;
    } else {
      EXPECT_EQ(offset(rule, std::string(year) + "0228T235959"), 0) << rule << " " << year;
    }
    EXPECT_EQ(offset(rule, at + "T000000"), 3'600) << rule << " " << year;
  }
  EXPECT_EQ(offset("AAA3BBB1:30,M3.2.0/-1,M11.1.0/26:30:15", "20260701T000000"), -5'400) << "a summer time of its own";
}

TEST(TimeZone, AFooterThatCannotBeReadChangesNothing) {
  for (const char* bad : {"",
                          "A0",
                          "<AB",
                          "AAA",
                          "AAA25",
                          "AAA0:60",
                          "AAA0:0:60",
                          "AAA0B",
                          "AAA0BBB",
                          "AAA0BBB25",
                          "AAA0BBB1",
                          "AAA0BBB,",
                          "AAA0BBB,M3.2.0",
                          "AAA0BBB,M13.1.0,M11.1.0",
                          "AAA0BBB,M0.1.0,M11.1.0",
                          "AAA0BBB,M3.6.0,M11.1.0",
                          "AAA0BBB,M3.0.0,M11.1.0",
                          "AAA0BBB,M3.1.7,M11.1.0",
                          "AAA0BBB,M3,M11.1.0",
                          "AAA0BBB,M3.1,M11.1.0",
                          "AAA0BBB,J366,J300",
                          "AAA0BBB,x,J300",
                          "AAA0BBB,J60/168,J300",
                          "AAA0BBB,J60,J300x"})
    EXPECT_EQ(offset(bad, "20260701T000000"), 0) << bad;
}

TEST(TimeZone, RefusesBrokenBytes) {
  EXPECT_FALSE(TimeZone::from_tzif(""));
  EXPECT_FALSE(TimeZone::from_tzif("TZif2"));
  EXPECT_FALSE(TimeZone::from_tzif(std::string("TZif") + std::string(40, '\xFF')));
  if (const auto bytes = testing::system_zone("Europe/Berlin")) {
    for (std::size_t n = 0; n < bytes->size(); n += 7) static_cast<void>(TimeZone::from_tzif(bytes->substr(0, n)));
  }
}

/// Zones with the usual yearly rules are built by a shorter way; BYHOUR, which changes nothing, takes the long one.
TEST(VTimeZone, BothWaysToBuildATableAgree) {
  const auto zone = [](const std::string& extra, const char* spring, const char* autumn) {
    std::vector<Observance> parts(2);
    parts[0] = {parse_cal_time("19700329T020000"), 3600, 7200, {*parse_rrule(std::string(spring) + extra)}, {}};
    parts[1] = {parse_cal_time("16010101T020000"), 7200, 3600, {*parse_rrule(std::string(autumn) + extra)}, {}};
    WorkBudget budget;
    return build_zone(parts, budget);
  };
  for (const auto& [spring, autumn] : {std::pair("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
                                       std::pair("FREQ=YEARLY;BYMONTH=2;BYDAY=2MO", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"),
                                       std::pair("FREQ=YEARLY;BYMONTH=2;BYDAY=5TH", "FREQ=YEARLY;BYMONTH=12;BYDAY=-5FR"),
                                       std::pair("FREQ=YEARLY;BYMONTH=1;BYDAY=-3SA", "FREQ=YEARLY;BYMONTH=12;BYDAY=3SA")}) {
    const auto quick = zone("", spring, autumn);
    const auto thorough = zone(";BYHOUR=2", spring, autumn);
    ASSERT_TRUE(quick && thorough);
    int summers = 0;
    for (std::int64_t t = -12'000'000'000; t < 8'000'000'000; t += 20'000) {
      ASSERT_EQ(quick->offset_at(t), thorough->offset_at(t)) << spring << " " << t;
      summers += quick->offset_at(t) == 7200;
    }
    EXPECT_GT(summers, 1000) << spring;
  }
}

TEST(VTimeZone, DatesAndEndsOfRules) {
  std::vector<Observance> parts(2);
  parts[0] = {parse_cal_time("20250101T000000"), 3600, 3600, {}, {}};
  parts[1] = {parse_cal_time("20250330T020000"),
              3600,
              7200,
              {*parse_rrule("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20260329T010000Z")},
              {*parse_cal_time("20280301T020000"), *parse_cal_time("20290301T010000Z")}};
  WorkBudget budget;
  const auto zone = build_zone(parts, budget);
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->offset_at(wall("20250330T005959")), 3600);
  EXPECT_EQ(zone->offset_at(wall("20250330T010000")), 7200);
  EXPECT_FALSE(build_zone({}, budget));
  EXPECT_FALSE(build_zone({Observance{}}, budget)) << "without a start there is none";
  EXPECT_FALSE(usable_zone({Observance{}}));
  // No offset before it: the one after it counts.
  std::vector<Observance> alone(1);
  alone[0] = {parse_cal_time("20250101T000000"), {}, -18'000, {}, {}};
  EXPECT_EQ(build_zone(alone, budget)->offset_at(wall("20200101T000000")), -18'000);
}

TEST(VTimeZone, ARuleThatIsNotPlainIsFollowedAllTheSame) {
  for (const char* rule :
       {"FREQ=YEARLY;INTERVAL=2;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;COUNT=5;BYMONTH=3;BYDAY=-1SU",
        "FREQ=YEARLY;BYMONTH=3,4;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU,1MO", "FREQ=YEARLY;BYMONTH=3;BYDAY=SU",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;BYSECOND=0", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;BYMINUTE=0",
        "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=30", "FREQ=YEARLY;BYYEARDAY=89", "FREQ=YEARLY;BYWEEKNO=13;BYDAY=SU",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=SU;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=-1SU", "FREQ=SECONDLY"}) {
    std::vector<Observance> parts(1);
    parts[0] = {parse_cal_time("20250330T020000"), 3600, 7200, {*parse_rrule(rule)}, {}};
    WorkBudget budget;
    const auto zone = build_zone(parts, budget);
    ASSERT_TRUE(zone) << rule;
    EXPECT_EQ(zone->offset_at(wall("20250330T005959")), 3600) << rule;
    EXPECT_EQ(zone->offset_at(wall("20250330T010000")), 7200) << rule;
  }
}

TEST(ZoneNames, FindsTheLongestTailAndWindowsNames) {
  EXPECT_EQ(zone_candidates("/freeassociation.sourceforge.net/Europe/Berlin").front(), "Europe/Berlin");
  EXPECT_EQ(zone_candidates("/citadel.org/20210210_1/America/Los_Angeles").front(), "America/Los_Angeles");
  EXPECT_EQ(zone_candidates("W. Europe Standard Time").front(), "Europe/Berlin");
  EXPECT_EQ(zone_candidates("\"eastern standard time\" ").front(), "America/New_York");
  EXPECT_EQ(zone_candidates("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna").front(), "Europe/Berlin");
  EXPECT_TRUE(zone_candidates("../../etc/passwd").empty() ||
              zone_candidates("../../etc/passwd").front().find("..") == std::string::npos);
  EXPECT_FALSE(is_zone_name("/etc/passwd"));
  EXPECT_FALSE(is_zone_name("Europe/../../x"));
  EXPECT_EQ(fixed_offset("GMT+0200"), 7200);
  EXPECT_EQ(fixed_offset("UTC"), 0);
  EXPECT_FALSE(fixed_offset("(GMT +01:00)"));
  EXPECT_FALSE(fixed_offset("Customized Time Zone"));
  EXPECT_TRUE(zone_candidates("").empty());
  EXPECT_TRUE(zone_candidates("\"\"").empty());
  EXPECT_TRUE(zone_candidates(std::string(300, 'x')).empty());
}

TEST(ZoneNames, EveryWindowsZoneExistsOnThisMachine) {
  if (!testing::has_zones()) GTEST_SKIP() << "no zone files on this machine";
  for (const std::string name :
       {"Tokyo Standard Time", "India Standard Time", "FLE Standard Time", "SE Asia Standard Time", "Greenland Standard Time",
        "US Eastern Standard Time", "Argentina Standard Time", "Nepal Standard Time"}) {
    const std::string iana(iana_of_windows_zone(name));
    EXPECT_TRUE(testing::system_zone(iana)) << name << " " << iana;
  }
}

}  // namespace
}  // namespace hansard::calendar
