#pragma once
// An HTTP exchange as data: core says what to send and reads what came back; a host carries it over.
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/base/time.h"

namespace hansard {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers{};
  std::string body{};
  Duration timeout = seconds(20);
  std::size_t max_bytes = 32 << 20;  ///< of the decoded answer
  /// Follow redirects of GET and HEAD. Credentials never go along to another origin. False: the 3xx is the answer.
  bool follow_redirects = true;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers{};  ///< names in lower case
  std::string body{};
};

/// The first header of this name (compared without case), or empty.
inline std::string_view find_header(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [n, v] : headers) {
    if (equals_ignore_case(n, name)) return v;
  }
  return {};
}

/// Retry-After in seconds (RFC 9110, 10.2.3), at most six hours; its date form counts as none: our own backoff serves.
Duration retry_after(const HttpResponse& response);

}  // namespace hansard
