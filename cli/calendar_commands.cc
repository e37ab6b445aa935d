#include "cli/calendar_commands.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string_view>

#include "adapters/zoneinfo/zoneinfo.h"
#include "cli/calendar_connect.h"
#include "cli/calendar_daemon_commands.h"
#include "cli/json_lines.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/calendar/expand.h"

namespace hansard::cli {
namespace {

constexpr std::string_view kUsage =
    "Usage: hansard calendar expand FILE.ics --from T --to T [--zone ZONE]\n"
    "       hansard calendar rrule [FILE|-]\n"
    "       hansard calendar connect caldav URL --user NAME [--calendar NAME_OR_URL] [--id NAME]\n"
    "       hansard calendar connect google --client FILE.json [--calendar ID] [--id NAME]\n"
    "       hansard calendar connect google --client-id X [--calendar ID] [--id NAME]\n"
    "       hansard calendar connect google --service-account KEY.json --subject MAIL [--calendar ID] [--id NAME]\n"
    "       hansard calendar connect ics ADDRESS [--id NAME] [--account MAIL]\n"
    "       hansard calendar connect microsoft --client-id X [--tenant T] [--browser] [--id NAME]\n"
    "       hansard calendar connect microsoft --client-id X --tenant T --app --user MAILBOX\n"
    "               [--certificate PEM [--thumbprint SHA256]] [--id NAME]\n"
    "       hansard calendar list [--json]\n"
    "       hansard calendar sync [ID]\n"
    "       hansard calendar plan [--json]\n"
    "       hansard calendar disconnect ID\n"
    "\n"
    "expand  Writes the occurrences between --from and --to (RFC 3339 times, the end is exclusive) as JSON Lines:\n"
    "        uid, summary, status, all_day, start, end, kind (instant, date, floating). FILE may be - for standard input.\n"
    "        --zone ZONE reads floating and all-day times in that IANA zone when the window is compared (default: UTC).\n"
    "rrule   Reads JSON Lines {\"id\",\"dtstart\",\"rrule\",\"start_at\"?,\"limit\"?} and writes {\"id\",\"dates\":[...]} or\n"
    "        {\"id\",\"error\"}. Times look like 20250304T100000. limit is 1000 unless given (at most 100000).\n"
    "list    Each calendar: its state, how many of its meetings are attended, when it was read, what to do when it cannot be.\n"
    "sync    Lets the daemon read one calendar, or all, now, and waits for it. Exit code 1 when one could not be read.\n"
    "plan    Every meeting of the coming hours, whether it will be attended, and the reason.\n"
    "disconnect  Forgets a connected calendar and asks the vendor to take the grant back.\n"
    "list and plan read the daemon; without one, what was stored. Each takes --config FILE.\n";

int usage_error(const std::string& what) {
  std::cerr << "hansard calendar: " << what << " (see hansard calendar --help)\n";
  return 2;
}

int failed(const std::string& what) {
  std::cerr << "hansard calendar: " << what << "\n";
  return 1;
}

std::optional<std::string> read_all(const std::string& path) {
  if (path == "-") return std::string{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int cmd_expand(std::span<const std::string> args) {
  std::string file, from_text, to_text, zone_name;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& a = args[i];
    if (a == "--from" || a == "--to" || a == "--zone") {
      if (i + 1 >= args.size()) return usage_error(a + " needs a value");
      (a == "--from" ? from_text : a == "--to" ? to_text : zone_name) = args[++i];
    } else if (a.size() > 1 && a.front() == '-') {
      return usage_error("unknown option " + a);
    } else if (!file.empty()) {
      return usage_error("one calendar file at a time");
    } else {
      file = a;
    }
  }
  if (file.empty()) return usage_error("expand needs a calendar file");
  if (from_text.empty() || to_text.empty()) return usage_error("expand needs --from and --to, such as 2025-03-01T00:00:00Z");
  const auto from = parse_rfc3339(from_text);
  const auto to = parse_rfc3339(to_text);
  if (!from || !to) return usage_error("--from and --to must be RFC 3339 times such as 2025-03-01T00:00:00Z");
  if (*to < *from) return usage_error("--to is before --from");
  std::optional<calendar::TimeZone> local;
  if (!zone_name.empty()) {
    const auto bytes = read_system_zone(zone_name);
    auto zone =
        bytes ? calendar::TimeZone::from_tzif(*bytes) : Result<calendar::TimeZone>(fail(ErrorClass::kNotFound, "calendar", ""));
    if (!zone) return usage_error("no such zone: " + zone_name);
    local = std::move(*zone);
  }
  const auto bytes = read_all(file);
  if (!bytes) return failed("cannot read " + file + ": check the name and the permissions");
  const auto calendar = calendar::read_calendar(*bytes);
  if (!calendar) return failed(file + ": " + calendar.error().detail);
  const calendar::ZoneTable zones = calendar::load_zones(*calendar, read_system_zone);
  calendar::ExpandLimits limits;
  if (local) limits.local_zone = &*local;
  const auto expansion = calendar::expand(*calendar, *from, *to, zones, limits);
  if (!expansion) return failed(file + ": " + expansion.error().detail);
  for (const auto& problem : calendar->problems) std::cerr << "hansard calendar: " << file << ": " << problem << "\n";
  for (const auto& problem : expansion->problems) std::cerr << "hansard calendar: " << file << ": " << problem << "\n";
  std::string out;
  for (const auto& occurrence : expansion->occurrences) out += calendar::occurrence_json(occurrence).dump() + "\n";
  std::cout << out << std::flush;
  return std::cout ? 0 : failed("cannot write the output");
}

/// Answers one line of `rrule`.
Json rrule_answer(const Json& question) {
  Json answer = Json::object();
  answer.set("id", question["id"]);
  const auto dtstart = calendar::parse_cal_time(question.text_or("dtstart"));
  if (!dtstart) return answer.set("error", "dtstart must look like 20250304T100000 or 20250304");
  auto rule = calendar::parse_rrule(question.text_or("rrule"));
  if (!rule) return answer.set("error", rule.error().detail);
  // There is no zone here, so a UTC value of UNTIL is compared by its digits.
  if (rule->until && rule->until->form == calendar::TimeForm::kUtc) rule->until->form = calendar::TimeForm::kFloating;
  const std::int64_t limit = std::clamp<std::int64_t>(question.int_or("limit", 1000), 0, 100'000);
  calendar::WorkBudget budget;
  calendar::RecurrenceIterator it(*rule, dtstart->wall, INT64_MAX, budget);
  if (const auto start_at = calendar::parse_cal_time(question.text_or("start_at"))) it.seek(start_at->wall);
  Json dates = Json::array();
  while (static_cast<std::int64_t>(dates.items().size()) < limit) {
    const auto wall = it.next();
    if (!wall) break;
    const std::string text = calendar::format_wall_basic(*wall);
    const bool date = dtstart->form == calendar::TimeForm::kDate;
    dates.push(date ? text.substr(0, 8) : text + (dtstart->form == calendar::TimeForm::kUtc ? "Z" : ""));
  }
  if (it.out_of_budget())
    return answer.set("error", "the rule needs more work than the limit: its dates are too rare or too many");
  return answer.set("dates", std::move(dates));
}

int cmd_rrule(std::span<const std::string> args) {
  if (args.size() > 1) return usage_error("rrule reads one file of JSON Lines, or standard input");
  const std::string file = args.empty() ? "-" : args[0];
  if (file.size() > 1 && file.front() == '-') return usage_error("unknown option " + file);
  return answer_json_lines("calendar", file, "{\"id\",\"dtstart\",\"rrule\"}", rrule_answer);
}

}  // namespace

int cmd_calendar(std::span<const std::string> args) {
  if (args.empty()) return usage_error("say connect, list, sync, plan, disconnect, expand or rrule");
  if (std::find(args.begin(), args.end(), "--help") != args.end() || args[0] == "-h" || args[0] == "help") {
    std::cout << kUsage;
    return 0;
  }
  if (args[0] == "expand") return cmd_expand(args.subspan(1));
  if (args[0] == "connect") return cmd_connect(args.subspan(1));
  if (args[0] == "rrule") return cmd_rrule(args.subspan(1));
  if (args[0] == "list") return cmd_calendar_list(args.subspan(1));
  if (args[0] == "sync") return cmd_calendar_sync(args.subspan(1));
  if (args[0] == "plan") return cmd_calendar_plan(args.subspan(1));
  if (args[0] == "disconnect") return cmd_calendar_disconnect(args.subspan(1));
  return usage_error("no such command: calendar " + args[0]);
}

}  // namespace hansard::cli
