#pragma once
// Which addresses an outgoing request may reach.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

struct sockaddr;

namespace hansard {

/// The parts of a URL that the guard looks at. `host` in lower case, without brackets.
struct UrlParts {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  std::string origin() const;
};

/// Only http, https and webcal (read as https) with a host and without credentials. Errors: kInvalid.
Result<UrlParts> read_url(std::string_view url);

/// The URL that a Location header names, seen from `base`. Errors: kInvalid.
Result<std::string> resolve_location(const std::string& base, std::string_view location);

class AddressGuard {
 public:
  /// `allowed`: "host" or "host:port" that may lie in private ranges.
  explicit AddressGuard(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}

  /// May a connection for this host and port go to private addresses?
  bool trusts(const UrlParts& url) const;
  void allow(std::string host_and_port) { allowed_.push_back(std::move(host_and_port)); }

 private:
  std::vector<std::string> allowed_;
};

/// Loopback, link-local, private, shared, multicast, reserved and unspecified addresses, and IPv6 forms that carry such an
/// IPv4 address. An address family other than these two counts as private.
bool is_private_address(const sockaddr* address);

}  // namespace hansard
