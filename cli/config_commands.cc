#include <cstdio>

#include "cli/args.h"
#include "cli/commands.h"
#include "core/meeting/lifecycle.h"
#include "daemon/config.h"

namespace hansard::cli {

int cmd_config(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--json"});
  if (!a) return wrong_use(a.error().detail);
  const std::string verb = a->rest.empty() ? "" : a->rest[0];
  std::string file = a->text("--config");
  if (verb == "check" && a->rest.size() == 2) file = a->rest[1];
  if ((verb != "check" && verb != "show") || a->rest.size() > 2) return wrong_use("config needs `check` or `show`");
  const auto config = load_config(file);
  if (!config) return report(config.error());
  if (verb == "show") {
    std::printf("%s\n", config_json(*config).dump().c_str());
  } else {
    std::printf("%s: right\n", config->path.empty() ? "no configuration file; the defaults hold" : config->path.c_str());
  }
  return kOk;
}

int cmd_lifecycle(std::span<const std::string> args) {
  if (!args.empty()) return wrong_use("lifecycle takes no '" + args[0] + "'");
  std::printf("%s", meeting::lifecycle_diagram().c_str());
  return kOk;
}

}  // namespace hansard::cli
