#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  Duration timeout = seconds(20);
  std::size_t max_bytes = 32 << 20;  ///< of the decoded answer
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
};

/// The one guarded door to other hosts.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Never blocks; `done` is called once on the host's thread. Errors: kUnavailable (with what to check), kDenied (the guard
  /// refused the address), kExhausted (answer too large), kInvalid (no such kind of URL).
  virtual void send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) = 0;
};

}  // namespace hansard
