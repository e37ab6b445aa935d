#pragma once
#include <functional>

#include "core/base/http.h"
#include "core/base/result.h"

namespace hansard {

/// The one guarded door to other hosts.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Never blocks; `done` is called once on the host's thread. Errors: kUnavailable (with what to check), kDenied (the guard
  /// refused the address), kExhausted (answer too large), kInvalid (no such kind of URL).
  virtual void send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) = 0;
};

}  // namespace hansard
