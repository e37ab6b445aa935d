// TZif (RFC 8536): the compiled zones of the tz database, with the POSIX TZ string of the footer.
#include <array>

#include "core/calendar/zone.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kHeaderSize = 44;
constexpr std::size_t kMaxTransitions = 20'000;
constexpr int kFooterYears = 402;  ///< a whole 400-year cycle behind the last explicit transition

std::int64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  return size == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
}

struct Header {
  std::size_t isut = 0, isstd = 0, leap = 0, time = 0, type = 0, chars = 0;
  std::size_t body_size(std::size_t time_size) const {
    return time * time_size + time + type * 6 + chars + leap * (time_size + 4) + isstd + isut;
  }
};

bool read_header(std::string_view bytes, Header& h) {
  if (bytes.size() < kHeaderSize || !bytes.starts_with("TZif")) return false;
  std::array<std::size_t*, 6> fields = {&h.isut, &h.isstd, &h.leap, &h.time, &h.type, &h.chars};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::int64_t n = big_endian(bytes, 20 + 4 * i, 4);
    if (n < 0 || n > static_cast<std::int64_t>(kMaxTransitions)) return false;
    *fields[i] = static_cast<std::size_t>(n);
  }
  return h.type > 0;
}

/// A cursor over a POSIX TZ string such as "CET-1CEST,M3.5.0,M10.5.0/3" or "<-03>3".
class PosixReader {
 public:
  explicit PosixReader(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ >= text_.size(); }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool skip_name() {
    const std::size_t from = at_;
    if (take('<')) {
      while (!at_end() && text_[at_] != '>') ++at_;
      return take('>');
    }
    while (!at_end() && ((text_[at_] >= 'A' && text_[at_] <= 'Z') || (text_[at_] >= 'a' && text_[at_] <= 'z'))) ++at_;
    return at_ - from >= 3;
  }
  bool number(int max, int& out) {
    const std::size_t from = at_;
    out = 0;
    while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9' && at_ - from < 4) out = out * 10 + (text_[at_++] - '0');
    return at_ > from && out <= max;
  }
  /// [+-]hh[:mm[:ss]] in seconds.
  bool clock(int max_hours, std::int32_t& out) {
    const int sign = take('-') ? -1 : 1;
    if (sign == 1) take('+');
    int h = 0, m = 0, s = 0;
    if (!number(max_hours, h)) return false;
    if (take(':') && !number(59, m)) return false;
    if (take(':') && !number(59, s)) return false;
    out = sign * (h * 3600 + m * 60 + s);
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

struct DayRule {
  char kind = 'M';  ///< 'M' month.week.day, 'J' day 1..365 without 29 February, 'N' day 0..365
  int a = 0, week = 0, weekday = 0;
  std::int32_t time = 7200;

  bool read(PosixReader& r) {
    if (r.take('M')) {
      if (!r.number(12, a) || a < 1 || !r.take('.') || !r.number(5, week) || week < 1 || !r.take('.') || !r.number(6, weekday)) {
        return false;
      }
    } else {
      kind = r.take('J') ? 'J' : 'N';
      if (!r.number(365, a)) return false;
    }
    return !r.take('/') || r.clock(167, time);
  }

  /// The wall time of the change in the year that begins on day `jan1`.
  WallSeconds at(std::int64_t jan1, bool leap) const {
    if (kind == 'N') return (jan1 + a) * kDaySeconds + time;
    if (kind == 'J') return (jan1 + a - 1 + (leap && a >= 60 ? 1 : 0)) * kDaySeconds + time;
    static constexpr std::array<int, 13> kBefore = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    const auto month = static_cast<std::size_t>(a);
    const std::int64_t first = jan1 + kBefore[month - 1] + (leap && a > 2 ? 1 : 0);
    const std::int64_t next = jan1 + kBefore[month] + (leap && a > 1 ? 1 : 0);
    std::int64_t day = first + (weekday - weekday_from_days(first) + 7) % 7 + std::int64_t{7} * (week - 1);
    while (day >= next) day -= 7;
    return day * kDaySeconds + time;
  }
};

struct Footer {
  std::int32_t standard = 0;
  std::int32_t daylight = 0;
  bool has_daylight = false;
  DayRule start, end;

  bool read(std::string_view text) {
    PosixReader r(text);
    if (!r.skip_name() || !r.clock(24, standard)) return false;
    standard = -standard;  // POSIX counts west of Greenwich
    if (r.at_end()) return true;
    if (!r.skip_name()) return false;
    daylight = standard + 3600;
    if (!r.take(',')) {
      if (!r.clock(24, daylight)) return false;
      daylight = -daylight;
      if (!r.take(',')) return false;
    }
    has_daylight = start.read(r) && r.take(',') && end.read(r) && r.at_end();
    return has_daylight;
  }
};

void add_footer(const Footer& footer, std::vector<Transition>& out) {
  const bool empty = out.empty();
  const std::int64_t last = empty ? 0 : out.back().at;
  if (!footer.has_daylight) {
    if (empty || out.back().offset != footer.standard) out.push_back({empty ? INT64_MIN / 4 : last, footer.standard});
    return;
  }
  const int first_year = civil_from_days(wall_day(last)).year;
  out.reserve(out.size() + 2 * static_cast<std::size_t>(kFooterYears));
  std::int64_t jan1 = days_from_civil({first_year, 1, 1});
  for (int year = first_year; year < first_year + kFooterYears; ++year) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    const Transition to_daylight{footer.start.at(jan1, leap) - footer.standard, footer.daylight};
    const Transition to_standard{footer.end.at(jan1, leap) - footer.daylight, footer.standard};
    jan1 += leap ? 366 : 365;
    for (const Transition& t : {to_daylight, to_standard}) {
      if (empty || t.at > last) out.push_back(t);
    }
  }
}

}  // namespace

