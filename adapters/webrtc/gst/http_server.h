#pragma once
// A small HTTP server on the loop (libsoup): bounded bodies, replies at once or later, server-sent events.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace hansard::webrtc {

constexpr std::size_t kMaxRequestBody = 64 * 1024;

struct ServerRequest {
  std::string method;
  std::vector<std::string> path;  ///< decoded segments without empty ones
  std::string body;
  std::string content_type;  ///< lower case, without parameters
  std::string if_none_match;
  std::vector<std::pair<std::string, std::string>> query;

  std::string query_value(std::string_view key) const {
    for (const auto& [k, v] : query) {
      if (k == key) return v;
    }
    return "";
  }
};

using Headers = std::vector<std::pair<std::string, std::string>>;

/// The reply to one request. What comes after the client has gone is dropped.
class Responder {
 public:
  virtual ~Responder() = default;
  /// Once.
  virtual void reply(int status, std::string_view content_type, std::string_view body, const Headers& headers = {}) = 0;
  void reply_json(int status, const Json& json, const Headers& headers = {}) {
    reply(status, "application/json", json.dump(), headers);
  }
  /// {"error": text}
  void reply_error(int status, std::string_view text) { reply_json(status, Json::object().set("error", text)); }

  /// Begins a stream of server-sent events instead of a reply. `closed` runs when the client is gone.
  virtual void begin_events(std::function<void()> closed) = 0;
  /// False when the client does not read what it was sent.
  virtual bool send_event(const Json& event) = 0;
  virtual void end_events() = 0;
};

class HttpServer {
 public:
  using Handler = std::function<void(const ServerRequest&, std::shared_ptr<Responder>)>;

  /// Listens on a literal address; port 0 takes a free one. Pages of loopback origins may call it (CORS); pages of other
  /// origins are refused. Errors: kUnavailable (port in use), kInvalid (address).
  static Result<std::unique_ptr<HttpServer>> listen(const std::string& address, unsigned port, Handler handler);
  virtual ~HttpServer() = default;
  virtual unsigned port() const = 0;
};

}  // namespace hansard::webrtc
