// `hansard calendar connect ics ADDRESS`: a calendar feed whose address is kept as a secret.
#include "adapters/curl/guard.h"
#include "cli/args.h"
#include "cli/calendar_connect.h"

namespace hansard::cli {

int connect_feed(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config", "--id", "--account"}, {});
  if (!a) return wrong_use(a.error().detail);
  if (a->rest.size() != 1) return wrong_use("calendar connect ics needs the address of the feed");
  const auto url = read_url(a->rest[0]);
  if (!url) return wrong_use("that is no http, https or webcal address: " + url.error().detail);
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  calendar::Connection connection;
  const auto name = connection_name(a->text("--id"), url->host);
  if (!name) return wrong_use(name.error().detail);
  connection.id = *name;
  connection.kind = "ics";
  connection.account = a->text("--account");
  connection.calendar = a->rest[0];
  ConnectSession session(*config);
  return session.finish(std::move(connection));
}

}  // namespace hansard::cli
