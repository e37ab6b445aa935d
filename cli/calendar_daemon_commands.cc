// calendar list, sync, plan, disconnect: the calendars of a daemon and what it will attend.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "cli/args.h"
#include "cli/calendar_connect.h"
#include "cli/calendar_daemon_commands.h"
#include "cli/daemon_client.h"
#include "cli/printable.h"
#include "cli/stored_view.h"
#include "core/calendar/sources/oauth.h"
#include "daemon/calendar_view.h"
#include "host/connections.h"

namespace hansard::cli {
namespace {

/// A scan that takes longer than this is not waited for: a server may say Retry-After.
constexpr std::chrono::seconds kSyncLimit{180};
constexpr useconds_t kPollMicros = 100'000;

int print_json(const Json& json) {
  std::printf("%s\n", json.dump().c_str());
  return kOk;
}

std::string nothing_read(const Config& config) {
  return "no calendar was read yet in " + config.data_dir + "; `hansard serve` reads them";
}

Result<Json> read_list(const Config& config) {
  return read_view(
      config, "/api/calendars", [&](Store& store) { return calendars_view(store, config.calendars); }, nothing_read(config));
}

/// "2026-03-04 10:00" in UTC.
std::string short_time(const std::string& rfc3339) {
  return rfc3339.size() < 16 ? "never" : rfc3339.substr(0, 10) + " " + rfc3339.substr(11, 5);
}

void print_calendar(const Json& c) {
  const std::string account = c.text_or("account");
  std::printf("%-20s %-9s %-12s %3lld of %lld attended", printable(c.text_or("id")).c_str(), c.text_or("kind").c_str(),
              c.text_or("state").c_str(), static_cast<long long>(c.int_or("meetings", 0)),
              static_cast<long long>(c.int_or("occurrences", 0)));
  std::printf(", read %s%s\n", short_time(c.text_or("last_success")).c_str(),
              account.empty() ? "" : (", " + printable(account)).c_str());
  if (!c.text_or("detail").empty()) std::printf("  %s\n", printable(c.text_or("detail")).c_str());
  for (const Json& note : c["notes"].items()) std::printf("  note: %s\n", printable(note.as_string().value_or("")).c_str());
}

void print_plan(const Json& plan) {
  if (plan.items().empty())
    std::puts("no meetings are known: `hansard calendar list` says what was read");
  else
    std::puts("times are UTC");
  for (const Json& m : plan.items()) {
    const std::string when = m.bool_or("all_day", false) ? m.text_or("start").substr(0, 10) + " all day"
                                                         : short_time(m.text_or("start")) + "-" + m.text_or("end").substr(11, 5);
    std::string calendars;
    for (const Json& id : m["calendars"].items()) calendars += (calendars.empty() ? "" : ", ") + id.as_string().value_or("");
    const bool attend = m.bool_or("attend", false);
    std::printf("%-22s %-6s %-8s %s\n", when.c_str(), attend ? "attend" : "skip", m.text_or("platform", "").c_str(),
                printable(m.text_or("title")).c_str());
    std::printf("%24s%s: %s (%s)", "", m.text_or("reason").c_str(), m.text_or("why").c_str(), printable(calendars).c_str());
    if (!m.text_or("state").empty()) std::printf("; %s %s", m.text_or("meeting").c_str(), m.text_or("state").c_str());
    std::puts("");
    // Where calendars differ, each has its reason.
    for (const Json& v : m["views"].items()) {
      if (v.text_or("reason") != m.text_or("reason")) {
        std::printf("%24s%s in %s: %s\n", "", v.text_or("reason").c_str(), printable(v.text_or("calendar")).c_str(),
                    v.text_or("why").c_str());
      }
    }
  }
}

/// The calendar's entry in the answer of /api/calendars, null when there is none.
Json find_calendar(const Json& list, const std::string& id) {
  for (const Json& c : list.items()) {
    if (c.text_or("id") == id) return c;
  }
  return Json();
}

/// Waits until each calendar has ended a scan after `asked`, telling each as it comes. The exit code.
int wait_for_scans(const DaemonClient& client, const Json& asked) {
  std::map<std::string, std::int64_t> waiting;
  for (const Json& one : asked.items()) waiting[one.text_or("id")] = one.int_or("scans", 0);
  const auto limit = std::chrono::steady_clock::now() + kSyncLimit;
  int code = kOk;
  bool progress = ::isatty(STDERR_FILENO) == 1;
  while (!waiting.empty()) {
    const auto list = client.get("/api/calendars");
    if (!list) return report(list.error());
    for (auto it = waiting.begin(); it != waiting.end();) {
      const Json c = find_calendar(*list, it->first);
      if (!c.is_null() && c.int_or("scans", 0) <= it->second) {
        ++it;
        continue;
      }
      if (progress) std::fputs("\r\033[K", stderr);
      if (c.is_null()) {
        std::printf("%s: removed meanwhile\n", printable(it->first).c_str());
      } else {
        print_calendar(c);
      }
      if (c.text_or("state") != "ok") code = kFailed;
      it = waiting.erase(it);
    }
    if (waiting.empty()) break;
    if (std::chrono::steady_clock::now() > limit) {
      return report(
          {ErrorClass::kUnavailable, "calendar",
           "'" + waiting.begin()->first + "' has not answered yet; the daemon goes on with it, see `hansard calendar list`"});
    }
    if (progress) std::fprintf(stderr, "\r\033[Kreading %zu calendar%s ...", waiting.size(), waiting.size() == 1 ? "" : "s");
    ::usleep(kPollMicros);
  }
  return code;
}

/// Takes the grant back at Google (https://developers.google.com/identity/protocols/oauth2/native-app, "Revoking a token").
/// The sentence for the person.
std::string revoke(ConnectSession& session, const calendar::Connection& connection) {
  const auto& c = connection.credentials;
  if (connection.kind == "microsoft" && c.grant == "user") {
    return "Microsoft has no address for taking a grant back: remove the application at https://myapps.microsoft.com as well.";
  }
  if (connection.kind != "google" || c.grant != "user" || c.refresh_token.empty()) return "";
  session.allow(session.config().sources.google.revocation_url);
  const auto answer =
      session.exchange(calendar::form_request(session.config().sources.google.revocation_url, {{"token", c.refresh_token}}));
  if (answer && answer->status == 200) return "Google has taken the grant back.";
  if (answer && answer->status == 400) return "Google says that the grant was taken back before.";
  return "Google could not be asked to take the grant back: remove it at https://myaccount.google.com/permissions.";
}

}  // namespace

int cmd_calendar_list(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--json"});
  if (!a || !a->rest.empty()) return wrong_use(a ? "calendar list takes no '" + a->rest[0] + "'" : a.error().detail);
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  const auto list = read_list(*config);
  if (!list) return report(list.error());
  if (a->flag("--json")) return print_json(*list);
  for (const Json& c : list->items()) print_calendar(c);
  if (list->items().empty())
    std::puts("no calendars yet: `hansard calendar connect` adds one, or [[calendar]] in the configuration");
  return kOk;
}

int cmd_calendar_plan(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--json"});
  if (!a || !a->rest.empty()) return wrong_use(a ? "calendar plan takes no '" + a->rest[0] + "'" : a.error().detail);
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  const auto plan = read_view(*config, "/api/calendars/plan", plan_view, nothing_read(*config));
  if (!plan) return report(plan.error());
  if (a->flag("--json")) return print_json(*plan);
  print_plan(*plan);
  return kOk;
}

int cmd_calendar_sync(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {});
  if (!a || a->rest.size() > 1) return wrong_use(a ? "calendar sync takes one ID, or none for all" : a.error().detail);
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  auto client = DaemonClient::find(*config);
  if (!client) return report(client.error());
  const auto asked = client->post("/api/calendars/sync" + (a->rest.empty() ? "" : "/" + a->rest[0]), Json::object());
  if (!asked) return report(asked.error());
  if (asked->items().empty()) std::puts("there are no calendars to read");
  return wait_for_scans(*client, *asked);
}

