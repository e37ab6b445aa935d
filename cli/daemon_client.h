#pragma once
// The running daemon, as commands see it.
#include <cstdint>
#include <functional>
#include <string>

#include "core/base/json.h"
#include "daemon/app.h"

namespace hansard::cli {

class DaemonClient {
 public:
  /// Looks for a daemon on the configuration's data_dir. Errors: kUnavailable, saying how to start one.
  static Result<DaemonClient> find(const Config& config);
  DaemonClient(std::string address, std::uint16_t port, std::string token)
      : address_(std::move(address)), port_(port), token_(std::move(token)) {}

  /// Errors: kUnavailable, or what the API's error says.
  Result<Json> get(const std::string& path) const { return call("GET", path, Json()); }
  Result<Json> post(const std::string& path, const Json& body) const { return call("POST", path, body); }

  /// Follows the live events after `seq`, through restarts of the daemon; `event` gets each kind and body, and ("", null)
  /// about five times a second; returns when it returns false.
  void follow(std::uint64_t seq, const std::function<bool(const std::string& kind, const Json& body)>& event) const;

  std::string page_url() const;

 private:
  Result<Json> call(const std::string& method, const std::string& path, const Json& body) const;

  std::string address_;
  std::uint16_t port_;
  std::string token_;
};

}  // namespace hansard::cli
