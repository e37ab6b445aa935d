#include "sim/year_people.h"

#include <algorithm>

namespace hansard::sim {
namespace {

constexpr std::int64_t kDayMinutes = 24 * 60;
constexpr std::int64_t kKeptDays = 14;  ///< changes of single instances are in a feed for so long

/// The nth (from 1) or last (0) Sunday of a month.
std::int64_t sunday(int year, int month, int nth) {
  const std::int64_t first = days_from_civil({year, month, 1});
  const std::int64_t one = first + (7 - weekday_from_days(first)) % 7;
  if (nth > 0) return one + 7 * (nth - 1);
  const std::int64_t next = month == 12 ? days_from_civil({year + 1, 1, 1}) : days_from_civil({year, month + 1, 1});
  return next - 1 - weekday_from_days(next - 1);
}

/// Wall minutes between which summer time counts: from the end of the gap to the second of the hours that occur twice.
std::pair<std::int64_t, std::int64_t> summer(Region region, int year) {
  if (region == Region::kBerlin) return {sunday(year, 3, 0) * kDayMinutes + 180, sunday(year, 10, 0) * kDayMinutes + 180};
  return {sunday(year, 3, 2) * kDayMinutes + 180, sunday(year, 11, 1) * kDayMinutes + 120};
}

bool has_summer(Region region) { return region == Region::kBerlin || region == Region::kNewYork; }

std::string two(std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

std::string wall_text(std::int64_t minute) {
  const std::int64_t day = minute / kDayMinutes;
  const std::int64_t of_day = minute % kDayMinutes;
  const CivilDate d = civil_from_days(day);
  return std::to_string(d.year) + two(d.month) + two(d.day) + "T" + two(of_day / 60) + two(of_day % 60) + "00";
}

std::string compact(Instant t) {
  std::string out;
  for (const char c : format_rfc3339(t)) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

/// "DTSTART;TZID=Europe/Berlin:20250304T100000"
std::string time_line(const std::string& name, Region region, std::int64_t minute) {
  switch (region) {
    case Region::kUtc: return name + ":" + wall_text(minute) + "Z\r\n";
    case Region::kBerlin: return name + ";TZID=Europe/Berlin:" + wall_text(minute) + "\r\n";
    case Region::kNewYork: return name + ";TZID=America/New_York:" + wall_text(minute) + "\r\n";
    case Region::kKolkata: return name + ";TZID=Asia/Kolkata:" + wall_text(minute) + "\r\n";
  }
  return {};
}

const char* const kZones =
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
    "DTSTART:19810329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nDTSTART:19961027T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"
    "END:STANDARD\r\nEND:VTIMEZONE\r\n"
    "BEGIN:VTIMEZONE\r\nTZID:America/New_York\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\n"
    "DTSTART:20070311T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\n"
    "TZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nDTSTART:20071104T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\n"
    "END:STANDARD\r\nEND:VTIMEZONE\r\n"
    "BEGIN:VTIMEZONE\r\nTZID:Asia/Kolkata\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\n"
    "DTSTART:19700101T000000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

/// The reason as attend.h states it, found again here from what the people meant.
std::string reason_of(const Item& item, const Instance* instance, std::size_t person, const calendar::AttendRules& rules) {
  const bool declined =
      item.answers[person] == Answer::kDeclined || (instance != nullptr && (instance->declined >> person & 1) != 0);
  const bool alone = item.people == 1u << person && !item.external;
  const bool accepted = alone || item.organizer == person || item.answers[person] == Answer::kAccepted;
  const std::string& title = instance != nullptr && !instance->title.empty() ? instance->title : item.title;
  if (item.cancelled || (instance != nullptr && instance->cancelled)) return "cancelled";
  if (item.opted_out) return "opt-out";
  if (declined && !alone && item.organizer != person) return "declined";
  if (item.link == 0 && (instance == nullptr || instance->link == 0)) return "no-link";
  if (rules.accepted && !accepted) return "not-accepted";
  if (item.tagged) return "tag";
  if (!rules.exclude.empty() && title.starts_with("Lunch")) return "title-excluded";
  if (rules.tagged) return "not-tagged";
  if (rules.external && !item.external) return "no-external-guests";
  if (!rules.include.empty()) return title.find("eview") != std::string::npos ? "title" : "title-not-included";
  if (rules.external) return "external-guests";
  return rules.accepted ? "accepted" : "all";
}

bool attends(const std::string& reason) {
  return reason == "tag" || reason == "title" || reason == "external-guests" || reason == "accepted" || reason == "all";
}

void add_event(std::string& out, const Item& item, const Instance* instance, std::int64_t minute, const std::string& more,
               std::size_t owner) {
  const std::string& title = instance != nullptr && !instance->title.empty() ? instance->title : item.title;
  const std::size_t link = instance != nullptr && instance->link != 0 ? instance->link : item.link;
  const int sequence = std::max(item.sequence, instance == nullptr ? 0 : instance->sequence);
  const bool cancelled = item.cancelled || (instance != nullptr && instance->cancelled);
  out += "BEGIN:VEVENT\r\nUID:" + item.uid + "\r\nDTSTAMP:20250101T000000Z\r\n" + more +
         time_line("DTSTART", item.region, minute) + "DURATION:PT" + std::to_string(item.length) + "M\r\nSUMMARY:" + title +
         "\r\n";
  if (item.numbered) out += "SEQUENCE:" + std::to_string(sequence) + "\r\n";
  if (link != 0) out += "LOCATION:" + url_of(link) + "\r\n";
  if (item.tagged || item.opted_out)
    out += std::string("DESCRIPTION:") + (item.tagged ? "#hansard " : "") + (item.opted_out ? "#nohansard" : "") + "\r\n";
  if (cancelled) out += "STATUS:CANCELLED\r\n";
  if (item.people != 1u << item.organizer || item.external) {
    out += "ORGANIZER:mailto:" + address_of(item.organizer) + "\r\n";
    for (std::size_t p = 0; p < kPeople; ++p) {
      if ((item.people >> p & 1) == 0) continue;
      Answer a = p == item.organizer ? Answer::kAccepted : item.answers[p];
      if (p == owner && p != item.organizer && instance != nullptr && (instance->declined >> p & 1) != 0) a = Answer::kDeclined;
      const char* text = a == Answer::kAccepted ? "ACCEPTED" : a == Answer::kDeclined ? "DECLINED" : "NEEDS-ACTION";
      out += std::string("ATTENDEE;PARTSTAT=") + text + ":mailto:" + address_of(p) + "\r\n";
    }
    if (item.external) out += "ATTENDEE;PARTSTAT=ACCEPTED:mailto:customer@other.example\r\n";
  }
  out += "END:VEVENT\r\n";
}

}  // namespace

Instant to_utc(Region region, std::int64_t wall) {
  std::int64_t offset = region == Region::kKolkata ? 330 : region == Region::kBerlin ? 60 : region == Region::kNewYork ? -300 : 0;
  if (has_summer(region)) {
    const auto [begin, end] = summer(region, civil_from_days(wall / kDayMinutes).year);
    if (wall >= begin && wall < end) offset += 60;
  }
  return Instant{(wall - offset) * 60'000};
}

bool occurs_twice(Region region, std::int64_t wall) {
  if (!has_summer(region)) return false;
  const std::int64_t end = summer(region, civil_from_days(wall / kDayMinutes).year).second;
  return wall >= end - 60 && wall < end;
}

bool clock_change(Region region, std::int64_t day) {
  if (!has_summer(region)) return false;
  const auto [begin, end] = summer(region, civil_from_days(day).year);
  return day == begin / kDayMinutes || day == end / kDayMinutes;
}

bool Item::on(std::int64_t day) const {
  if (every == 0) return day == first_day;
  if (day < first_day || day > last_day) return false;
  if (every == 1) return weekday_from_days(day) >= 1 && weekday_from_days(day) <= 5;
  return (day - first_day) % every == 0;
}

std::string url_of(std::size_t link) { return "https://rooms.example/whep/m" + std::to_string(link); }
std::string address_of(std::size_t person) { return "person" + std::to_string(person) + "@home.example"; }

calendar::AttendRules rules_of(std::size_t person) {
  calendar::AttendRules rules;
  rules.own_domains = {"home.example"};
  rules.accepted = person == 1;
  rules.external = person == 2;
  rules.tagged = person == 3;
  if (person == 4) {
    rules.include = {"*review*"};
    rules.exclude = {"lunch*"};
  }
  return rules;
}

std::vector<Happening> PersonCalendar::window(Instant from, Instant to) const {
  std::vector<Happening> out;
  const std::int64_t first = from.ms / 86'400'000 - 2;
  const std::int64_t last = to.ms / 86'400'000 + 2;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i] || items[i]->removed) continue;
    const Item& item = *items[i];
    if (item.first_day > last || (item.every == 0 ? item.first_day : item.last_day) < first) continue;
    // An instance is never moved further than a day.
    for (std::int64_t day = std::max(first, item.first_day); day <= last; ++day) {
      if (!item.on(day)) continue;
      const auto it = item.instances.find(day);
      const Instance* instance = it == item.instances.end() ? nullptr : &it->second;
      if (instance != nullptr && instance->excluded) continue;
      const std::int64_t original = day * kDayMinutes + item.minute;
      Happening h;
      h.item = i;
      h.first = item.first;
      h.day = day;
      const std::int64_t wall = instance != nullptr && instance->moved_to ? *instance->moved_to : original;
      h.start = to_utc(item.region, wall);
      // What begins in an hour that comes twice covers both (core/calendar/series.cc).
      h.end = occurs_twice(item.region, wall) ? to_utc(item.region, wall + item.length) : h.start + minutes(item.length);
      if (h.start >= to || h.end <= from) continue;
      h.key = item.every == 0 ? item.uid : item.uid + "|" + format_rfc3339(to_utc(item.region, original));
      h.link = instance != nullptr && instance->link != 0 ? instance->link : item.link;
      h.reason = reason_of(item, instance, owner, rules);
      h.wanted = attends(h.reason);
      h.sequence = item.numbered ? std::max(item.sequence, instance == nullptr ? 0 : instance->sequence) : 0;
      out.push_back(std::move(h));
    }
  }
  return out;
}

std::string PersonCalendar::feed(Instant now) const {
  std::string out = std::string("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//hansard//sim//EN\r\n") + kZones;
  const std::int64_t today = now.ms / 86'400'000;
  for (const auto& slot : items) {
    if (!slot || slot->removed) continue;
    const Item& item = *slot;
    if ((item.every == 0 ? item.first_day : item.last_day) < today - kKeptDays) continue;
    std::string more;
    if (item.every != 0) {
      more = item.every == 1 ? "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL="
                             : "RRULE:FREQ=DAILY;INTERVAL=" + std::to_string(item.every) + ";UNTIL=";
      more += compact(to_utc(item.region, item.last_day * kDayMinutes + item.minute)) + "\r\n";
      for (const auto& [day, instance] : item.instances) {
        if (instance.excluded && day >= today - kKeptDays)
          more += time_line("EXDATE", item.region, day * kDayMinutes + item.minute);
      }
    }
    const auto alone = item.every == 0 ? item.instances.find(item.first_day) : item.instances.end();
    const Instance* own = alone == item.instances.end() ? nullptr : &alone->second;
    const std::int64_t original = item.first_day * kDayMinutes + item.minute;
    add_event(out, item, own, own != nullptr && own->moved_to ? *own->moved_to : original, more, owner);
    if (item.every == 0) continue;
    for (const auto& [day, instance] : item.instances) {
      if (instance.excluded || day < today - kKeptDays) continue;
      const std::int64_t was = day * kDayMinutes + item.minute;
      add_event(out, item, &instance, instance.moved_to.value_or(was), time_line("RECURRENCE-ID", item.region, was), owner);
    }
  }
  return out + "END:VCALENDAR\r\n";
}

}  // namespace hansard::sim
