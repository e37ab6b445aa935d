#include "core/calendar/zone.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/calendar/windows_zones.h"

namespace hansard::calendar {
namespace {

/// The Gregorian calendar repeats after 400 years = 146097 days = 20871 weeks.
constexpr std::int64_t kCycleSeconds = 146'097 * kDaySeconds;

/// `utc` moved back by whole cycles until it is not after `last`.
std::int64_t into_cycle(std::int64_t t, std::int64_t last) {
  if (t <= last) return t;
  return t - ((t - last - 1) / kCycleSeconds + 1) * kCycleSeconds;
}

}  // namespace

TimeZone::TimeZone(std::vector<Transition> transitions, std::int32_t first_offset, bool cycles)
    : transitions_(std::move(transitions)), first_offset_(first_offset), cycles_(cycles) {
  const auto earlier = [](const Transition& a, const Transition& b) { return a.at < b.at; };
  if (!std::is_sorted(transitions_.begin(), transitions_.end(), earlier))
    std::stable_sort(transitions_.begin(), transitions_.end(), earlier);
  boundaries_.reserve(transitions_.size());
  std::int32_t before = first_offset_;
  for (const Transition& t : transitions_) {
    WallSeconds boundary = t.at + std::max(before, t.offset);
    if (!boundaries_.empty()) boundary = std::max(boundary, boundaries_.back());
    boundaries_.push_back(boundary);
    before = t.offset;
  }
}

std::int32_t TimeZone::offset_at(std::int64_t utc) const {
  if (cycles_ && !transitions_.empty()) utc = into_cycle(utc, transitions_.back().at);
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), utc,
                                      [](std::int64_t t, const Transition& one) { return t < one.at; });
  return after == transitions_.begin() ? first_offset_ : std::prev(after)->offset;
}

std::int64_t TimeZone::to_utc(WallSeconds wall) const {
  WallSeconds looked_up = wall;
  if (cycles_ && !boundaries_.empty()) looked_up = into_cycle(wall, boundaries_.back());
  const auto after = std::upper_bound(boundaries_.begin(), boundaries_.end(), looked_up);
  const auto index = after - boundaries_.begin();
  return wall - (index == 0 ? first_offset_ : transitions_[static_cast<std::size_t>(index - 1)].offset);
}

bool TimeZone::is_ambiguous(WallSeconds wall) const {
  const std::int64_t first = to_utc(wall);
  // The second reading lies behind a change that comes within a day and sets the clock back.
  const std::int32_t later = offset_at(first + kDaySeconds);
  const std::int64_t second = wall - later;
  return second > first && offset_at(second) == later;
}

Result<void> ZoneTable::add(std::string name, std::string_view tzif) {
  auto zone = TimeZone::from_tzif(tzif);
  if (!zone) return pass(zone);
  zones_.insert_or_assign(std::move(name), std::move(*zone));
  return {};
}

const TimeZone* ZoneTable::find(std::string_view name) const {
  const auto it = zones_.find(name);
  return it == zones_.end() ? nullptr : &it->second;
}

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.back() == '/') return false;
  if (name.find("..") != std::string_view::npos || name.find("//") != std::string_view::npos) return false;
  // Zone names begin with a capital letter; the other files of a zone directory (tzdata.zi, zone.tab) do not.
  if (name.front() < 'A' || name.front() > 'Z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '-' ||
           c == '+';
  });
}

std::vector<std::string> zone_candidates(std::string_view tzid) {
  std::vector<std::string> out;
  tzid = trim(tzid);
  while (!tzid.empty() && tzid.front() == '"') tzid.remove_prefix(1);
  while (!tzid.empty() && tzid.back() == '"') tzid.remove_suffix(1);
  tzid = trim(tzid);
  if (tzid.empty() || tzid.size() > 256) return out;
  for (std::string_view tail = tzid; out.size() < 8;) {
    if (is_zone_name(tail)) out.emplace_back(tail);
    const auto slash = tail.find('/');
    if (slash == std::string_view::npos) break;
    tail.remove_prefix(slash + 1);
  }
  for (const std::string_view iana : {iana_of_windows_zone(tzid), iana_of_display_name(tzid)}) {
    if (!iana.empty()) out.emplace_back(iana);
  }
  return out;
}

std::optional<std::int32_t> fixed_offset(std::string_view tzid) {
  tzid = trim(tzid);
  for (const std::string_view name : {"UTC", "GMT", "Z", "Zulu", "Etc/UTC", "Etc/GMT", "(UTC)", "Coordinated Universal Time",
                                      "(UTC) Coordinated Universal Time"}) {
    if (equals_ignore_case(tzid, name)) return 0;
  }
  if (starts_with_ignore_case(tzid, "UTC") || starts_with_ignore_case(tzid, "GMT")) tzid.remove_prefix(3);
  return parse_utc_offset(tzid);
}

}  // namespace hansard::calendar
