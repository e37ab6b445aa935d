#include "cli/calendar_connect.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "adapters/openssl/signer.h"
#include "adapters/zoneinfo/zoneinfo.h"
#include "cli/args.h"
#include "cli/daemon_client.h"
#include "core/base/text.h"
#include "core/calendar/expand.h"
#include "daemon/system.h"
#include "host/connections.h"

namespace hansard::cli {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr int kMaxTrialRequests = 2'000;

CurlOptions http_options(const Config& config) {
  CurlOptions options;
  options.allowed_hosts = config.allow_hosts;
  return options;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::size_t count_events(const std::vector<const calendar::Calendar*>& documents, Instant from, Instant to) {
  std::size_t count = 0;
  for (const calendar::Calendar* document : documents) {
    const calendar::ZoneTable zones = calendar::load_zones(*document, read_system_zone);
    const auto expansion = calendar::expand(*document, from, to, zones);
    if (expansion) count += expansion->occurrences.size();
  }
  return count;
}

}  // namespace

ConnectSession::ConnectSession(Config config)
    : config_(std::move(config)), http_(loop_, http_options(config_)), secrets_(secrets_folder(config_.data_dir)) {}

Result<HttpResponse> ConnectSession::exchange(HttpRequest request) {
  std::optional<Result<HttpResponse>> answer;
  http_.send(std::move(request), [&answer](Result<HttpResponse> response) { answer = std::move(response); });
  while (!answer) loop_.turn(milliseconds(500));
  return std::move(*answer);
}

Result<calendar::Connection> ConnectSession::known(const std::string& id) { return host::load_connection(secrets_, id); }

Result<std::size_t> ConnectSession::try_out(calendar::Connection& connection) {
  // No push channel is made here: nobody would hear it.
  calendar::SourceEnvironment environment = config_.sources;
  environment.push_url.clear();
  environment.read_zone = read_system_zone;
  auto made = calendar::make_source(connection, environment);
  if (!made) return pass(made);
  calendar::Source& source = **made;
  OpensslSigner signer;
  const Instant from = system_now();
  const Instant to = from + hours(24);
  calendar::SourceAction action = source.begin({from, to}, from, random_bytes(32));
  for (int n = 0; n < kMaxTrialRequests; ++n) {
    if (auto* send = std::get_if<calendar::SendRequest>(&action)) {
      const auto response = exchange(std::move(send->request));
      action = source.reply(response, system_now());
    } else if (const auto* sign = std::get_if<calendar::SignRequest>(&action)) {
      const auto signature = signer.sign_rs256(sign->key_pem, sign->bytes);
      action = source.signature(signature, system_now());
    } else if (const auto* failed = std::get_if<calendar::SyncFailed>(&action)) {
      return fail(failed->reconnect ? ErrorClass::kDenied : ErrorClass::kUnavailable, "calendar", failed->detail);
    } else {
      connection = source.connection();
      return count_events(source.documents(), from, to);
    }
  }
  return fail(ErrorClass::kUnavailable, "calendar", "the calendar's server never came to an end with its answer");
}

int ConnectSession::finish(calendar::Connection connection) {
  const auto events = try_out(connection);
  if (!events) {
    return report(
        {events.error().code, events.error().area, "the calendar cannot be read, so nothing was kept: " + events.error().detail});
  }
  if (auto saved = host::save_connection(secrets_, connection); !saved) return report(saved.error());
  std::printf("connected '%s' (%s): %zu event%s in the next 24 hours\n", connection.id.c_str(),
              (connection.account.empty() ? connection.kind : connection.kind + ", " + connection.account).c_str(), *events,
              *events == 1 ? "" : "s");
  auto client = DaemonClient::find(config_);
  if (!client) {
    std::puts("`hansard serve` will follow it.");
    return kOk;
  }
  if (auto told = client->post("/api/calendars/reload", Json::object()); !told) return report(told.error());
  std::puts("The running daemon follows it from now on; `hansard calendar plan` shows what it will attend.");
  return kOk;
}

Result<std::string> connection_name(const std::string& given, std::string_view fallback) {
  if (given.empty()) {
    std::string out;
    for (const char c : fallback) out += is_name_character(c) ? c : '-';
    while (out.starts_with('.') || out.starts_with('-')) out.erase(0, 1);
    return out.substr(0, kMaxName);
  }
  if (given.size() <= kMaxName && given.front() != '.' && std::all_of(given.begin(), given.end(), is_name_character))
    return given;
  return fail(ErrorClass::kInvalid, "calendar", "a name may have letters, digits, '-', '_' and '.', and at most 64 characters");
}

int cmd_connect(std::span<const std::string> args) {
  const std::string kind = args.empty() ? "" : args[0];
  if (kind == "caldav") return connect_caldav(args.subspan(1));
  if (kind == "google") return connect_google(args.subspan(1));
  if (kind == "ics") return connect_feed(args.subspan(1));
  if (kind == "microsoft") return connect_microsoft(args.subspan(1));
  return wrong_use("calendar connect needs a kind: google, microsoft, caldav or ics");
}

}  // namespace hansard::cli
