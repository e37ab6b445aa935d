// Reads and expands calendar files for bench/calendar/run, which asks the peers the same in turn. One request a line of
// standard input, "FROM TO SECONDS FILE" (RFC 3339, RFC 3339, how long to repeat), one answer a line: the nanoseconds of
// CPU time that one reading and expanding took and how many occurrences it gave, or "error" and why.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "core/calendar/expand.h"

namespace {

using namespace hansard;

std::int64_t cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

std::optional<std::string> file_bytes(const std::string& path) {
  std::error_code error;
  std::ifstream in(path, std::ios::binary);
  if (!in || !std::filesystem::is_regular_file(path, error)) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A zone's bytes are read from disk once; they are parsed anew each time, as a scan does.
std::optional<std::string> zone_bytes(std::string_view name) {
  static std::map<std::string, std::optional<std::string>, std::less<>> known;
  const auto it = known.find(name);
  if (it != known.end()) return it->second;
  return known.emplace(name, file_bytes("/usr/share/zoneinfo/" + std::string(name))).first->second;
}

Result<std::size_t> expand_once(const std::string& bytes, Instant from, Instant to) {
  const auto calendar = calendar::read_calendar(bytes);
  if (!calendar) return std::unexpected(calendar.error());
  const auto expansion = calendar::expand(*calendar, from, to, calendar::load_zones(*calendar, zone_bytes));
  if (!expansion) return std::unexpected(expansion.error());
  return expansion->occurrences.size();
}

std::string answer(const std::string& line) {
  std::istringstream in(line);
  std::string from_text;
  std::string to_text;
  std::string path;
  double wanted_seconds = 0;
  in >> from_text >> to_text >> wanted_seconds;
  std::getline(in >> std::ws, path);
  const auto from = parse_rfc3339(from_text);
  const auto to = parse_rfc3339(to_text);
  const auto bytes = file_bytes(path);
  if (!from || !to || !bytes) return "error not a request";
  const auto wanted_ns = static_cast<std::int64_t>(wanted_seconds * 1e9);
  const std::int64_t begin = cpu_ns();
  std::int64_t took = 0;
  std::int64_t times = 0;
  std::size_t count = 0;
  do {
    const auto n = expand_once(*bytes, *from, *to);
    if (!n) return "error " + n.error().detail;
    count = *n;
    ++times;
    took = cpu_ns() - begin;
  } while (took < wanted_ns);
  return std::to_string(took / times) + " " + std::to_string(count);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(line) << std::endl;
  return 0;
}
