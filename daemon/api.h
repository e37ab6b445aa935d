#pragma once
// The HTTP API as functions from request to response: no sockets here (daemon/http_server.h has them).
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/http.h"
#include "core/calendar/sources/source.h"
#include "core/flow/events.h"
#include "ports/store.h"

namespace hansard::api {

struct Request {
  std::string method;
  std::string target;  ///< path and query
  std::string host;
  std::string origin;
  std::string authorization;
  std::string content_type;
  std::string last_event_id;
  std::string body;
  HttpHeaders headers{};  ///< all of them, for what vendors send
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::string allow;    ///< for 405
  bool stream = false;  ///< answer with live events after `after`
  std::uint64_t after = 0;
};

struct Context {
  Store& store;
  std::string token;
  std::vector<std::string> hosts;  ///< what a Host header may say, in lower case
  std::function<Json()> status = {};
  std::function<std::uint64_t()> last_seq = {};
  /// A meeting by hand: URL, title, token -> its id. Errors: kInvalid.
  std::function<Result<std::string>(const Json& body)> join = {};
  /// False when the meeting is not living.
  std::function<bool(const std::string& meeting, flow::Event event)> post = {};
  /// A vendor's push for a calendar source. The source itself knows which ones are genuine.
  std::function<calendar::PushAnswer(const std::string& source, const calendar::PushRequest& request)> push = {};
  // Calendars: see daemon/calendars.h.
  std::function<Result<Json>()> calendars = {};
  std::function<Result<Json>()> reload_calendars = {};
  std::function<Result<Json>(const std::string& id)> sync_calendars = {};
  /// See decide_task() in daemon/task_outbox.h.
  std::function<Result<void>(const std::string& key, bool retry)> decide_task = {};
  /// A request came without the right token.
  std::function<void()> refused = {};
  /// The daemon is to end: "hand_over", "finish", "leave". What is left to do. Errors: kInvalid (another word).
  std::function<Result<Json>(const std::string& how)> stop = {};
};

/// True for addresses that a vendor calls ("/hooks/calendar/ID"): they take a larger body and need no API token.
bool is_push_address(std::string_view target);

Response handle(const Context& context, const Request& request);

/// An error as the API says it: {"error": {"code", "detail"}}.
Response error_response(int status, std::string_view code, std::string_view detail);

}  // namespace hansard::api
