#include "core/calendar/event_reader.h"

#include "core/base/encoding.h"
#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxProblems = 100;
constexpr std::size_t kMaxRules = 16;
constexpr std::size_t kMaxLinks = 64;

std::string upper(std::string_view s) {
  std::string out(trim(s));
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

std::string text_of(const ContentLine& line) { return unescape_text(trim(line.value)); }

/// A URI value is not TEXT: nothing is unescaped, but broken bytes are repaired.
std::string uri_of(const ContentLine& line) { return sanitize_utf8(trim(line.value)); }

std::string address_of(std::string_view uri) {
  uri = trim(uri);
  if (starts_with_ignore_case(uri, "mailto:")) uri.remove_prefix(7);
  return to_lower(sanitize_utf8(trim(uri)));
}

Attendee read_attendee(const ContentLine& line) {
  Attendee out;
  out.address = address_of(line.value);
  const std::string email = line.parameter("EMAIL");  // RFC 7986
  if (!email.empty() && out.address.find('@') == std::string::npos) out.address = address_of(email);
  out.name = line.parameter("CN");
  out.role = upper(line.parameter("ROLE"));
  out.partstat = upper(line.parameter("PARTSTAT"));
  out.cutype = upper(line.parameter("CUTYPE"));
  return out;
}

std::optional<Instant> read_instant(const ContentLine& line) {
  const auto t = parse_cal_time(line.value);
  if (!t) return std::nullopt;
  return Instant{t->wall * 1000};
}

/// The body of a data:text/html URI (percent-encoded form only), as Google and Apple put it into ALTREP.
std::string html_of_data_uri(std::string_view uri) {
  if (!starts_with_ignore_case(uri, "data:text/html")) return {};
  const auto comma = uri.find(',');
  if (comma == std::string_view::npos || find_ignore_case(uri.substr(0, comma), "base64") != std::string_view::npos) return {};
  return sanitize_utf8(percent_decode(uri.substr(comma + 1)));
}

void read_rule(const ContentLine& line, std::vector<RRule>& out, std::vector<std::string>& problems) {
  auto rule = parse_rrule(line.value);
  if (!rule) return note_problem(problems, "a recurrence rule was left out: " + rule.error().detail);
  if (out.size() < kMaxRules) out.push_back(std::move(*rule));
}

void read_exdates(const ContentLine& line, VEvent& event, const ReadLimits& limits) {
  for (const std::string_view item : split(line.value, ',')) {
    if (event.exdates.size() >= limits.max_list_values) return;
    if (auto t = read_time_property(line, item)) event.exdates.push_back(std::move(*t));
  }
}

void read_rdates(const ContentLine& line, VEvent& event, const ReadLimits& limits) {
  for (const std::string_view item : split(line.value, ',')) {
    if (event.rdates.size() >= limits.max_list_values) return;
    RecurrenceDate out;
    const auto slash = item.find('/');
    auto start = read_time_property(line, item.substr(0, slash));
    if (!start) continue;
    out.start = std::move(*start);
    if (slash != std::string_view::npos) {
      if (auto end = read_time_property(line, item.substr(slash + 1))) {
        out.end = std::move(*end);
      } else {
        out.duration = parse_cal_duration(item.substr(slash + 1));
      }
    }
    event.rdates.push_back(std::move(out));
  }
}

/// Properties that hold a join link as a bare URL.
bool is_link_property(std::string_view name) {
  for (const std::string_view known :
       {"CONFERENCE", "X-GOOGLE-CONFERENCE", "X-GOOGLE-HANGOUT", "X-MICROSOFT-SKYPETEAMSMEETINGURL",
        "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK", "X-MICROSOFT-ONLINEMEETINGJOINLINK", "X-MICROSOFT-ONLINEMEETINGCONFLINK",
        "X-ZOOM-MEETING-URL", "X-WEBEX-JOIN-URL"}) {
    if (equals_ignore_case(name, known)) return true;
  }
  return starts_with_ignore_case(name, "X-SKYPE") || starts_with_ignore_case(name, "X-TEAMS") ||
         starts_with_ignore_case(name, "X-CONFERENCE") || starts_with_ignore_case(name, "X-TELECONFERENCE");
}

bool apply_time(const ContentLine& line, VEvent& e, std::vector<std::string>& problems) {
  const auto take = [&](CalTime& out, std::string_view what) {
    if (trim(line.value).empty()) return true;
    if (auto t = read_time_property(line, line.value)) {
      out = std::move(*t);
    } else {
      note_problem(problems, std::string(what) + " of an event is no date or date-time");
    }
    return true;
  };
  if (line.is("DTSTART")) return take(e.start, "DTSTART");
  if (line.is("DTEND")) return take(e.end, "DTEND");
  if (line.is("RECURRENCE-ID")) {
    e.this_and_future = equals_ignore_case(line.parameter("RANGE"), "THISANDFUTURE");
    return take(e.recurrence_id, "RECURRENCE-ID");
  }
  if (line.is("DURATION")) {
    e.duration = parse_cal_duration(line.value);
    if (!e.duration) note_problem(problems, "DURATION of an event cannot be read");
    return true;
  }
  if (line.is("LAST-MODIFIED")) return e.last_modified = read_instant(line), true;
  if (line.is("DTSTAMP")) return e.stamp = read_instant(line), true;
  if (line.is("CREATED")) return e.created = read_instant(line), true;
  return false;
}

bool apply_text(const ContentLine& line, VEvent& e) {
  if (line.is("UID")) return e.uid = text_of(line), true;
  if (line.is("SUMMARY")) return e.summary = unescape_text(line.value), true;
  if (line.is("LOCATION")) return e.location = text_of(line), true;
  if (line.is("STATUS")) return e.status = text_of(line), true;
  if (line.is("TRANSP")) return e.transparency = upper(line.value), true;
  if (line.is("URL")) return e.url = uri_of(line), true;
  if (line.is("DESCRIPTION")) {
    e.description = unescape_text(line.value);
    if (e.html.empty()) e.html = html_of_data_uri(line.parameter("ALTREP"));
    return true;
  }
  if (line.is("X-ALT-DESC") || line.is("STYLED-DESCRIPTION")) {
    const std::string format = line.parameter("FMTTYPE");
    if (format.empty() || starts_with_ignore_case(format, "text/html")) e.html = unescape_text(line.value);
    return true;
  }
  return false;
}

}  // namespace

