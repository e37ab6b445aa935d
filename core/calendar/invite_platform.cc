#include "core/calendar/invite_platform.h"

#include <algorithm>

#include "core/base/encoding.h"
#include "core/base/text.h"

namespace hansard::calendar {
namespace {

constexpr int kMaxUnwrap = 5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool digits_between(std::string_view s, std::size_t low, std::size_t high) {
  return s.size() >= low && s.size() <= high && std::all_of(s.begin(), s.end(), is_digit);
}

/// Path segments, empty ones left out.
std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  for (const std::string_view part : split(path, '/')) {
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

bool listed(const std::vector<std::string>& hosts, std::string_view host, std::string_view port) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& entry) {
    const auto parsed = parse_url(entry.find("://") == std::string::npos ? "https://" + entry : entry);
    if (!parsed || parsed->host != host) return false;
    return parsed->port.empty() || parsed->port == port;
  });
}

bool is_zoom_host(const Url& u, const InviteConfig& config) {
  for (const std::string_view domain : {"zoom.us", "zoom.com", "zoomgov.com", "zoom.com.cn", "zoom.cn"}) {
    if (host_within(u.host, domain)) return true;
  }
  return listed(config.zoom_hosts, u.host, u.port);
}

bool is_teams_host(std::string_view host) {
  for (const std::string_view domain :
       {"teams.microsoft.com", "teams.cloud.microsoft", "teams.live.com", "teams.microsoft.us", "teams.microsoftonline.cn"}) {
    if (host_within(host, domain)) return true;
  }
  return false;
}

bool is_webex_host(const Url& u, const InviteConfig& config) {
  return host_within(u.host, "webex.com") || host_within(u.host, "webex.com.cn") || listed(config.webex_hosts, u.host, u.port);
}

std::optional<JoinLink> make(std::string_view platform, std::string id, std::string url, const std::string& identity = {}) {
  JoinLink out;
  out.platform = platform;
  out.meeting_id = std::move(id);
  out.url = std::move(url);
  out.identity = out.platform + '|' + (identity.empty() ? out.meeting_id : identity);
  return out;
}

std::optional<JoinLink> read_zoom(const Url& u) {
  const auto s = segments(u.path);
  std::string id;
  std::string identity;
  if (s.size() >= 2 && (equals_ignore_case(s[0], "j") || equals_ignore_case(s[0], "w") || equals_ignore_case(s[0], "s"))) {
    id = s[1];
  } else if (s.size() >= 3 && equals_ignore_case(s[0], "wc") && equals_ignore_case(s[1], "join")) {
    id = s[2];
  } else if (s.size() >= 3 && equals_ignore_case(s[0], "wc") &&
             (equals_ignore_case(s[2], "join") || equals_ignore_case(s[2], "start"))) {
    id = s[1];
  } else if (s.size() == 2 && equals_ignore_case(s[0], "my")) {
    identity = u.host + "/my/" + to_lower(s[1]);
  } else if (s.size() == 1 && equals_ignore_case(s[0], "join") && query_parameter(u.query, "confno")) {
    id = *query_parameter(u.query, "confno");
    const auto pwd = query_parameter(u.query, "pwd");
    if (!digits_between(id, 9, 12)) return std::nullopt;
    auto out = make("zoom", id, "https://" + u.host + "/j/" + id + (pwd ? "?pwd=" + std::string(*pwd) : ""));
    out->has_passcode = pwd.has_value();
    return out;
  } else {
    return std::nullopt;
  }
  std::erase(id, '-');
  if (identity.empty() && !digits_between(id, 9, 12)) return std::nullopt;
  auto out = make("zoom", id, u.text(), identity);
  out->has_passcode = query_parameter(u.query, "pwd").has_value();
  return out;
}

/// The parameters that the web client adds to a join link for itself.
std::string without_client_parameters(std::string_view link) {
  const auto mark = link.find('?');
  if (mark == std::string_view::npos) return std::string(link);
  std::string out(link.substr(0, mark));
  char separator = '?';
  for (const std::string_view part : split(link.substr(mark + 1), '&')) {
    const auto name = part.substr(0, part.find('='));
    if (name == "anon" || name == "deeplinkId" || name == "launchAgent" || name == "type" || name == "suppressPrompt") continue;
    out += separator;
    out += part;
    separator = '&';
  }
  return out;
}

