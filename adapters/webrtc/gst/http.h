#pragma once
// Outgoing HTTP of the media module, on the loop: requests with bounded replies, and streams of server-sent events.
#include <functional>
#include <memory>
#include <string>

#include "core/base/json.h"
#include "core/base/result.h"

namespace hansard::webrtc {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::string content_type;
  std::string body;
  std::string token;  ///< bearer token, may be empty
};

struct HttpReply {
  int status = 0;
  std::string body;      ///< at most 256 KiB
  std::string location;  ///< absolute, resolved against the request
  std::string content_type;
  std::string retry_after;
};

/// Sends a request; `done` runs on the loop, always. 307 and 308 are followed with the same method. No proxies.
/// Errors: kInvalid (bad URL), kUnavailable (cannot connect, time-out of 10 s).
void http_send(HttpRequest request, std::function<void(Result<HttpReply>)> done);

/// A stream of server-sent events whose data are JSON. It ends with its owner.
class EventStream {
 public:
  /// `event` runs for every event; `closed` once, with the HTTP status of a refusal or 0 when the connection broke.
  EventStream(const std::string& url, const std::string& token, std::function<void(const Json&)> event,
              std::function<void(int status)> closed);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

struct Url {
  std::string origin;  ///< scheme://host:port
  std::string path;    ///< begins with '/'
};
/// An http or https URL. Errors: kInvalid.
Result<Url> parse_http_url(const std::string& url);
/// A value for use in a query.
std::string query_escape(const std::string& value);

}  // namespace hansard::webrtc