void note_problem(std::vector<std::string>& problems, std::string sentence) {
  if (problems.size() < kMaxProblems) problems.push_back(std::move(sentence));
}

std::optional<CalTime> read_time_property(const ContentLine& line, std::string_view value) {
  return parse_cal_time(value, trim(line.parameter("TZID")), equals_ignore_case(line.parameter("VALUE"), "DATE"));
}

void apply_event_property(const ContentLine& line, VEvent& e, const ReadLimits& limits, std::vector<std::string>& problems) {
  if (apply_time(line, e, problems) || apply_text(line, e)) return;
  if (line.is("RRULE")) return read_rule(line, e.rules, problems);
  if (line.is("EXRULE")) return read_rule(line, e.exclusion_rules, problems);
  if (line.is("EXDATE")) return read_exdates(line, e, limits);
  if (line.is("RDATE")) return read_rdates(line, e, limits);
  if (line.is("SEQUENCE")) {
    std::int64_t n = 0;
    if (parse_digits(trim(line.value), n)) e.sequence = n;
    return;
  }
  if (line.is("ORGANIZER")) {
    e.organizer = read_attendee(line);
    return;
  }
  if (line.is("ATTENDEE")) {
    if (e.attendees.size() < limits.max_list_values) e.attendees.push_back(read_attendee(line));
    return;
  }
  if (line.is("ATTACH")) {
    if (e.attachments.size() < kMaxLinks && !equals_ignore_case(line.parameter("ENCODING"), "BASE64")) {
      e.attachments.push_back(uri_of(line));
    }
    return;
  }
  if (line.is("CATEGORIES")) {
    for (const std::string_view item : split_list(line.value)) {
      if (e.categories.size() < kMaxLinks) e.categories.push_back(unescape_text(trim(item)));
    }
    return;
  }
  if (is_link_property(line.name) && e.links.size() < kMaxLinks) {
    e.links.push_back({upper(line.name), uri_of(line), upper(line.parameter("FEATURE"))});
  }
}

}  // namespace hansard::calendar
