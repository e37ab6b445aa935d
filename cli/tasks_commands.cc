// tasks list, retry, discard: what is on its way to task sinks, and dead letters.
#include <cstdio>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/daemon_client.h"
#include "cli/printable.h"
#include "cli/stored_view.h"
#include "daemon/task_outbox.h"

namespace hansard::cli {
namespace {

void print_task(const Json& t) {
  const std::string sink = t.text_or("sink").empty() ? "(no sink)" : printable(t.text_or("sink"));
  std::printf("%s  %-8s %-12s %s\n", t.text_or("key").c_str(), t.text_or("state").c_str(), sink.c_str(),
              printable(t.text_or("text")).c_str());
  if (!t.text_or("detail").empty()) {
    std::printf("  %lld attempt%s: %s%s\n", static_cast<long long>(t.int_or("attempts", 0)),
                t.int_or("attempts", 0) == 1 ? "" : "s", printable(t.text_or("detail")).c_str(),
                t.text_or("next").empty() ? "" : ("; next " + t.text_or("next")).c_str());
  }
}

int list_tasks(const Config& config, bool json) {
  const auto tasks = read_list(config, "/api/tasks", tasks_view);
  if (!tasks) return report(tasks.error());
  if (json) {
    std::printf("%s\n", tasks->dump().c_str());
    return kOk;
  }
  bool dead = false;
  for (const Json& t : tasks->items()) {
    print_task(t);
    dead = dead || t.text_or("state") == "dead";
  }
  if (tasks->items().empty()) std::puts("no task waits");
  if (dead) std::puts("`hansard tasks retry KEY` sends a dead one again, `hansard tasks discard KEY` drops it.");
  return kOk;
}

}  // namespace

int cmd_tasks(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--json"});
  if (!a) return wrong_use(a.error().detail);
  const std::string verb = a->rest.empty() ? "" : a->rest[0];
  const bool decides = verb == "retry" || verb == "discard";
  if ((verb != "list" || a->rest.size() != 1) && (!decides || a->rest.size() != 2))
    return wrong_use("tasks needs `list`, `retry KEY` or `discard KEY`");
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  if (!decides) return list_tasks(*config, a->flag("--json"));
  auto client = DaemonClient::find(*config);
  if (!client) return report(client.error());
  if (auto done = client->post("/api/tasks/" + a->rest[1] + "/" + verb, Json::object()); !done) return report(done.error());
  std::puts(verb == "retry" ? "it will be sent again" : "dropped");
  return kOk;
}

}  // namespace hansard::cli
