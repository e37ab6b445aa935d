#include "daemon/api.h"

#include <algorithm>

#include "core/base/encoding.h"
#include "core/base/secret.h"
#include "core/base/text.h"
#include "daemon/assets.h"
#include "daemon/calendar_view.h"
#include "daemon/meeting_view.h"
#include "daemon/task_outbox.h"

namespace hansard::api {
namespace {

struct Target {
  std::string path;
  std::vector<std::string> parts;  ///< decoded, without empty ones
  std::string query;
};

Target read_target(std::string_view target) {
  Target out;
  const auto question = target.find('?');
  out.path = target.substr(0, question);
  if (question != std::string_view::npos) out.query = target.substr(question + 1);
  for (const auto part : split(out.path, '/')) {
    if (!part.empty()) out.parts.push_back(percent_decode(part));
  }
  return out;
}

std::string query_value(const std::string& query, std::string_view name) {
  for (const auto pair : split(query, '&')) {
    const auto eq = pair.find('=');
    if (pair.substr(0, eq) == name) return eq == std::string_view::npos ? "" : percent_decode(pair.substr(eq + 1));
  }
  return "";
}

int status_of(ErrorClass code) {
  switch (code) {
    case ErrorClass::kInvalid: return 400;
    case ErrorClass::kNotFound: return 404;
    case ErrorClass::kConflict: return 409;
    case ErrorClass::kDenied: return 403;
    case ErrorClass::kRateLimited: return 429;
    case ErrorClass::kUnavailable: return 503;
    case ErrorClass::kExhausted: return 507;
    default: return 500;
  }
}

Response error_of(const Error& error) { return error_response(status_of(error.code), name(error.code), error.detail); }

Response json(Result<Json> value) {
  if (!value) return error_of(value.error());
  Response out;
  out.body = value->dump();
  return out;
}

Response method_not_allowed(std::string allow) {
  Response out = error_response(405, "invalid", "this address does not take that method");
  out.allow = std::move(allow);
  return out;
}

bool host_is_ours(const Context& context, std::string_view host) {
  const std::string lower = to_lower(host);
  return std::find(context.hosts.begin(), context.hosts.end(), lower) != context.hosts.end();
}

/// A browser says where a request comes from; only our own page may ask.
bool origin_is_ours(const Context& context, std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return host_is_ours(context, origin.substr(scheme.size()));
  }
  return false;
}

Response page(const Request& request, const Target& target) {
  if (request.method != "GET" && request.method != "HEAD") return method_not_allowed("GET, HEAD");
  const std::string name = target.parts.empty() ? "index.html" : target.parts.size() == 1 ? target.parts[0] : "";
  for (const Asset& asset : web_assets()) {
    if (asset.name != name) continue;
    Response out;
    out.type = asset.type;
    out.body = asset.bytes;
    return out;
  }
  return error_response(404, "not_found", "there is nothing at this address");
}

Response events(const Context& context, const Request& request, const Target& target) {
  if (request.method != "GET") return method_not_allowed("GET");
  std::string after = request.last_event_id;
  if (after.empty()) after = query_value(target.query, "after");
  std::int64_t seq = static_cast<std::int64_t>(context.last_seq());
  if (!after.empty() && !parse_digits(after, seq)) return error_response(400, "invalid", "'after' must be a sequence number");
  Response out;
  out.type = "text/event-stream";
  out.stream = true;
  out.after = static_cast<std::uint64_t>(seq);
  return out;
}

bool is_json(const Request& request) {
  return to_lower(std::string_view(request.content_type).substr(0, request.content_type.find(';'))) == "application/json";
}

Response accepted(const Json& body) {
  Response out;
  out.status = 202;
  out.body = body.dump();
  return out;
}

Response join(const Context& context, const Request& request) {
  if (!is_json(request)) return error_response(415, "invalid", "send the meeting as application/json");
  const auto body = Json::parse(request.body);
  if (!body || !body->is_object()) return error_response(400, "invalid", "the body is not a JSON object");
  auto id = context.join(*body);
  return id ? accepted(Json::object().set("id", *id)) : error_of(id.error());
}

/// The daemon itself ends.
Response stop(const Context& context, const Request& request) {
  if (request.method != "POST") return method_not_allowed("POST");
  if (!is_json(request)) return error_response(415, "invalid", "send {\"how\": ...} as application/json");
  const auto body = Json::parse(request.body);
  auto left = context.stop(body ? body->text_or("how") : "");
  return left ? accepted(*left) : error_of(left.error());
}

Response command(const Context& context, const std::string& id, const std::string& verb) {
  flow::Event event;
  if (verb == "stop") event = flow::StopRequested{"operator"};
  if (verb == "pause") event = flow::PauseRequested{true, "operator"};
  if (verb == "resume") event = flow::PauseRequested{false, "operator"};
  const auto state = load_meeting(context.store, id);
  if (!state) return error_of(state.error());
  if (!context.post(id, std::move(event))) return error_response(409, "conflict", "the meeting is over already");
  return accepted(Json::object());
}

Response meetings(const Context& context, const Request& request, const Target& target) {
  const bool get = request.method == "GET" || request.method == "HEAD";
  const bool post = request.method == "POST";
  if (target.parts.size() == 2) {
    if (post) return join(context, request);
    return get ? json(meetings_view(context.store)) : method_not_allowed("GET, POST");
  }
  const std::string& id = target.parts[2];
  if (target.parts.size() == 3) return get ? json(meeting_view(context.store, id)) : method_not_allowed("GET");
  const std::string& verb = target.parts[3];
  if (target.parts.size() == 4 && (verb == "stop" || verb == "pause" || verb == "resume")) {
    return post ? command(context, id, verb) : method_not_allowed("POST");
  }
  return error_response(404, "not_found", "there is nothing at this address");
}

/// Vendors have no API token: the source checks what it gave them (a channel's token, a subscription's clientState). Nor
/// do they know this daemon by the names that browsers use: they call the public name of a proxy, so the Host header is
/// not looked at. That check keeps a page elsewhere from reading answers under a name of its own; a push's answer says
/// nothing.
Response push(const Context& context, const Request& request, const Target& target) {
  if (target.parts.size() != 3 || !context.push) return error_response(404, "not_found", "there is nothing at this address");
  calendar::PushAnswer answer = context.push(target.parts[2], {request.method, request.target, request.headers, request.body});
  Response out;
  out.status = answer.status;
  out.type = std::move(answer.content_type);
  out.body = std::move(answer.body);
  return out;
}

/// calendars | calendars/plan | calendars/reload | calendars/sync[/ID]
Response calendars(const Context& context, const Request& request, const Target& target) {
  const bool get = request.method == "GET" || request.method == "HEAD";
  const bool post = request.method == "POST";
  const std::size_t count = target.parts.size();
  const std::string verb = count > 2 ? target.parts[2] : "";
  if (count == 2) return get ? json(context.calendars()) : method_not_allowed("GET");
  if (count == 3 && verb == "plan") return get ? json(plan_view(context.store)) : method_not_allowed("GET");
  if (count == 3 && verb == "reload") return post ? json(context.reload_calendars()) : method_not_allowed("POST");
  if (count <= 4 && verb == "sync") {
    return post ? json(context.sync_calendars(count == 4 ? target.parts[3] : "")) : method_not_allowed("POST");
  }
  return error_response(404, "not_found", "there is nothing at this address");
}

/// tasks | tasks/KEY/retry | tasks/KEY/discard
Response tasks(const Context& context, const Request& request, const Target& target) {
  const std::size_t count = target.parts.size();
  if (count == 2) return request.method == "GET" ? json(tasks_view(context.store)) : method_not_allowed("GET");
  const std::string verb = count == 4 ? target.parts[3] : "";
  if (verb != "retry" && verb != "discard") return error_response(404, "not_found", "there is nothing at this address");
  if (request.method != "POST") return method_not_allowed("POST");
  if (auto done = context.decide_task(target.parts[2], verb == "retry"); !done) return error_of(done.error());
  return json(Json::object());
}

}  // namespace

