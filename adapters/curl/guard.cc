#include "adapters/curl/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "core/base/text.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "http";

struct Range {
  std::uint32_t base;
  int bits;
};

// IANA special-purpose address registries, what is not globally reachable.
constexpr Range kPrivateV4[] = {
    {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16}, {0xAC100000, 12}, {0xC0000000, 24},
    {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16}, {0xC6120000, 15}, {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 3},
};

bool is_private_v4(std::uint32_t a) {
  return std::any_of(std::begin(kPrivateV4), std::end(kPrivateV4),
                     [a](const Range& r) { return (a ^ r.base) >> (32 - r.bits) == 0; });
}

std::uint32_t v4_at(const std::uint8_t* p) {
  return static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1]) << 16 | static_cast<std::uint32_t>(p[2]) << 8 |
         p[3];
}

bool is_private_v6(const std::uint8_t* a) {
  static constexpr std::uint8_t kZero[15] = {};
  if (std::memcmp(a, kZero, 12) == 0) return true;  // ::, ::1 and the old IPv4-compatible form
  if (std::memcmp(a, kZero, 10) == 0 && a[10] == 0xff && a[11] == 0xff) return is_private_v4(v4_at(a + 12));
  if (a[0] == 0x00 && a[1] == 0x64 && a[2] == 0xff && a[3] == 0x9b) return is_private_v4(v4_at(a + 12)) || a[4] != 0 || a[5] != 0;
  if (a[0] == 0x20 && a[1] == 0x02) return is_private_v4(v4_at(a + 2));           // 6to4
  if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02) return true;                   // 2001::/23: Teredo and special uses
  if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8) return true;  // documentation
  // Only 2000::/3 is handed out as global unicast.
  return (a[0] & 0xe0) != 0x20;
}

}  // namespace

bool is_private_address(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return is_private_v4(ntohl(in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    return is_private_v6(in.sin6_addr.s6_addr);
  }
  return true;
}

std::string UrlParts::origin() const { return scheme + "://" + host + ":" + std::to_string(port); }

Result<UrlParts> read_url(std::string_view url) {
  const auto bad = [](const char* why) { return fail(ErrorClass::kInvalid, kArea, why); };
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return bad("the address does not begin with http://, https:// or webcal://");
  UrlParts out;
  out.scheme = to_lower(url.substr(0, colon));
  if (out.scheme == "webcal") out.scheme = "https";
  if (out.scheme != "http" && out.scheme != "https") return bad("only http, https and webcal addresses are read");
  std::string_view rest = url.substr(colon + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '\\')
      return bad("the address holds characters that it may not hold");
  }
  if (rest.find('@') != std::string_view::npos) return bad("an address with a user name in it is not read");
  std::string_view port;
  if (!rest.empty() && rest.front() == '[') {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return bad("the address has no host");
    out.host = to_lower(rest.substr(1, close - 1));
    if (close + 1 < rest.size()) {
      if (rest[close + 1] != ':') return bad("the address has no port after its colon");
      port = rest.substr(close + 2);
    }
  } else {
    const auto at = rest.find(':');
    out.host = to_lower(rest.substr(0, at));
    if (at != std::string_view::npos) port = rest.substr(at + 1);
  }
  if (out.host.empty()) return bad("the address has no host");
  out.port = out.scheme == "http" ? 80 : 443;
  if (!port.empty()) {
    std::int64_t number = 0;
    if (!parse_digits(port, number) || number < 1 || number > 65535) return bad("the address has a port that is none");
    out.port = static_cast<std::uint16_t>(number);
  }
  return out;
}

Result<std::string> resolve_location(const std::string& base, std::string_view location) {
  const auto parts = read_url(base);
  if (!parts) return std::unexpected(parts.error());
  location = location.substr(0, location.find('#'));
  std::string out;
  const auto scheme_end = location.find("://");
  if (scheme_end != std::string_view::npos && location.find_first_of("/?") > scheme_end) {
    out = location;
  } else if (location.starts_with("//")) {
    out = parts->scheme + ":" + std::string(location);
  } else {
    const auto path_at = base.find_first_of("/?#", base.find("://") + 3);
    const std::string root = base.substr(0, path_at);
    if (location.starts_with("/")) {
      out = root + std::string(location);
    } else {
      std::string path = path_at == std::string::npos ? "/" : base.substr(path_at);
      path = path.substr(0, path.find_first_of("?#"));
      path = path.substr(0, path.rfind('/') + 1);
      out = root + (path.empty() ? "/" : path) + std::string(location);
    }
  }
  if (auto checked = read_url(out); !checked) return std::unexpected(checked.error());
  return out;
}

bool AddressGuard::trusts(const UrlParts& url) const {
  const std::string name = url.host;
  const std::string with_port = (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" + std::to_string(url.port);
  return std::any_of(allowed_.begin(), allowed_.end(),
                     [&](const std::string& a) { return equals_ignore_case(a, name) || equals_ignore_case(a, with_port); });
}

}  // namespace hansard
