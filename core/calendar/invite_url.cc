#include "core/calendar/invite_url.h"

#include <algorithm>

#include "core/base/encoding.h"
#include "core/base/text.h"

namespace hansard::calendar {
namespace {

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// Wrappers that carry the target percent-encoded in a query parameter.
struct QueryWrapper {
  std::string_view domain;
  std::string_view path;  ///< the path must begin so; empty = any
  std::string_view parameter;
};
constexpr QueryWrapper kQueryWrappers[] = {
    {"safelinks.protection.outlook.com", "", "url"},
    {"safelinks.protection.office365.us", "", "url"},
    {"statics.teams.cdn.office.net", "/evergreen-assets/safelinks/", "url"},
    {"urldefense.proofpoint.com", "/v1/url", "u"},
    {"linkprotect.cudasvc.com", "/url", "a"},
    {"clicktime.symantec.com", "", "u"},
    {"protect2.fireeye.com", "", "u"},
    {"trendmicro.com", "/wis/clicktime/", "url"},
    {"slack-redir.net", "/link", "url"},
    {"deref-gmx.net", "/", "redirectUrl"},
    {"deref-web.de", "/", "redirectUrl"},
    {"deref-mail.com", "/", "redirectUrl"},
    {"meet.google.com", "/linkredirect", "dest"},
};

/// www.google.com, google.de, www.google.co.uk: the name must be the label before a public suffix of one or two labels.
bool is_google(std::string_view host) {
  if (host.starts_with("www.")) host.remove_prefix(4);
  if (!host.starts_with("google.")) return false;
  host.remove_prefix(7);
  const auto dot = host.find('.');
  if (dot == std::string_view::npos) return host.size() >= 2 && host.size() <= 3;
  const auto first = host.substr(0, dot);
  return (first == "co" || first == "com") && host.size() - dot - 1 == 2;
}

/// Proofpoint v2: '-' stands for '%', '_' for '/'.
std::string proofpoint_v2(std::string_view value) {
  std::string out(value);
  for (char& c : out) c = c == '-' ? '%' : c == '_' ? '/' : c;
  return percent_decode(out);
}

/// Proofpoint v3: .../v3/__URL__;BASE64!!...: each '*' in the URL stands for the next of the encoded characters, "**X"
/// for a run of them (X = 'A' means two).
std::optional<std::string> proofpoint_v3(std::string_view all) {
  const auto open = all.find("/v3/__");
  if (open == std::string_view::npos) return std::nullopt;
  all.remove_prefix(open + 6);
  const auto close = all.find("__;");
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view target = all.substr(0, close);
  const std::string replaced = base64_decode(all.substr(close + 3, all.find('!', close) - close - 3));
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] != '*') {
      out += target[i];
      continue;
    }
    std::size_t run = 1;
    if (i + 2 < target.size() && target[i + 1] == '*' && base64_value(target[i + 2]) >= 0) {
      run = static_cast<std::size_t>(base64_value(target[i + 2])) + 2;
      i += 2;
    }
    if (used + run > replaced.size()) {
      out.append(run == 1 ? "*" : "");
      continue;
    }
    out.append(replaced, used, run);
    used += run;
  }
  // Some systems fold the two slashes after the scheme.
  const auto slash = out.find(":/");
  if (slash != std::string::npos && slash < 8 && out.substr(slash, 3) != "://") out.insert(slash + 1, "/");
  return out;
}

}  // namespace

std::string Url::text(std::string_view with_scheme) const {
  std::string out(with_scheme);
  out += "://";
  out += host;
  if (!port.empty() &&
      !((with_scheme == "https" && (port == "443" || port == "80")) || (with_scheme == "http" && port == "80"))) {
    out += ':';
    out += port;
  }
  out += path;
  if (has_query) out += '?' + query;
  if (has_fragment) out += '#' + fragment;
  return out;
}

std::optional<Url> parse_url(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0 || colon > 20) return std::nullopt;
  Url out;
  out.scheme = to_lower(text.substr(0, colon));
  text.remove_prefix(colon + 3);
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    out.has_fragment = true;
    out.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const auto mark = text.find('?'); mark != std::string_view::npos) {
    out.has_query = true;
    out.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  const auto slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  if (slash != std::string_view::npos) out.path = text.substr(slash);
  if (authority.find('@') != std::string_view::npos) return std::nullopt;
  if (authority.starts_with('[')) {  // an IPv6 address, for generic hosts
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    out.host = to_lower(authority.substr(0, close + 1));
    authority.remove_prefix(close + 1);
    if (authority.starts_with(':')) out.port = authority.substr(1);
  } else {
    const auto port = authority.find(':');
    out.host = to_lower(authority.substr(0, port));
    if (port != std::string_view::npos) out.port = authority.substr(port + 1);
    if (out.host.ends_with('.')) out.host.pop_back();
    if (!std::all_of(out.host.begin(), out.host.end(), [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; })) {
      return std::nullopt;
    }
  }
  if (out.host.empty() || out.port.size() > 5) return std::nullopt;
  if (!std::all_of(out.port.begin(), out.port.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return out;
}

bool host_within(std::string_view host, std::string_view domain) {
  if (!host.ends_with(domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name) {
  for (const std::string_view part : split(query, '&')) {
    const auto equals = part.find('=');
    if (equals != std::string_view::npos && equals_ignore_case(part.substr(0, equals), name)) return part.substr(equals + 1);
  }
  return std::nullopt;
}

bool is_wrapper_host(std::string_view host) {
  if (is_google(host) || host_within(host, "urldefense.com") || host_within(host, "urldefense.us") ||
      host == "secure-web.cisco.com" || host_within(host, "protection.sophos.com")) {
    return true;
  }
  return std::any_of(std::begin(kQueryWrappers), std::end(kQueryWrappers),
                     [&](const QueryWrapper& w) { return w.domain != "meet.google.com" && host_within(host, w.domain); });
}

std::optional<std::string> unwrap_once(const Url& url) {
  const auto decoded = [&](std::string_view parameter) -> std::optional<std::string> {
    const auto value = query_parameter(url.query, parameter);
    if (!value || value->empty()) return std::nullopt;
    return percent_decode(*value);
  };
  if (is_google(url.host)) {
    if (url.path != "/url") return std::nullopt;
    const auto q = decoded("q");
    return q ? q : decoded("url");
  }
  const bool proofpoint = host_within(url.host, "urldefense.com") || host_within(url.host, "urldefense.us") ||
                          host_within(url.host, "urldefense.proofpoint.com");
  if (proofpoint && url.path.starts_with("/v2/")) {
    const auto u = query_parameter(url.query, "u");
    return u ? std::optional(proofpoint_v2(*u)) : std::nullopt;
  }
  if (proofpoint && url.path.starts_with("/v3/")) return proofpoint_v3(url.text());
  if (url.host == "secure-web.cisco.com") {
    const auto slash = url.path.rfind('/');
    if (slash == std::string::npos) return std::nullopt;
    return percent_decode(std::string_view(url.path).substr(slash + 1));
  }
  if (host_within(url.host, "protection.sophos.com")) {
    const auto u = query_parameter(url.query, "u");
    return u ? std::optional(base64_decode(percent_decode(*u))) : std::nullopt;
  }
  for (const QueryWrapper& w : kQueryWrappers) {
    if (host_within(url.host, w.domain) && url.path.starts_with(w.path)) return decoded(w.parameter);
  }
  return std::nullopt;
}

}  // namespace hansard::calendar
