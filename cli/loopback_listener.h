#pragma once
// Where a browser ends up after a sign-in: the redirect of an installed app (RFC 8252, 7.3).
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "adapters/files/posix.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard::cli {

/// One answer on 127.0.0.1 at any free port. It blocks; nothing else runs meanwhile.
class LoopbackListener {
 public:
  /// `host` is what redirect_uri() says: "127.0.0.1", or "localhost" for a vendor that knows only that name.
  /// Errors: kUnavailable.
  static Result<LoopbackListener> open(std::string_view host = "127.0.0.1");

  /// "http://127.0.0.1:PORT/": exactly this must be sent to the vendor.
  std::string redirect_uri() const;

  /// The parameters of the first request for redirect_uri() whose `state` is this one: "code", or "error" and what the
  /// vendor says with it. Other requests (a favicon, another state) are refused and waiting goes on. The browser gets a
  /// small page that sends the person back here. Errors: kCancelled (nobody came in time), kUnavailable.
  Result<std::map<std::string, std::string>> wait(std::string_view state, Duration limit);

 private:
  LoopbackListener(posix::Descriptor socket, std::string host, std::uint16_t port)
      : socket_(std::move(socket)), host_(std::move(host)), port_(port) {}

  posix::Descriptor socket_;
  std::string host_;
  std::uint16_t port_ = 0;
};

}  // namespace hansard::cli
