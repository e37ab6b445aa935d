#include "adapters/zoneinfo/zoneinfo.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/base/text.h"
#include "core/calendar/zone.h"

namespace hansard {
namespace {

constexpr std::uintmax_t kMaxZoneFile = 1u << 20;

std::string directory() {
  const char* given = std::getenv("TZDIR");
  return given != nullptr && *given != '\0' ? given : "/usr/share/zoneinfo";
}

}  // namespace

std::optional<std::string> read_system_zone(std::string_view iana_name) {
  if (!calendar::is_zone_name(iana_name)) return std::nullopt;
  const std::filesystem::path path = std::filesystem::path(directory()) / iana_name;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) || std::filesystem::file_size(path, error) > kMaxZoneFile)
    return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!bytes.starts_with("TZif")) return std::nullopt;
  return bytes;
}

std::string system_zone_name() {
  const char* tz = std::getenv("TZ");
  if (tz != nullptr && calendar::is_zone_name(tz)) return tz;
  std::ifstream file("/etc/timezone");
  std::string line;
  if (std::getline(file, line) && calendar::is_zone_name(trim(line))) return std::string(trim(line));
  std::error_code error;
  const auto target = std::filesystem::canonical("/etc/localtime", error);
  const std::string relative = error ? "" : target.lexically_relative(directory()).string();
  return calendar::is_zone_name(relative) ? relative : "UTC";
}

}  // namespace hansard
