// status, meetings, stop: what runs, and steering it.
#include <unistd.h>

#include <cstdio>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/daemon_client.h"
#include "cli/live_view.h"
#include "cli/printable.h"
#include "cli/stored_view.h"
#include "daemon/data_dir.h"
#include "daemon/meeting_view.h"

namespace hansard::cli {
namespace {

/// A hand-over takes some seconds at most (share/hansard.service).
constexpr int kLongestEndMs = 20'000;
constexpr int kPollMs = 50;

int print_json(const Json& json) {
  std::printf("%s\n", json.dump().c_str());
  return kOk;
}

std::string counted(std::int64_t n, const std::string& what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

/// What a draining daemon waits for, from "stopping" of its status.
std::string left_to_do(const Json& stopping) {
  const std::int64_t tasks = stopping.int_or("tasks", 0);
  return counted(stopping.int_or("meetings", 0), "meeting") + " left" +
         (tasks > 0 ? ", " + counted(tasks, "task") + " to be sent" : "") +
         (stopping.text_or("until").empty() ? "" : ", until " + stopping.text_or("until"));
}

void print_status(const Json& s, const std::string& page) {
  std::printf("hansard %s, process %lld, since %s\n", s.text_or("version").c_str(), static_cast<long long>(s.int_or("pid", 0)),
              s.text_or("since").c_str());
  std::printf("page        %s\n", page.c_str());
  std::printf("data        %s (not encrypted)\n", s.text_or("data_dir").c_str());
  std::printf("minutes     %s\n", s.text_or("output_dir").c_str());
  const Json& r = s["recognizer"];
  const std::string none = r.text_or("detail").empty() ? "it starts" : "none: " + r.text_or("detail");
  std::printf("recognizer  %s\n", r.bool_or("ready", false) ? r.text_or("model").c_str() : none.c_str());
  if (!s.text_or("store").empty()) std::printf("store       %s\n", s.text_or("store").c_str());
  if (const Json& stopping = s["stopping"]; stopping.is_object()) {
    std::printf("stopping    draining, %s; nothing new is joined\n", left_to_do(stopping).c_str());
  }
  for (const Json& c : s["calendars"].items()) {
    std::printf("calendar    %s: %s%s%s\n", c.text_or("id").c_str(), c.text_or("state").c_str(),
                c.text_or("detail").empty() ? "" : ", ", printable(c.text_or("detail")).c_str());
  }
  for (const Json& m : s["meetings"].items()) {
    std::printf("meeting     %s  %-14s %s  %s\n", m.text_or("id").c_str(), m.text_or("state").c_str(), m.text_or("start").c_str(),
                printable(m.text_or("title")).c_str());
    if (m.bool_or("behind", false)) {
      std::printf("            behind by %lld s: no partial results until the recognizer has caught up\n",
                  static_cast<long long>(m.int_or("behind_ms", 0) / 1000));
    }
    if (!m.bool_or("audio_kept", true))
      std::puts("            its audio cannot be written: free some disk space; what cannot be recognized at once is lost");
  }
  if (s["meetings"].items().empty()) std::puts("meetings    none ahead or running");
}

Result<Json> read_meetings(const Config& config, const std::string& id) {
  if (id.empty()) return read_list(config, "/api/meetings", meetings_view);
  return read_view(
      config, "/api/meetings/" + id, [&](Store& store) { return meeting_view(store, id); },
      "there are no meetings yet in " + config.data_dir);
}

/// `how` as the API calls it.
int stop_daemon(const Config& config, const DaemonClient& client, const std::string& how) {
  auto left = client.post("/api/stop", Json::object().set("how", how));
  if (!left) return report(left.error());
  if (how != "hand_over") {
    std::printf("draining, %s; then the daemon ends. `hansard stop --now` hands over at once.\n", left_to_do(*left).c_str());
    return kOk;
  }
  for (int waited = 0; data_dir_in_use(config.data_dir); waited += kPollMs) {
    if (waited >= kLongestEndMs) return report({ErrorClass::kUnavailable, "cli", "the daemon has not ended yet: see its log"});
    ::usleep(kPollMs * 1000);
  }
  std::puts("the daemon has ended; the next one takes up what it left.");
  return kOk;
}

}  // namespace

int cmd_status(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--json"});
  if (!a || !a->rest.empty()) return wrong_use(a ? "status takes no '" + a->rest[0] + "'" : a.error().detail);
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  auto client = DaemonClient::find(*config);
  if (!client) return report(client.error());
  auto status = client->get("/api/status");
  if (!status) return report(status.error());
  if (a->flag("--json")) return print_json(*status);
  print_status(*status, client->page_url());
  return kOk;
}

int cmd_meetings(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--json"});
  if (!a) return wrong_use(a.error().detail);
  const std::string verb = a->rest.empty() ? "" : a->rest[0];
  const bool show = verb == "show";
  if ((verb != "list" || a->rest.size() != 1) && (!show || a->rest.size() != 2))
    return wrong_use("meetings needs `list` or `show ID`");
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  const auto json = read_meetings(*config, show ? a->rest[1] : "");
  if (!json) return report(json.error());
  if (a->flag("--json")) return print_json(*json);
  if (show) {
    print_meeting(stdout, *json, true);
    return kOk;
  }
  for (const Json& m : json->items()) {
    std::printf("%s  %-14s %s  %s%s\n", m.text_or("id").c_str(), m.text_or("state").c_str(), m.text_or("start").c_str(),
                printable(m.text_or("title")).c_str(),
                m.text_or("code").empty() ? "" : ("  [" + m.text_or("code") + "] " + m.text_or("advice")).c_str());
  }
  if (json->items().empty()) std::puts("no meetings yet");
  return kOk;
}

int cmd_stop(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--finish", "--leave", "--now"});
  if (!a) return wrong_use(a.error().detail);
  if (a->rest.size() + a->flags.size() != 1) {
    return wrong_use("stop needs the ID of a meeting, or for the daemon one of --finish, --leave and --now");
  }
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  auto client = DaemonClient::find(*config);
  if (!client) return report(client.error());
  if (a->flag("--finish")) return stop_daemon(*config, *client, "finish");
  if (a->flag("--leave")) return stop_daemon(*config, *client, "leave");
  if (a->flag("--now")) return stop_daemon(*config, *client, "hand_over");
  auto done = client->post("/api/meetings/" + a->rest[0] + "/stop", Json());
  if (!done) return report(done.error());
  std::printf("leaving; the minutes will be written. `hansard meetings show %s` shows them.\n", a->rest[0].c_str());
  return kOk;
}

}  // namespace hansard::cli