bool is_push_address(std::string_view target) { return target.starts_with("/hooks/calendar/"); }

Response error_response(int status, std::string_view code, std::string_view detail) {
  Json error = Json::object();
  error.set("code", code).set("detail", detail);
  Json body = Json::object();
  body.set("error", std::move(error));
  Response out;
  out.status = status;
  out.body = body.dump();
  return out;
}

Response handle(const Context& context, const Request& request) {
  const Target target = read_target(request.target);
  if (is_push_address(request.target)) return push(context, request, target);
  // A page elsewhere may make a browser send requests here under another name, or from its own origin.
  if (!host_is_ours(context, request.host))
    return error_response(421, "denied", "this name does not lead here; see 'names' in [listen]");
  if (!request.origin.empty() && !origin_is_ours(context, request.origin))
    return error_response(403, "denied", "requests from other sites are refused");
  if (target.path == "/healthz") {
    if (request.method != "GET" && request.method != "HEAD") return method_not_allowed("GET, HEAD");
    Response out;
    out.body = "{\"ok\":true}";
    return out;
  }
  if (target.parts.empty() || target.parts[0] != "api") return page(request, target);
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view given = request.authorization;
  if (!starts_with_ignore_case(given, kBearer) || !same_secret(given.substr(kBearer.size()), context.token)) {
    if (context.refused) context.refused();
    return error_response(401, "denied", "a bearer token is needed; open the address that `hansard status` prints");
  }
  const std::string area = target.parts.size() > 1 ? target.parts[1] : "";
  if (area == "meetings") return meetings(context, request, target);
  if (area == "calendars") return calendars(context, request, target);
  if (area == "tasks") return tasks(context, request, target);
  if (area == "stop" && target.parts.size() == 2) return stop(context, request);
  if (area == "status" && target.parts.size() == 2)
    return request.method == "GET" ? json(context.status()) : method_not_allowed("GET");
  if (area == "events" && target.parts.size() == 2) return events(context, request, target);
  return error_response(404, "not_found", "there is nothing at this address");
}

}  // namespace hansard::api
