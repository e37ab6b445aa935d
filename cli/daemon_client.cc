#include "cli/daemon_client.h"

#include <unistd.h>

#include "adapters/files/files.h"
#include "cli/http_request.h"
#include "core/base/text.h"

namespace hansard::cli {

Result<DaemonClient> DaemonClient::find(const Config& config) {
  const auto none = [&] {
    return fail(ErrorClass::kUnavailable, "cli",
                "no hansard daemon runs on " + config.data_dir + "; start one with `hansard serve`");
  };
  const auto text = read_file(daemon_info_path(config.data_dir), 4096);
  if (!text) return none();
  const auto json = Json::parse(*text);
  const auto info = json ? from_json<DaemonInfo>(*json) : Result<DaemonInfo>(std::unexpected(json.error()));
  if (!info) return none();
  std::string token = config.api_token;
  if (token.empty()) {
    const auto kept = read_file(api_token_path(config.data_dir), 4096);
    if (!kept) return std::unexpected(kept.error());
    token = std::string(trim(*kept));
  }
  // A wildcard address is reached over loopback.
  std::string address = info->address == "0.0.0.0" ? "127.0.0.1" : info->address == "::" ? "::1" : info->address;
  DaemonClient client(std::move(address), info->port, std::move(token));
  // A file left by a daemon that was killed names a port where nobody, or somebody else, listens.
  auto alive = client.get("/api/status");
  if (!alive) return alive.error().code == ErrorClass::kDenied ? Result<DaemonClient>(std::unexpected(alive.error())) : none();
  return client;
}

std::string DaemonClient::page_url() const {
  const std::string host = address_.find(':') != std::string::npos ? "[" + address_ + "]" : address_;
  return "http://" + host + ":" + std::to_string(port_) + "/#token=" + token_;
}

Result<Json> DaemonClient::call(const std::string& method, const std::string& path, const Json& body) const {
  LocalRequest request{address_, port_, method, path};
  request.headers = {{"Authorization", "Bearer " + token_}};
  if (method == "POST") {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body.is_null() ? "{}" : body.dump();
  }
  auto reply = local_request(request);
  if (!reply) return pass(reply);
  auto json = Json::parse(reply->body);
  if (!json) return fail(ErrorClass::kUnavailable, "cli", "what answers on the daemon's port is not hansard");
  if (reply->status < 400) return json;
  const Json& error = (*json)["error"];
  ErrorClass code = ErrorClass::kInternal;
  if (reply->status == 401 || reply->status == 403) code = ErrorClass::kDenied;
  if (reply->status == 404) code = ErrorClass::kNotFound;
  if (reply->status == 400) code = ErrorClass::kInvalid;
  if (reply->status == 409) code = ErrorClass::kConflict;
  return fail(code, "cli", error.text_or("detail", "the daemon refused"));
}

void DaemonClient::follow(std::uint64_t seq, const std::function<bool(const std::string&, const Json&)>& event) const {
  bool going = true;
  while (going) {
    LocalRequest request{address_, port_, "GET", "/api/events?after=" + std::to_string(seq)};
    request.headers = {{"Authorization", "Bearer " + token_}};
    std::string pending;
    const auto ended = local_stream(request, [&](std::string_view piece) {
      if (piece.empty()) return going = event("", Json());
      pending += piece;
      std::size_t end = 0;
      while (going && (end = pending.find("\n\n")) != std::string::npos) {
        std::string kind;
        std::string data;
        std::int64_t id = 0;
        for (const auto line : split(std::string_view(pending).substr(0, end), '\n')) {
          if (line.starts_with("id: ")) parse_digits(line.substr(4), id);
          if (line.starts_with("event: ")) kind = line.substr(7);
          if (line.starts_with("data: ")) data = line.substr(6);
        }
        pending.erase(0, end + 2);
        if (kind.empty()) continue;
        const auto body = Json::parse(data);
        if (body) going = event(kind, *body);
        if (id > 0) seq = static_cast<std::uint64_t>(id);
      }
      return going;
    });
    if (!going) return;
    going = event("", Json());
    ::usleep(200'000);  // it restarts, or is not up yet
  }
}

}  // namespace hansard::cli