std::optional<JoinLink> read_teams(const Url& u, int depth = 0) {
  if (depth > 2) return std::nullopt;
  const auto s = segments(u.path);
  if (s.size() >= 3 && s[0] == "l" && equals_ignore_case(s[1], "meetup-join")) {
    return make("teams", sanitize_utf8(percent_decode(s[2])), u.text());
  }
  if (s.size() >= 2 && equals_ignore_case(s[0], "meet") && digits_between(s[1], 8, 18)) {
    auto out = make("teams", std::string(s[1]), u.text());
    out->has_passcode = query_parameter(u.query, "p").has_value();
    out->numeric_id_in_url = true;
    return out;
  }
  // The web client keeps the link behind '#', the launcher page in a parameter ("/_#/l/meetup-join/...").
  std::string inner;
  if (u.fragment.starts_with("/l/") || u.fragment.starts_with("/meet/")) {
    inner = u.fragment;
  } else if (s.size() >= 2 && s[0] == "dl" && s[1] == "launcher") {
    inner = percent_decode(query_parameter(u.query, "url").value_or(""));
    if (const auto hash = inner.find('#'); hash != std::string::npos) inner.erase(0, hash + 1);
  }
  if (!inner.starts_with('/')) return std::nullopt;
  const auto next = parse_url("https://" + u.host + without_client_parameters(inner));
  return next ? read_teams(*next, depth + 1) : std::nullopt;
}

/// aaa-bbbb-ccc, any case.
bool is_meet_code(std::string_view s) {
  if (s.size() != 12 || s[3] != '-' || s[8] != '-') return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');
    if (i != 3 && i != 8 && !letter) return false;
  }
  return true;
}

std::optional<JoinLink> read_meet(Url u) {
  const auto s = segments(u.path);
  if (u.host == "g.co") {
    if (s.size() != 2 || s[0] != "meet") return std::nullopt;
    return make("meet", "", u.text(), "nickname " + to_lower(s[1]));
  }
  if (s.size() >= 2 && equals_ignore_case(s[0], "lookup")) return make("meet", "", u.text(), "nickname " + to_lower(s[1]));
  const std::size_t at = s.size() >= 2 && s[0] == "_meet" ? 1 : 0;
  if (s.size() <= at || !is_meet_code(s[at])) return std::nullopt;
  const std::string code = to_lower(s[at]);
  const auto from = u.path.find(s[at]);
  u.path.replace(from, code.size(), code);
  return make("meet", code, u.text());
}

std::optional<JoinLink> read_webex(const Url& u) {
  const auto s = segments(u.path);
  if (s.empty()) return std::nullopt;
  const std::string page = to_lower(s.back());
  const auto mtid = query_parameter(u.query, "MTID");
  if (mtid && !mtid->empty() && (page == "j.php" || page == "g.php")) {
    auto out = make("webex", std::string(*mtid), u.text());
    out->mtid = true;
    out->has_passcode = query_parameter(u.query, "pw").has_value() || query_parameter(u.query, "password").has_value();
    return out;
  }
  const bool room = s.size() >= 2 && (equals_ignore_case(s[0], "meet") || equals_ignore_case(s[0], "join"));
  const bool site_room = s.size() >= 3 && (equals_ignore_case(s[1], "meet") || equals_ignore_case(s[1], "join"));
  if (room || site_room) {
    const std::string_view name = room ? s[1] : s[2];
    if (starts_with_ignore_case(name, "pr") && digits_between(name.substr(2), 8, 12))
      return make("webex", std::string(name.substr(2)), u.text());
    return make("webex", "", u.text(), u.host + "/" + to_lower(name));
  }
  const bool service = (equals_ignore_case(s[0], "wbxmjs") && s.size() >= 3 && equals_ignore_case(s[1], "joinservice")) ||
                       (equals_ignore_case(s[0], "webappng") && s.size() >= 5);
  if (!service) return std::nullopt;
  const auto meeting =
      std::find_if(s.begin(), s.end(), [](std::string_view part) { return equals_ignore_case(part, "meeting"); });
  if (meeting == s.end() || std::next(meeting) == s.end()) return std::nullopt;
  if (mtid && !mtid->empty()) {
    auto out = make("webex", std::string(*mtid), u.text());
    out->mtid = true;
    return out;
  }
  const bool named = digits_between(s.back(), 9, 12);
  return make("webex", named ? std::string(s.back()) : "", u.text(), u.host + u.path);
}

