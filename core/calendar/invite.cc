#include "core/calendar/invite.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/calendar/invite_html.h"
#include "core/calendar/invite_text.h"

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxText = 1u << 20;
constexpr std::size_t kMaxCandidates = 100;

/// A body that is ready for search: normal text and the links in it by place.
struct Body {
  std::string text;
  std::vector<FoundLink> links;
  FoldedText folded;
};

Body prepare(std::string_view raw, bool html, const InviteConfig& config) {
  raw = raw.substr(0, kMaxText);
  Body out;
  if (html || looks_like_html_body(raw)) {
    PlainBody body = html_to_text(raw);
    // Normal text is shorter or longer than its source, so it is made piece by piece between the links.
    std::size_t from = 0;
    for (FoundLink& link : body.links) {
      out.text += normalize_text(std::string_view(body.text).substr(from, link.begin - from));
      from = link.begin;
      link.begin = link.end = out.text.size();
    }
    out.text += normalize_text(std::string_view(body.text).substr(from));
    out.links = std::move(body.links);
  } else {
    out.text = normalize_text(raw);
  }
  for (FoundLink& link : scan_links(out.text, config)) out.links.push_back(std::move(link));
  std::stable_sort(out.links.begin(), out.links.end(), [](const FoundLink& a, const FoundLink& b) { return a.begin < b.begin; });
  out.folded = fold_text(out.text);
  return out;
}

/// A join link of a body, with its place and how the text speaks of it.
struct Candidate {
  JoinLink link;
  std::size_t begin = 0;
  std::size_t end = 0;
  int standing = 0;
};

std::vector<Candidate> candidates(const Body& body, const InviteConfig& config) {
  std::vector<Candidate> out;
  for (const FoundLink& found : body.links) {
    if (out.size() >= kMaxCandidates) break;
    if (auto link = read_join_link(found.url, config)) {
      out.push_back({std::move(*link), found.begin, found.end, link_standing(body.text, found.begin, found.end)});
    }
  }
  return out;
}

/// The candidate to use: the best spoken of, of those the first meeting, of its links the first with a passcode parameter.
const Candidate* choose(const std::vector<Candidate>& all) {
  const auto better = [](const Candidate& a, const Candidate& b) { return a.standing < b.standing; };
  const auto best = std::max_element(all.begin(), all.end(), better);  // the first of the highest
  if (best == all.end()) return nullptr;
  for (const Candidate& c : all) {
    if (c.link.identity == best->link.identity && c.link.has_passcode && c.standing >= 0) return &c;
  }
  return &*best;
}

/// The value that belongs to a place: the first behind it that no other meeting's link comes before, else the last
/// before it.
const LabelledValue* nearest(const std::vector<LabelledValue>& values, std::size_t place, std::size_t low, std::size_t high) {
  const LabelledValue* before = nullptr;
  for (const LabelledValue& v : values) {
    if (v.begin < low || v.begin >= high) continue;
    if (v.begin >= place) return &v;
    before = &v;
  }
  return before;
}

bool number_fits(std::string_view platform, std::size_t digits) {
  if (platform == "zoom") return digits >= 9 && digits <= 11;
  if (platform == "webex") return digits >= 9 && digits <= 12;
  return digits >= 9;
}

std::vector<LabelledValue> fitting_numbers(const Body& body, std::string_view platform, bool loose) {
  auto numbers = find_meeting_numbers(body.text, body.folded, loose);
  std::erase_if(numbers, [&](const LabelledValue& v) { return !number_fits(platform, v.value.size()); });
  return numbers;
}

/// Adds what only the text says about the meeting of a link at `place`: number and passcode.
void add_from_text(const Body& body, std::size_t place, std::size_t low, std::size_t high, const JoinLink& link,
                   InviteLink& out) {
  const bool wants_number = (link.platform == "teams" && !link.numeric_id_in_url) ||
                            (link.platform == "webex" && (link.mtid || link.meeting_id.empty()));
  if (wants_number) {
    auto numbers = fitting_numbers(body, link.platform, false);
    if (numbers.empty() && (link.platform == "teams" || link.mtid)) numbers = fitting_numbers(body, link.platform, true);
    if (const LabelledValue* number = nearest(numbers, place, low, high)) out.meeting_id = number->value;
  }
  if (link.platform == "meet" || link.platform == "jitsi" || link.platform == "generic") {
    if (link.platform != "jitsi") return;
  }
  if (out.passcode) return;
  const auto passcodes = find_passcodes(body.text, body.folded);
  if (const LabelledValue* passcode = nearest(passcodes, place, low, high)) {
    out.passcode = passcode->value;
    return;
  }
  // A language without a word in the list: in Zoom's and Teams' texts the line after the meeting number has the passcode.
  if (link.platform != "zoom" && link.platform != "teams") return;
  for (const LabelledValue& number : fitting_numbers(body, link.platform, true)) {
    if (number.begin < low || number.begin >= high || (out.meeting_id && *out.meeting_id != number.value)) continue;
    const std::size_t line = body.text.find_first_not_of(" \n", number.end);
    if (line == std::string::npos || body.text.find('\n', number.end) > line) continue;
    const std::string_view rest = std::string_view(body.text).substr(line, body.text.find('\n', line) - line);
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos || colon > 60 || rest.substr(colon, 3) == "://") continue;
    const std::string_view value = trim(rest.substr(colon + 1));
    const bool one_token = value.size() >= 4 && value.size() <= 12 && value.find_first_of(" \t/+@#:") == std::string_view::npos;
    const bool code = std::any_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
                      std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (one_token && code) out.passcode = std::string(value);
    return;
  }
}

