#include "core/calendar/event.h"

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/calendar/event_reader.h"
#include "core/calendar/vtimezone.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxZoneNames = 2'000;  ///< more than the tz database has

/// Walks the content lines of a file and builds the calendar.
class Reader {
 public:
  Reader(const ReadLimits& limits, Calendar& out) : limits_(limits), out_(out) {}

  void line(std::string_view text) {
    if (text.size() > limits_.max_line) return note_problem(out_.problems, "a property longer than the limit was left out");
    if (!parse_content_line(text, line_) || (starts_with_ignore_case(line_.name, "http") && line_.value.starts_with("//"))) {
      return continue_description(text);
    }
    if (line_.is("BEGIN")) return begin(trim(line_.value));
    if (line_.is("END")) return end(trim(line_.value));
    if (stack_.empty()) return;
    switch (stack_.back()) {
      case Kind::kCalendar: calendar_property(); break;
      case Kind::kEvent:
        in_description_ = line_.is("DESCRIPTION");
        apply_event_property(line_, event_, limits_, out_.problems);
        break;
      case Kind::kZone:
        if (line_.is("TZID")) zone_id_ = unescape_text(trim(line_.value));
        break;
      case Kind::kObservance: observance_property(); break;
      case Kind::kOther: break;
    }
  }

  void finish() {
    while (!stack_.empty()) close();
  }
  bool saw_component() const { return saw_component_; }

 private:
  enum class Kind : std::uint8_t { kCalendar, kEvent, kZone, kObservance, kOther };

  void begin(std::string_view name) {
    saw_component_ = true;
    in_description_ = false;
    Kind kind = Kind::kOther;
    if (equals_ignore_case(name, "VCALENDAR")) {
      finish();  // calendars do not nest: the one before has lost its END
      kind = Kind::kCalendar;
      new_object();
    } else if (equals_ignore_case(name, "VEVENT") || equals_ignore_case(name, "VTIMEZONE")) {
      close_open_components();
      kind = equals_ignore_case(name, "VEVENT") ? Kind::kEvent : Kind::kZone;
      if (out_.zones.empty()) new_object();
      event_ = VEvent{};
      event_.method = method_;
      event_.object = out_.zones.size() - 1;
      zone_id_.clear();
      if (kind == Kind::kZone) observances_.clear();
    } else if (!stack_.empty() && stack_.back() == Kind::kZone &&
               (equals_ignore_case(name, "STANDARD") || equals_ignore_case(name, "DAYLIGHT"))) {
      kind = Kind::kObservance;
      observances_.emplace_back();
    }
    if (stack_.size() >= kMaxDepth) return note_problem(out_.problems, "components nested too deep were left out");
    stack_.push_back(kind);
    names_.push_back(to_lower(name));
  }

  /// A VEVENT or VTIMEZONE never stands inside another one: an open one has lost its END.
  void close_open_components() {
    for (std::size_t i = 0; i < stack_.size(); ++i) {
      if (stack_[i] != Kind::kEvent && stack_[i] != Kind::kZone) continue;
      while (stack_.size() > i) close();
    }
  }

  void end(std::string_view name) {
    const std::string lower = to_lower(name);
    const auto open = std::find(names_.rbegin(), names_.rend(), lower);
    if (open == names_.rend()) return;
    const auto keep = static_cast<std::size_t>(names_.rend() - open) - 1;
    while (stack_.size() > keep) close();
  }

  void close() {
    const Kind kind = stack_.back();
    stack_.pop_back();
    names_.pop_back();
    in_description_ = false;
    if (kind == Kind::kEvent) keep_event();
    if (kind == Kind::kZone) keep_zone();
    if (kind == Kind::kCalendar) method_.clear();
  }

  void new_object() {
    out_.zones.emplace_back();
    first_event_of_object_ = out_.events.size();
    method_.clear();
  }

  void keep_event() {
    if (!event_.start) {
      // An override without DTSTART still names its instance; anything else has no place in time.
      if (!event_.recurrence_id) return note_problem(out_.problems, "an event without a readable DTSTART was left out");
      event_.start = event_.recurrence_id;
    }
    if (out_.events.size() >= limits_.max_events)
      return note_problem(out_.problems, "more events than the limit: the rest was left out");
    out_.events.push_back(std::move(event_));
  }

  void keep_zone() {
    if (zone_id_.empty() || zone_count_ >= limits_.max_zones) return;
    ++zone_count_;
    if (usable_zone(observances_)) {
      out_.zones.back().insert_or_assign(zone_id_, std::move(observances_));
      observances_.clear();
    } else {
      note_problem(out_.problems, "a VTIMEZONE without usable STANDARD or DAYLIGHT parts was left out");
    }
  }

