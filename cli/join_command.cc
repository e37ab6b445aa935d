#include <csignal>
#include <cstdio>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/daemon_client.h"
#include "cli/live_view.h"
#include "daemon/meeting_view.h"

namespace hansard::cli {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

bool is_over(const std::string& state) { return state == "done" || state == "failed" || state == "cancelled"; }

int finish(const Result<Json>& meeting) {
  if (!meeting) return report(meeting.error());
  print_meeting(stdout, *meeting, false);
  return meeting->text_or("state") == "done" ? kOk : kFailed;
}

int join_by_daemon(const DaemonClient& client, const JoinRequest& request) {
  Json body = Json::object();
  body.set("url", request.url).set("title", request.title).set("token", request.token);
  auto status = client.get("/api/status");
  auto joined = client.post("/api/meetings", body);
  if (!joined) return report(joined.error());
  const std::string id = joined->text_or("id");
  std::printf("The daemon attends the meeting %s. Ctrl-C leaves it.\n", id.c_str());
  std::signal(SIGINT, [](int) { g_interrupted = g_interrupted + 1; });
  LiveView view(stdout, id);
  bool asked = false;
  client.follow(status ? static_cast<std::uint64_t>(status->int_or("last_seq", 0)) : 0,
                [&](const std::string& kind, const Json& event) {
                  if (g_interrupted > 1) return false;
                  if (g_interrupted == 1 && !std::exchange(asked, true)) {
                    (void)client.post("/api/meetings/" + id + "/stop", Json());
                    std::puts("\nleaving ... (Ctrl-C again to stop watching)");
                  }
                  if (!kind.empty()) view.event(kind, event);
                  return !is_over(view.state_of(id));
                });
  return finish(client.get("/api/meetings/" + id));
}

int join_here(Config config, const JoinRequest& request) {
  config.calendars.clear();            // one meeting, not a daemon
  config.on_stop = OnStop::kHandOver;  // a second Ctrl-C ends it at once
  auto app = App::open({std::move(config), {}, false});
  if (!app) return report(app.error());
  auto id = (*app)->join(request);
  if (!id) return report(id.error());
  std::printf("No daemon runs, so this command attends the meeting. Ctrl-C leaves it and writes the minutes.\n");
  LiveView view(stdout, *id);
  (*app)->on_event([&](const LiveEvent& event) {
    if (const auto body = Json::parse(event.body)) view.event(event.kind, *body);
    if (is_over(view.state_of(*id))) (*app)->stop();
  });
  (*app)->on_signal([&] {
    std::puts("\nleaving ... (Ctrl-C again to stop at once)");
    (*app)->post(*id, flow::StopRequested{"operator"});
  });
  if (auto r = (*app)->run(); !r) return report(r.error());
  return finish(meeting_view((*app)->store(), *id));
}

}  // namespace

int cmd_join(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config", "--title", "--token"}, {});
  if (!a || a->rest.size() != 1) return wrong_use(a ? "join needs the URL of one meeting" : a.error().detail);
  auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  const JoinRequest request{a->rest[0], a->text("--title"), a->text("--token")};
  if (const auto client = DaemonClient::find(*config)) return join_by_daemon(*client, request);
  // The terminal belongs to the transcript; only trouble is logged into it.
  if (config->log_level == log::Level::kInfo) config->log_level = log::Level::kWarning;
  return join_here(std::move(*config), request);
}

}  // namespace hansard::cli
