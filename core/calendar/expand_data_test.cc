// Whole calendars and their expected occurrences: the project's own always, the shared development data when present.
#include <algorithm>

#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/calendar/rrule.h"
#include "core/calendar/test_support.h"

namespace hansard::calendar {
namespace {

using testing::read_file;

/// The members that are compared, one text an occurrence, sorted.
std::vector<std::string> comparable(const Json& occurrences, bool with_ends) {
  std::vector<std::string> out;
  for (const Json& o : occurrences.items()) {
    std::string line = o.text_or("uid") + "|" + o.text_or("start") + "|" + o.text_or("status") + "|" + o.text_or("kind") + "|" +
                       o.text_or("summary");
    if (with_ends) line += "|" + o.text_or("end");
    out.push_back(std::move(line));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<Json> expanded(const std::filesystem::path& ics, const Json& window) {
  const auto bytes = read_file(ics);
  if (!bytes) return std::nullopt;
  const auto calendar = read_calendar(*bytes);
  if (!calendar) return std::nullopt;
  const auto e = expand(*calendar, testing::at(window.text_or("start")), testing::at(window.text_or("end")),
                        load_zones(*calendar, testing::system_zone));
  if (!e) return std::nullopt;
  Json out = Json::array();
  for (const Occurrence& o : e->occurrences) out.push(occurrence_json(o));
  return out;
}

void check_case(const std::filesystem::path& ics, const std::filesystem::path& wanted_file, bool disputed) {
  const auto wanted_text = read_file(wanted_file);
  ASSERT_TRUE(wanted_text) << wanted_file;
  const auto wanted = Json::parse(*wanted_text);
  ASSERT_TRUE(wanted) << wanted_file;
  const auto got = expanded(ics, (*wanted)["window"]);
  ASSERT_TRUE(got) << ics;
  const auto mine = comparable(*got, !disputed);
  if (!disputed) {
    EXPECT_EQ(mine, comparable((*wanted)["occurrences"], true)) << ics;
    return;
  }
  bool any = mine == comparable((*wanted)["occurrences"], false);
  for (const Json& other : (*wanted)["alternatives"].items())
    any = any || mine == comparable(other.is_array() ? other : other["occurrences"], false);
  EXPECT_TRUE(any) << ics << " " << got->dump();
}

TEST(CalendarCases, TrapsOfTheProject) {
  if (!testing::has_zones()) GTEST_SKIP() << "no zone files on this machine (apt-get install tzdata)";
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::tests_data() / "icalendar" / "traps")) {
    if (entry.path().extension() != ".ics") continue;
    std::filesystem::path wanted = entry.path();
    wanted.replace_extension(".json");
    const auto text = read_file(wanted);
    ASSERT_TRUE(text) << wanted;
    check_case(entry.path(), wanted, Json::parse(*text)->text_or("confidence") == "disputed");
    ++cases;
  }
  EXPECT_EQ(cases, 34);
}

TEST(CalendarCases, SharedDevelopmentData) {
  const auto root = testing::shared_data() / "icalendar";
  const auto index = read_file(root / "index.json");
  if (!index || !testing::has_zones()) GTEST_SKIP() << "no development data at " << root;
  int strict = 0;
  int robust = 0;
  const auto cases = Json::parse(*index);
  for (const Json& c : cases->items()) {
    const std::string confidence = c.text_or("confidence");
    const auto ics = root / c.text_or("file");
    if (confidence == "agreed-3" || confidence == "agreed-2" || confidence == "adjudicated" || confidence == "disputed") {
      check_case(ics, root / c.text_or("expected"), confidence == "disputed");
      ++strict;
    } else {
      // No list to compare with: it must end, and give an error or a list.
      Json window = Json::object();
      window.set("start", "1990-01-01T00:00:00Z").set("end", "2035-01-01T00:00:00Z");
      static_cast<void>(expanded(ics, window));
      ++robust;
    }
  }
  EXPECT_GT(strict, 0);
  EXPECT_GT(robust, 0);
}

TEST(CalendarCases, SharedRecurrenceRules) {
  const auto text = read_file(testing::shared_data() / "icalendar" / "rrule-vectors.json");
  if (!text) GTEST_SKIP() << "no development data at " << testing::shared_data();
  const auto vectors = Json::parse(*text);
  for (const Json& v : vectors->items()) {
    if (!v.bool_or("rfc5545_allows", false) || v.bool_or("disputed", false)) continue;
    auto rule = parse_rrule(v.text_or("rrule"));
    ASSERT_TRUE(rule) << v.text_or("id");
    if (rule->until && rule->until->form == TimeForm::kUtc) rule->until->form = TimeForm::kFloating;
    WorkBudget budget;
    RecurrenceIterator it(*rule, parse_cal_time(v.text_or("dtstart"))->wall, INT64_MAX, budget);
    if (v.has("start_at")) it.seek(parse_cal_time(v.text_or("start_at"))->wall);
    for (const Json& wanted : v["expected"].items()) {
      const auto wall = it.next();
      ASSERT_TRUE(wall) << v.text_or("id") << " " << v.text_or("rrule");
      ASSERT_EQ(format_wall_basic(*wall), wanted.as_string()->substr(0, 15)) << v.text_or("id") << " " << v.text_or("rrule");
    }
    if (v.bool_or("complete", false)) {
      EXPECT_FALSE(it.next()) << v.text_or("id") << " " << v.text_or("rrule");
    }
  }
}

}  // namespace
}  // namespace hansard::calendar
