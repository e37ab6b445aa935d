#include <unistd.h>

#include <cstdio>

#include "cli/args.h"
#include "cli/commands.h"
#include "core/base/text.h"
#include "daemon/app.h"

namespace hansard::cli {

int cmd_serve(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config", "--port"}, {});
  if (!a) return wrong_use(a.error().detail);
  if (!a->rest.empty()) return wrong_use("serve takes no '" + a->rest[0] + "'");
  auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  if (const std::string port = a->text("--port"); !port.empty()) {
    std::int64_t n = 0;
    if (!parse_digits(port, n) || n > 65535) return wrong_use("--port needs a number from 0 to 65535");
    config->listen_port = static_cast<std::uint16_t>(n);
  }
  auto app = App::open({std::move(*config), {}, true});
  if (!app) return report(app.error());
  // For people; a log does not get the token.
  const std::string page = (*app)->page_url();
  if (::isatty(STDOUT_FILENO) == 1) {
    std::printf("hansard serves its page at %s\n", page.c_str());
  } else {
    std::printf("hansard serves its page at %s (`hansard status` prints it with its token)\n",
                page.substr(0, page.find('#')).c_str());
  }
  std::fflush(stdout);
  if (auto r = (*app)->run(); !r) return report(r.error());
  return kOk;
}

}  // namespace hansard::cli