  void calendar_property() {
    if (line_.is("METHOD")) {
      method_ = trim(line_.value);
      for (char& c : method_) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      for (std::size_t i = first_event_of_object_; i < out_.events.size(); ++i) out_.events[i].method = method_;
    } else if (line_.is("X-WR-CALNAME") || line_.is("NAME")) {
      if (out_.name.empty()) out_.name = unescape_text(trim(line_.value));
    } else if (line_.is("X-WR-TIMEZONE")) {
      if (out_.default_zone.empty()) out_.default_zone = unescape_text(trim(line_.value));
    } else if (line_.is("REFRESH-INTERVAL") || line_.is("X-PUBLISHED-TTL")) {
      out_.refresh = parse_cal_duration(line_.value);
    }
  }

  void observance_property() {
    Observance& o = observances_.back();
    if (line_.is("DTSTART")) o.start = parse_cal_time(line_.value);
    if (line_.is("TZOFFSETFROM")) o.offset_from = parse_utc_offset(line_.value);
    if (line_.is("TZOFFSETTO")) o.offset_to = parse_utc_offset(line_.value);
    if (line_.is("RRULE") && o.rules.size() < 8) {
      if (auto rule = parse_rrule(line_.value)) o.rules.push_back(std::move(*rule));
    }
    if (line_.is("RDATE")) {
      for (const std::string_view item : split(line_.value, ',')) {
        const auto t = parse_cal_time(item.substr(0, item.find('/')));
        if (t && o.rdates.size() < limits_.max_list_values) o.rdates.push_back(*t);
      }
    }
  }

  /// A producer broke a description into raw lines without folding: what follows is still its text.
  void continue_description(std::string_view text) {
    if (!in_description_ || stack_.empty() || stack_.back() != Kind::kEvent) return;
    if (event_.description.size() + text.size() > limits_.max_line) return;
    event_.description += '\n';
    event_.description += unescape_text(text);
  }

  const ReadLimits& limits_;
  Calendar& out_;
  ContentLine line_;
  std::vector<Kind> stack_;
  std::vector<std::string> names_;
  VEvent event_;
  std::string method_;
  std::string zone_id_;
  std::vector<Observance> observances_;
  std::size_t first_event_of_object_ = 0;
  std::size_t zone_count_ = 0;
  bool saw_component_ = false;
  bool in_description_ = false;
};

bool looks_like_html(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  bytes = trim(bytes.substr(0, 1024));
  return starts_with_ignore_case(bytes, "<!doctype html") || starts_with_ignore_case(bytes, "<html") ||
         starts_with_ignore_case(bytes, "<?xml") || starts_with_ignore_case(bytes, "<head");
}

}  // namespace

bool VEvent::cancelled() const { return equals_ignore_case(status, "CANCELLED") || method == "CANCEL"; }

Result<Calendar> read_calendar(std::string_view bytes, const ReadLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    return fail(ErrorClass::kExhausted, "calendar",
                "the calendar is larger than " + std::to_string(limits.max_bytes >> 20) + " MiB: export a shorter range of time");
  }
  if (trim(bytes).empty()) return fail(ErrorClass::kInvalid, "calendar", "the calendar is empty");
  if (looks_like_html(bytes)) {
    return fail(ErrorClass::kInvalid, "calendar", "this is a web page, not a calendar: check the address, it may need a sign-in");
  }
  Calendar out;
  Reader reader(limits, out);
  const std::string text = unfold(bytes);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    reader.line(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  reader.finish();
  if (!reader.saw_component()) {
    return fail(ErrorClass::kInvalid, "calendar", "this is no iCalendar data: nothing begins with BEGIN:VCALENDAR");
  }
  return out;
}

std::vector<std::string> needed_zones(const Calendar& calendar) {
  std::set<std::string> tzids;
  const auto add = [&](const CalTime& t) {
    if (t.form == TimeForm::kZoned) tzids.insert(t.tzid);
  };
  for (const VEvent& e : calendar.events) {
    add(e.start);
    add(e.end);
    add(e.recurrence_id);
    for (const CalTime& t : e.exdates) add(t);
    for (const RecurrenceDate& r : e.rdates) {
      add(r.start);
      add(r.end);
    }
  }
  if (!calendar.default_zone.empty()) tzids.insert(calendar.default_zone);
  std::set<std::string> names;
  for (const std::string& tzid : tzids) {
    if (names.size() >= kMaxZoneNames) break;
    for (std::string& name : zone_candidates(tzid)) names.insert(std::move(name));
  }
  return {names.begin(), names.end()};
}

ZoneTable load_zones(const Calendar& calendar, const ZoneLoader& loader) {
  ZoneTable out;
  for (const std::string& name : needed_zones(calendar)) {
    const auto bytes = loader(name);
    if (!bytes) continue;
    // A damaged file is as good as none: the zone stays unknown.
    [[maybe_unused]] const auto added = out.add(name, *bytes);
  }
  return out;
}

const Attendee* find_attendee(const VEvent& event, std::string_view address) {
  if (starts_with_ignore_case(address, "mailto:")) address.remove_prefix(7);
  for (const Attendee& a : event.attendees) {
    if (equals_ignore_case(a.address, trim(address))) return &a;
  }
  return nullptr;
}

}  // namespace hansard::calendar
