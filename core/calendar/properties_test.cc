// Laws of the expansion, with generated rules: a window cut in two gives what the whole gives; the answer is ordered
// and holds nothing twice.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/calendar/test_support.h"

namespace hansard::calendar {
namespace {

std::string pick(const std::vector<std::string>& all) { return *rc::gen::elementOf(all); }

/// A calendar of one generated series, with overrides and exclusions now and then.
std::string generated_calendar() {
  std::string rule = "FREQ=" + pick({"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"});
  rule += ";INTERVAL=" + std::to_string(*rc::gen::inRange(1, 5));
  if (*rc::gen::arbitrary<bool>()) rule += ";COUNT=" + std::to_string(*rc::gen::inRange(1, 60));
  if (*rc::gen::arbitrary<bool>()) rule += ";BYDAY=" + pick({"MO", "TU,TH", "SA,SU", "MO,TU,WE,TH,FR"});
  if (*rc::gen::inRange(0, 4) == 0) rule += ";BYMONTH=" + pick({"1", "2,6", "3,4,5,10"});
  if (*rc::gen::inRange(0, 4) == 0) rule += ";BYSETPOS=" + pick({"1", "-1", "1,-1", "2"});
  const std::string zone = pick({"Europe/Berlin", "America/New_York", "Asia/Kolkata"});
  const std::string day = "202503" + pick({"03", "08", "09", "29", "30"});
  const std::string clock = pick({"T003000", "T023000", "T090000", "T233000"});
  std::string out = testing::event_of("UID:g\r\nDTSTART;TZID=" + zone + ":" + day + clock +
                                      "\r\nDURATION:" + pick({"PT0S", "PT30M", "PT26H", "P2D"}) + "\r\nRRULE:" + rule +
                                      "\r\nEXDATE;TZID=" + zone + ":20250405" + clock + "\r\n");
  if (*rc::gen::arbitrary<bool>()) {
    out += testing::event_of("UID:g\r\nRECURRENCE-ID;TZID=" + zone + ":" + day + clock + "\r\nDTSTART;TZID=" + zone +
                             ":20250415T120000\r\nSUMMARY:moved\r\n");
  }
  return testing::calendar_of(out);
}

RC_GTEST_PROP(ExpandLaws, AWindowCutInTwoGivesTheWhole, ()) {
  RC_PRE(testing::has_zones());
  const auto calendar = read_calendar(generated_calendar());
  RC_ASSERT(calendar.has_value());
  const ZoneTable zones = load_zones(*calendar, testing::system_zone);
  const Instant from = testing::at("2025-03-01T00:00:00Z") + minutes(*rc::gen::inRange(0, 60 * 24 * 30));
  const Instant middle = from + minutes(*rc::gen::inRange(0, 60 * 24 * 60));
  const Instant to = middle + minutes(*rc::gen::inRange(0, 60 * 24 * 60));
  const auto keys = [&](Instant a, Instant b) {
    std::set<std::string> out;
    const auto e = expand(*calendar, a, b, zones);
    for (const Occurrence& o : e->occurrences) {
      // What begins in the window; an overlap from before it belongs to both halves.
      if (o.start >= a) out.insert(o.key + " " + format_rfc3339(o.start) + " " + format_rfc3339(o.end));
    }
    return out;
  };
  std::set<std::string> both = keys(from, middle);
  both.merge(keys(middle, to));
  RC_ASSERT(both == keys(from, to));
}

RC_GTEST_PROP(ExpandLaws, TheAnswerIsOrderedWithoutDuplicatesAndInTheWindow, ()) {
  RC_PRE(testing::has_zones());
  const auto calendar = read_calendar(generated_calendar());
  const ZoneTable zones = load_zones(*calendar, testing::system_zone);
  const Instant from = testing::at("2025-03-01T00:00:00Z");
  const Instant to = from + hours(24 * *rc::gen::inRange(1, 400));
  const auto e = expand(*calendar, from, to, zones);
  RC_ASSERT(e.has_value());
  std::set<std::string> keys;
  for (std::size_t i = 0; i < e->occurrences.size(); ++i) {
    const Occurrence& o = e->occurrences[i];
    RC_ASSERT(keys.insert(o.key).second);
    RC_ASSERT(o.end >= o.start);
    RC_ASSERT(o.start < to && (o.end > from || (o.end == o.start && o.start >= from)));
    if (i > 0) RC_ASSERT(e->occurrences[i - 1].start <= o.start);
  }
}

}  // namespace
}  // namespace hansard::calendar