int cmd_calendar_disconnect(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {});
  if (!a || a->rest.size() != 1) return wrong_use(a ? "calendar disconnect needs the ID of one calendar" : a.error().detail);
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  const std::string& id = a->rest[0];
  const auto configured =
      std::find_if(config->calendars.begin(), config->calendars.end(), [&](const auto& c) { return c.id == id; });
  FileSecrets secrets(secrets_folder(config->data_dir));
  const auto ids = host::connection_ids(secrets);
  if (!ids) return report(ids.error());
  if (std::find(ids->begin(), ids->end(), id) == ids->end()) {
    std::string all;
    for (const std::string& one : *ids) all += (all.empty() ? "" : ", ") + one;
    const std::string detail =
        configured != config->calendars.end() && !configured->url.empty()
            ? "'" + id + "' stands in the configuration: remove its [[calendar]] from " + config->path
            : "no connected calendar is called '" + id + "'; connected are: " + (all.empty() ? "none" : all);
    return report({ErrorClass::kNotFound, "calendar", detail});
  }
  std::string said;
  if (const auto connection = host::load_connection(secrets, id)) {  // a damaged one is removed all the same
    ConnectSession session(*config);
    said = revoke(session, *connection);
  }
  if (auto removed = host::remove_connection(secrets, id); !removed) return report(removed.error());
  std::printf("disconnected '%s'\n", id.c_str());
  if (!said.empty()) std::puts(said.c_str());
  if (configured != config->calendars.end())
    std::printf("Its settings still stand in %s: remove that [[calendar]].\n", config->path.c_str());
  auto client = DaemonClient::find(*config);
  if (!client) return kOk;
  if (auto told = client->post("/api/calendars/reload", Json::object()); !told) return report(told.error());
  std::puts("The running daemon no longer follows it.");
  return kOk;
}

}  // namespace hansard::cli