Result<TimeZone> TimeZone::from_tzif(std::string_view bytes) {
  const auto bad = [] { return fail(ErrorClass::kCorrupt, "calendar", "these bytes are no TZif zone file"); };
  Header h;
  if (!read_header(bytes, h)) return bad();
  std::size_t time_size = 4;
  if (bytes[4] >= '2') {  // a second block with 64-bit times follows the first
    const std::size_t skip = kHeaderSize + h.body_size(4);
    if (bytes.size() < skip) return bad();
    bytes.remove_prefix(skip);
    if (!read_header(bytes, h)) return bad();
    time_size = 8;
  }
  if (bytes.size() < kHeaderSize + h.body_size(time_size)) return bad();
  const std::size_t indexes = kHeaderSize + h.time * time_size;
  const std::size_t types = indexes + h.time;
  const auto offset_of = [&](std::size_t type) { return static_cast<std::int32_t>(big_endian(bytes, types + type * 6, 4)); };
  for (std::size_t i = 0; i < h.type; ++i) {
    if (offset_of(i) < -93'599 || offset_of(i) > 93'599) return bad();
  }
  std::vector<Transition> transitions;
  for (std::size_t i = 0; i < h.time; ++i) {
    const auto type = static_cast<unsigned char>(bytes[indexes + i]);
    const std::int64_t at = big_endian(bytes, kHeaderSize + i * time_size, time_size);
    if (type >= h.type || (!transitions.empty() && at <= transitions.back().at)) return bad();
    // Outside the years 0 to 9999 no calendar time lies; clamping keeps the arithmetic far from overflow.
    if (at > 253'402'300'799 || at < -(std::int64_t{1} << 40)) continue;
    transitions.push_back({at, offset_of(type)});
  }
  bool cycles = false;
  const std::string_view rest = bytes.substr(kHeaderSize + h.body_size(time_size));
  if (time_size == 8 && rest.size() > 2 && rest.front() == '\n') {
    Footer footer;
    if (footer.read(rest.substr(1, rest.find('\n', 1) - 1))) {
      add_footer(footer, transitions);
      cycles = footer.has_daylight;
    }
  }
  return TimeZone(std::move(transitions), offset_of(0), cycles);
}

}  // namespace hansard::calendar
