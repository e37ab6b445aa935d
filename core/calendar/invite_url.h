#pragma once
// URLs of invitations: splitting, decoding, and taking off the wrappers that mail systems put around links.
#include <optional>
#include <string>
#include <string_view>

namespace hansard::calendar {

/// A URL in its parts. `host` is lower case without port and trailing dot; everything else is as written.
struct Url {
  std::string scheme;  ///< lower case
  std::string host;
  std::string port;   ///< digits or empty
  std::string path;   ///< begins with '/', or is empty
  std::string query;  ///< without '?'
  std::string fragment;
  bool has_query = false, has_fragment = false;

  /// Scheme, host, port and the rest as written; `scheme` replaces the URL's own.
  std::string text(std::string_view with_scheme = "https") const;
};

/// Splits an absolute URL with authority. Nothing for other forms, for user names in the authority (a common disguise),
/// and for hosts with characters that no host has.
std::optional<Url> parse_url(std::string_view text);

/// True when `host` is `domain` or one of its subdomains (label borders, no substring search).
bool host_within(std::string_view host, std::string_view domain);

/// The value of a query parameter as written (name compared without case), or nothing.
std::optional<std::string_view> query_parameter(std::string_view query, std::string_view name);

/// The URL inside a known wrapper (Outlook SafeLinks, Google, Proofpoint v1 to v3, Barracuda, Cisco and the like), or
/// nothing when this is no wrapper that can be opened.
std::optional<std::string> unwrap_once(const Url& url);

/// True when the host is that of a known wrapper.
bool is_wrapper_host(std::string_view host);

}  // namespace hansard::calendar