/// Nothing but a meeting number and the name of its platform ("Zoom Meeting ID: ..."), or a code of Google Meet.
InviteLink number_only(const Body& body) {
  const std::string_view f = body.folded.text;
  for (const LabelledValue& number : find_meeting_numbers(body.text, body.folded, false)) {
    const std::string_view value = number.value;
    InviteLink out;
    // The platform that is named last before the number, else first behind it.
    std::size_t best = std::string_view::npos;
    const auto folded_begin = static_cast<std::size_t>(
        std::lower_bound(body.folded.origin.begin(), body.folded.origin.end(), number.end) - body.folded.origin.begin());
    for (const std::string_view name : {"zoom", "teams", "webex"}) {
      if (!number_fits(name, value.size())) continue;
      std::size_t at = f.rfind(name, folded_begin);
      if (at == std::string_view::npos) at = f.find(name);
      if (at == std::string_view::npos) continue;
      const std::size_t distance = at < folded_begin ? folded_begin - at : (at - folded_begin) + f.size();
      if (best == std::string_view::npos || distance < best) {
        best = distance;
        out.platform = name;
      }
    }
    if (!out) continue;
    out.meeting_id = value;
    const auto passcodes = find_passcodes(body.text, body.folded);
    if (const LabelledValue* passcode = nearest(passcodes, number.begin, 0, body.text.size())) out.passcode = passcode->value;
    return out;
  }
  return {};
}

InviteLink find_in(const Body& body, const InviteConfig& config) {
  const auto all = candidates(body, config);
  const Candidate* chosen = choose(all);
  if (chosen == nullptr) return number_only(body);
  InviteLink out;
  out.platform = chosen->link.platform;
  if (!chosen->link.meeting_id.empty()) out.meeting_id = chosen->link.meeting_id;
  out.url = chosen->link.url;
  // The text between the neighbouring links to other meetings is this meeting's.
  std::size_t low = 0;
  std::size_t high = body.text.size();
  std::size_t first = chosen->begin;
  for (const Candidate& c : all) {
    if (c.link.identity == chosen->link.identity) {
      first = std::min(first, c.begin);
    } else if (c.begin < chosen->begin) {
      low = std::max(low, c.end);
    } else {
      high = std::min(high, c.begin);
    }
  }
  add_from_text(body, std::max(first, low), low, high, chosen->link, out);
  return out;
}

}  // namespace

InviteLink find_invite(std::string_view text, bool html, const InviteConfig& config) {
  return find_in(prepare(text, html, config), config);
}

InviteLink find_invite(const VEvent& event, const InviteConfig& config) {
  InviteLink best;
  const auto consider = [&](InviteLink found) {
    if (!found) return;
    if (!best || (!best.url && found.url)) {
      if (best && best.platform == found.platform && !found.passcode) found.passcode = best.passcode;
      best = std::move(found);
      return;
    }
    if (best.platform != found.platform) return;
    // The same meeting seen again, in a text that says more.
    const bool same =
        !found.meeting_id || !best.meeting_id || *found.meeting_id == *best.meeting_id || (found.url && found.url == best.url);
    if (!same) return;
    if (!best.passcode) best.passcode = found.passcode;
    if (found.url == best.url && found.meeting_id) best.meeting_id = found.meeting_id;
    if (!best.meeting_id) best.meeting_id = found.meeting_id;
  };
  const auto consider_property = [&](std::string_view name, std::string_view feature, bool feature_wanted) {
    for (const ConferenceLink& link : event.links) {
      if (name.ends_with('*') ? !link.property.starts_with(name.substr(0, name.size() - 1)) : link.property != name) continue;
      if (link.property == "CONFERENCE") {
        if (link.features.find("MODERATOR") != std::string::npos) continue;
        if (!feature.empty() && (link.features.find(feature) != std::string::npos) != feature_wanted) continue;
      }
      consider(find_invite(link.value, false, config));
    }
  };
  consider_property("CONFERENCE", "VIDEO", true);
  consider_property("CONFERENCE", "VIDEO", false);
  for (const std::string_view name :
       {"X-GOOGLE-CONFERENCE", "X-GOOGLE-HANGOUT", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
        "X-MICROSOFT-ONLINEMEETINGJOINLINK", "X-SKYPE*", "X-*"}) {
    consider_property(name, {}, true);
  }
  if (!event.url.empty()) consider(find_invite(event.url, false, config));
  if (!event.location.empty()) consider(find_invite(event.location, false, config));
  if (!event.html.empty()) consider(find_invite(event.html, true, config));
  if (!event.description.empty()) consider(find_invite(event.description, false, config));
  for (const std::string& attachment : event.attachments) consider(find_invite(attachment, false, config));
  return best;
}

Json invite_json(const InviteLink& link) {
  Json out = Json::object();
  if (!link) return out.set("platform", nullptr);
  const auto text = [](const std::optional<std::string>& s) { return s ? Json(*s) : Json(); };
  out.set("platform", link.platform).set("meeting_id", text(link.meeting_id));
  return out.set("passcode", text(link.passcode)).set("url", text(link.url));
}

InviteConfig invite_config(const Json& json) {
  InviteConfig out;
  const auto read = [&](std::string_view name, std::vector<std::string>& hosts) {
    for (const Json& item : json[name].items()) {
      if (auto host = item.as_string()) hosts.push_back(std::move(*host));
    }
  };
  read("jitsi_hosts", out.jitsi_hosts);
  read("zoom_hosts", out.zoom_hosts);
  read("webex_hosts", out.webex_hosts);
  read("generic_hosts", out.generic_hosts);
  return out;
}

}  // namespace hansard::calendar
