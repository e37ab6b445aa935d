#include "core/calendar/attend.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxDomains = 50;
constexpr std::size_t kMaxTags = 100;
constexpr std::size_t kMaxTagLength = 64;

/// Mail services where anybody gets an address: the same domain does not make two people colleagues.
constexpr std::array<std::string_view, 26> kPublicMail = {
    "aol.com",     "fastmail.com", "gmail.com",  "gmx.com",   "gmx.de",    "gmx.net", "googlemail.com",
    "hotmail.com", "icloud.com",   "live.com",   "mac.com",   "mail.com",  "mail.ru", "me.com",
    "msn.com",     "outlook.com",  "outlook.de", "pm.me",     "proton.me", "qq.com",  "protonmail.com",
    "t-online.de", "web.de",       "yahoo.com",  "yandex.ru", "ymail.com",
};

std::string domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos || at == 0 ? "" : to_lower(address.substr(at + 1));
}

bool is_public(std::string_view domain) { return std::find(kPublicMail.begin(), kPublicMail.end(), domain) != kPublicMail.end(); }

/// Rooms, equipment, and the addresses that Google gives to calendars themselves.
bool is_person(const Attendee& a) {
  return a.cutype != "ROOM" && a.cutype != "RESOURCE" && !a.address.ends_with("@resource.calendar.google.com") &&
         !a.address.ends_with("@group.calendar.google.com");
}

Response response_of(std::string_view partstat) {
  if (partstat == "ACCEPTED") return Response::kAccepted;
  if (partstat == "TENTATIVE") return Response::kTentative;
  if (partstat == "DECLINED") return Response::kDeclined;
  if (partstat == "DELEGATED") return Response::kDelegated;
  return Response::kNeedsAction;
}

int clarity(Response r) {
  switch (r) {
    case Response::kAccepted: return 5;
    case Response::kTentative: return 4;
    case Response::kDeclined: return 3;
    case Response::kDelegated: return 2;
    case Response::kNeedsAction: return 1;
    default: return 0;
  }
}

/// The addresses of an event's owner, as far as the event has them.
class Owner {
 public:
  Owner(const VEvent& event, std::string_view account, std::span<const std::string> own_addresses) {
    marked_ = event.organizer.self;
    bool account_there = !account.empty() && equals_ignore_case(event.organizer.address, account);
    for (const Attendee& a : event.attendees) {
      marked_ = marked_ || a.self;
      account_there = account_there || (!account.empty() && equals_ignore_case(a.address, account));
    }
    if (marked_) return;
    if (account_there) {
      addresses_.insert(to_lower(account));
    } else {
      for (const std::string& own : own_addresses) addresses_.insert(to_lower(own));
    }
  }
  bool is(const Attendee& a) const { return marked_ ? a.self : !a.address.empty() && addresses_.contains(to_lower(a.address)); }

 private:
  bool marked_ = false;
  std::set<std::string> addresses_;
};

bool is_tag_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

void add_tag(std::string_view word, std::set<std::string>& out) {
  while (word.ends_with('-')) word.remove_suffix(1);
  if (word.size() > 1 && word.size() <= kMaxTagLength) out.insert(to_lower(word));
}

/// "#word" where a word may begin: not inside a link ("/page#part") and not a character reference ("&#39;").
void collect_tags(std::string_view text, std::set<std::string>& out) {
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    const char before = at == 0 ? ' ' : text[at - 1];
    if (is_tag_character(before) || before == '/' || before == '&' || before == '#' || before == '=' || before == '?') continue;
    std::size_t end = at + 1;
    while (end < text.size() && is_tag_character(text[end])) ++end;
    add_tag(text.substr(at, end - at), out);
  }
}

/// At most `limit`, the short ones first: a flood of made-up words must not hide a tag that a person wrote.
std::vector<std::string> bounded(const std::set<std::string>& all, std::size_t limit) {
  std::vector<std::string> out(all.begin(), all.end());
  if (out.size() <= limit) return out;
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  out.resize(limit);
  std::sort(out.begin(), out.end());
  return out;
}

bool covers(std::string_view own, std::string_view domain) {
  return !own.empty() &&
         (equals_ignore_case(own, domain) || (domain.size() > own.size() && domain[domain.size() - own.size() - 1] == '.' &&
                                              equals_ignore_case(domain.substr(domain.size() - own.size()), own)));
}

bool is_external(const AttendFacts& facts, const AttendRules& rules) {
  return std::any_of(facts.guest_domains.begin(), facts.guest_domains.end(), [&](const std::string& domain) {
    return std::none_of(rules.own_domains.begin(), rules.own_domains.end(), [&](const auto& own) { return covers(own, domain); });
  });
}

bool has_tag(const AttendFacts& facts, std::string_view tag) {
  if (tag.empty()) return false;
  const std::string wanted = (tag.starts_with('#') ? "" : "#") + to_lower(tag);
  return std::find(facts.tags.begin(), facts.tags.end(), wanted) != facts.tags.end();
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view title) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return matches_title(p, title); });
}

bool accepted(Response r) { return r == Response::kOwn || r == Response::kOrganizer || r == Response::kAccepted; }

}  // namespace

