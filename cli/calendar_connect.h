#pragma once
// `hansard calendar connect KIND`: what all kinds share.
#include <span>
#include <string>

#include "adapters/curl/http_client.h"
#include "adapters/files/secrets.h"
#include "core/calendar/sources/source.h"
#include "daemon/asio_loop.h"
#include "daemon/config.h"

namespace hansard::cli {

/// The command after the word "connect". The exit code.
int cmd_connect(std::span<const std::string> args);

// One file each. `args` begin after the kind.
int connect_google(std::span<const std::string> args);
int connect_microsoft(std::span<const std::string> args);
int connect_caldav(std::span<const std::string> args);
int connect_feed(std::span<const std::string> args);

/// One command's way to the outside: requests that wait for their answer, and what a connection is tried and kept with.
class ConnectSession {
 public:
  explicit ConnectSession(Config config);

  const Config& config() const { return config_; }
  AsioLoop& loop() { return loop_; }
  /// The user has named this address by hand: it may lie in a private range.
  void allow(const std::string& url) { http_.allow(url); }

  /// Sends and waits.
  Result<HttpResponse> exchange(HttpRequest request);

  /// The connection of this name that is already there. Errors: those of SecretStore, kCorrupt.
  Result<calendar::Connection> known(const std::string& id);

  /// Reads the next 24 hours once, as the daemon will: the answer is the number of events in them. `connection` then holds
  /// the tokens that were renewed on the way. Errors: kDenied (connect again, check the password), kUnavailable ...
  Result<std::size_t> try_out(calendar::Connection& connection);
  /// Tries `connection` out, keeps it as a secret, tells a running daemon, and says to the person what is next. The exit code.
  int finish(calendar::Connection connection);

 private:
  Config config_;
  AsioLoop loop_;
  CurlClient http_;
  FileSecrets secrets_;
};

/// `--id NAME`, or `fallback` made into a name. Errors: kInvalid (characters that a name cannot have).
Result<std::string> connection_name(const std::string& given, std::string_view fallback);

}  // namespace hansard::cli