std::optional<JoinLink> read_jitsi(const Url& u) {
  const auto s = segments(u.path);
  if (s.empty()) return std::nullopt;
  for (const std::string_view page : {"static", "libs", "images", "sounds", "css", "fonts", "lang", "http-bind", "xmpp-websocket",
                                      "colibri-ws", "favicon.ico", "about", "close.html", "config.js", "external_api.js"}) {
    if (equals_ignore_case(s[0], page)) return std::nullopt;
  }
  if (s.back().ends_with(".html") || s.back().ends_with(".js")) return std::nullopt;
  std::string room;
  for (const std::string_view part : s) room += (room.empty() ? "" : "/") + percent_decode(part);
  room = sanitize_utf8(room);
  auto out = make("jitsi", room, u.text(), u.host + "/" + to_lower(room));
  out->has_passcode = query_parameter(u.query, "jwt").has_value();
  return out;
}

std::optional<JoinLink> read_generic(const Url& u) {
  const auto s = segments(u.path);
  if (s.empty()) return std::nullopt;
  // Such hosts are often loopback or a machine in the house, without TLS: the scheme stays as written.
  const std::string scheme = u.scheme == "http" ? "http" : "https";
  return make("generic", sanitize_utf8(percent_decode(std::string_view(u.path).substr(1))), u.text(scheme),
              u.host + u.port + u.path);
}

/// App links as the web links they stand for; everything else as written.
std::string from_app_link(std::string_view url) {
  for (const std::string_view scheme : {"zoommtg:", "zoomus:", "zoompm:", "msteams:", "jitsi-meet:", "org.jitsi.meet:"}) {
    if (!starts_with_ignore_case(url, scheme)) continue;
    std::string_view rest = url.substr(scheme.size());
    if (rest.starts_with("//")) return "https:" + std::string(rest);
    if (scheme == "msteams:" && rest.starts_with('/')) return "https://teams.microsoft.com" + std::string(rest);
    return "https://" + std::string(rest);
  }
  return std::string(url);
}

std::optional<JoinLink> read_direct(const Url& u, bool jitsi_app, const InviteConfig& config) {
  if (listed(config.generic_hosts, u.host, u.port)) return read_generic(u);
  if (jitsi_app || is_jitsi_host(u.host, u.port, config)) return read_jitsi(u);
  if (is_zoom_host(u, config)) return read_zoom(u);
  if (is_teams_host(u.host)) return read_teams(u);
  if (u.host == "meet.google.com" || u.host == "g.co") return read_meet(u);
  if (is_webex_host(u, config)) return read_webex(u);
  return std::nullopt;
}

}  // namespace

bool is_jitsi_host(std::string_view host, std::string_view port, const InviteConfig& config) {
  return host_within(host, "meet.jit.si") || host_within(host, "8x8.vc") || listed(config.jitsi_hosts, host, port);
}

bool is_known_host(std::string_view host, std::string_view port, const InviteConfig& config) {
  Url u;
  u.host = host;
  u.port = port;
  return is_wrapper_host(host) || is_zoom_host(u, config) || is_teams_host(host) || host == "meet.google.com" || host == "g.co" ||
         is_webex_host(u, config) || is_jitsi_host(host, port, config) || listed(config.generic_hosts, host, port);
}

namespace {

/// What a wrapper or an attribute holds may be anything: valid UTF-8, up to the first blank or control character (blanks
/// may stand in the literal {"Tid": ...} of Teams).
std::string clean(std::string_view url) {
  url = trim(url);
  const auto stop = std::find_if(url.begin(), url.end(), [&, brace = false](char c) mutable {
    brace = brace || c == '{';
    return static_cast<unsigned char>(c) < ' ' || c == 0x7F || (c == ' ' && !brace);
  });
  return sanitize_utf8(url.substr(0, static_cast<std::size_t>(stop - url.begin())));
}

}  // namespace

std::optional<JoinLink> read_join_link(std::string_view url, const InviteConfig& config) {
  std::string current = clean(url);
  for (int depth = 0; depth <= kMaxUnwrap; ++depth) {
    const bool jitsi_app = starts_with_ignore_case(current, "jitsi-meet:") || starts_with_ignore_case(current, "org.jitsi.meet:");
    current = from_app_link(current);
    // A wrapper may hold its target without the scheme.
    if (current.find("://") == std::string::npos) current.insert(0, "https://");
    const auto parsed = parse_url(current);
    if (!parsed || (parsed->scheme != "https" && parsed->scheme != "http")) return std::nullopt;
    if (auto link = read_direct(*parsed, jitsi_app, config)) return link;
    const auto inner = unwrap_once(*parsed);
    if (!inner) return std::nullopt;
    current = clean(*inner);
  }
  return std::nullopt;
}

}  // namespace hansard::calendar