AttendFacts attend_facts(const VEvent& event, std::string_view account, std::span<const std::string> own_addresses) {
  AttendFacts out;
  const Owner owner(event, account, own_addresses);
  std::set<std::string> own_domains;
  const auto own = [&](std::string_view address) {
    const std::string domain = domain_of(address);
    if (!is_public(domain)) own_domains.insert(domain);
  };
  own(account);
  for (const std::string& address : own_addresses) own(address);
  if (owner.is(event.organizer)) own(event.organizer.address);

  out.response = event.attendees.empty() ? Response::kOwn : Response::kUnknown;
  if (owner.is(event.organizer)) out.response = Response::kOrganizer;
  Response said = Response::kUnknown;
  std::set<std::string> guests;
  std::set<std::string> domains;
  for (const Attendee& a : event.attendees) {
    if (owner.is(a)) {
      own(a.address);
      const Response r = response_of(a.partstat);
      if (clarity(r) > clarity(said)) said = r;
    } else if (is_person(a)) {
      guests.insert(a.address.empty() ? a.name : to_lower(a.address));
      domains.insert(domain_of(a.address));
    }
  }
  // The organizer need not answer, but may decline.
  if (said != Response::kUnknown && (out.response != Response::kOrganizer || said == Response::kDeclined)) out.response = said;
  if (!event.organizer.address.empty() && !owner.is(event.organizer) && is_person(event.organizer) && !event.attendees.empty()) {
    guests.insert(to_lower(event.organizer.address));
    domains.insert(domain_of(event.organizer.address));
  }
  out.guests = static_cast<int>(guests.size());
  domains.erase("");
  for (const std::string& domain : own_domains) domains.erase(domain);
  out.guest_domains = bounded(domains, kMaxDomains);

  std::set<std::string> tags;
  for (const std::string* text : {&event.summary, &event.location, &event.description, &event.html}) collect_tags(*text, tags);
  for (const std::string& category : event.categories) {
    const std::string_view name = trim(category);
    add_tag(name.starts_with('#') ? std::string(name) : "#" + std::string(name), tags);
  }
  out.tags = bounded(tags, kMaxTags);
  return out;
}

bool attends(AttendReason reason) {
  return reason == AttendReason::kTag || reason == AttendReason::kTitle || reason == AttendReason::kExternal ||
         reason == AttendReason::kAccepted || reason == AttendReason::kAll;
}

std::string_view attend_sentence(AttendReason reason) {
  switch (reason) {
    case AttendReason::kCancelled: return "it was cancelled";
    case AttendReason::kOver: return "it is over already";
    case AttendReason::kOptOut: return "it carries the opt-out tag";
    case AttendReason::kDeclined: return "the calendar's owner declined it";
    case AttendReason::kAllDay: return "it takes all day: there is no time to join";
    case AttendReason::kNoLink: return "no meeting link was found in it";
    case AttendReason::kNotAccepted:
      return "the calendar's owner has not accepted it, or is not among its guests (own_addresses)";
    case AttendReason::kTag: return "it carries the opt-in tag";
    case AttendReason::kTitleExcluded: return "its title is excluded";
    case AttendReason::kNotTagged: return "it does not carry the opt-in tag";
    case AttendReason::kInternal: return "no guest is from outside the own domains";
    case AttendReason::kTitleNotIncluded: return "its title is not among those to attend";
    case AttendReason::kTitle: return "its title is among those to attend";
    case AttendReason::kExternal: return "a guest is from outside the own domains";
    case AttendReason::kAccepted: return "the calendar's owner accepted it";
    case AttendReason::kAll: return "all meetings with a link are attended";
  }
  return "";
}

AttendReason decide(const AttendQuestion& q, const AttendRules& rules) {
  if (q.cancelled) return AttendReason::kCancelled;
  if (q.over) return AttendReason::kOver;
  if (has_tag(q.facts, rules.opt_out)) return AttendReason::kOptOut;
  if (q.facts.response == Response::kDeclined) return AttendReason::kDeclined;
  if (q.all_day) return AttendReason::kAllDay;
  if (!q.link) return AttendReason::kNoLink;
  if (rules.accepted && !accepted(q.facts.response)) return AttendReason::kNotAccepted;
  if (has_tag(q.facts, rules.tag)) return AttendReason::kTag;
  if (any_matches(rules.exclude, q.title)) return AttendReason::kTitleExcluded;
  if (rules.tagged) return AttendReason::kNotTagged;
  if (rules.external && !is_external(q.facts, rules)) return AttendReason::kInternal;
  if (!rules.include.empty()) return any_matches(rules.include, q.title) ? AttendReason::kTitle : AttendReason::kTitleNotIncluded;
  if (rules.external) return AttendReason::kExternal;
  return rules.accepted ? AttendReason::kAccepted : AttendReason::kAll;
}

bool matches_title(std::string_view pattern, std::string_view text) {
  const std::string p = to_lower(trim(pattern));
  const std::string t = to_lower(trim(text));
  // Greedy with one way back, to the last star: linear for each star.
  std::size_t i = 0;
  std::size_t j = 0;
  std::size_t star = std::string::npos;
  std::size_t mark = 0;
  while (j < t.size()) {
    if (i < p.size() && p[i] == '*') {
      star = i++;
      mark = j;
    } else if (i < p.size() && p[i] == t[j]) {
      ++i;
      ++j;
    } else if (star != std::string::npos) {
      i = star + 1;
      j = ++mark;
    } else {
      return false;
    }
  }
  while (i < p.size() && p[i] == '*') ++i;
  return i == p.size();
}

}  // namespace hansard::calendar
