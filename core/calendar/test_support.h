#pragma once
// For the tests of this folder only: files and zones of the machine.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>

#include "core/calendar/expand.h"

namespace hansard::calendar::testing {

inline std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  return std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline std::optional<std::string> system_zone(std::string_view name) {
  return read_file(std::filesystem::path("/usr/share/zoneinfo") / name);
}
inline bool has_zones() { return system_zone("Europe/Berlin").has_value(); }

/// The repository's root: tests run there.
inline std::filesystem::path tests_data() { return std::filesystem::path("tests/data"); }

inline std::filesystem::path shared_data() {
  const char* given = std::getenv("HANSARD_EVAL_DATA");
  return given != nullptr && *given != '\0' ? std::filesystem::path(given) : std::filesystem::path("../shared/data");
}

inline Instant at(std::string_view text) { return parse_rfc3339(text).value_or(Instant{}); }

/// "start summary" of each occurrence of a text in [from, to).
inline std::vector<std::string> starts(std::string_view ics, std::string_view from, std::string_view to) {
  const auto calendar = read_calendar(ics);
  if (!calendar) return {"unreadable: " + calendar.error().detail};
  const auto expansion = expand(*calendar, at(from), at(to), load_zones(*calendar, system_zone));
  if (!expansion) return {"failed: " + expansion.error().detail};
  std::vector<std::string> out;
  for (const Occurrence& o : expansion->occurrences) {
    const Json json = occurrence_json(o);
    out.push_back(json.text_or("start") + (o.summary.empty() ? "" : " " + o.summary) + (o.cancelled ? " cancelled" : ""));
  }
  return out;
}

inline std::string calendar_of(const std::string& body) { return "BEGIN:VCALENDAR\r\n" + body + "END:VCALENDAR\r\n"; }
inline std::string event_of(const std::string& body) { return "BEGIN:VEVENT\r\n" + body + "END:VEVENT\r\n"; }

}  // namespace hansard::calendar::testing
