#pragma once
// The socket side of the API: HTTP/1.1 and server-sent events by Boost.Beast, in one translation unit.
#include <cstdint>
#include <memory>
#include <string>

#include "daemon/api.h"
#include "daemon/asio_loop.h"
#include "daemon/live.h"

namespace hansard {

class HttpServer {
 public:
  HttpServer(AsioLoop& loop, LiveHub& hub);
  ~HttpServer();

  /// Binds; port 0 takes any free one. The port in use. Errors: kConflict (in use), kDenied, kInvalid.
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);
  /// Requests are answered from now on.
  void serve(api::Context context);
  void close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hansard
