// `hansard calendar connect caldav URL --user NAME`: finds the calendars of a CalDAV server and keeps the password.
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "adapters/curl/guard.h"
#include "cli/args.h"
#include "cli/calendar_connect.h"
#include "core/base/text.h"
#include "core/calendar/sources/caldav_discovery.h"

namespace hansard::cli {
namespace {

constexpr int kMaxRequests = 100;
constexpr const char* kPasswordVariable = "HANSARD_CALDAV_PASSWORD";
constexpr const char* kTokenVariable = "HANSARD_CALDAV_TOKEN";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

termios g_shown{};

/// Ctrl-C at the question must not leave the terminal mute.
void show_again(int signal) {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &g_shown);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

/// From the terminal, without showing it. Nothing when there is no terminal.
std::optional<std::string> ask_password(const std::string& user) {
  if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &g_shown) != 0) return std::nullopt;
  std::fprintf(stderr, "Password of %s (an app password, where the provider has them): ", user.c_str());
  termios hidden = g_shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  const auto before = std::signal(SIGINT, &show_again);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  std::string line;
  std::getline(std::cin, line);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &g_shown);
  std::signal(SIGINT, before);
  std::fputc('\n', stderr);
  return line;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

Result<calendar::Credentials> credentials_for(const std::string& user) {
  calendar::Credentials out;
  if (user.empty()) {
    out.grant = "bearer";
    out.access_token = environment(kTokenVariable);
    if (!out.access_token.empty()) return out;
    return fail(ErrorClass::kInvalid, "calendar",
                std::string("calendar connect caldav needs --user NAME (or a bearer token in ") + kTokenVariable + ")");
  }
  out.grant = "basic";
  out.username = user;
  out.password = environment(kPasswordVariable);
  if (out.password.empty()) out.password = ask_password(user).value_or("");
  if (!out.password.empty()) return out;
  return fail(ErrorClass::kInvalid, "calendar",
              std::string("there is no terminal to ask for the password: put it into ") + kPasswordVariable);
}

Result<calendar::Discovered> discover(ConnectSession& session, calendar::DavUrl url, const calendar::Credentials& credentials) {
  calendar::CalDavDiscovery discovery(std::move(url), credentials);
  calendar::DiscoveryAction action = discovery.begin();
  for (int n = 0; n < kMaxRequests; ++n) {
    if (auto* send = std::get_if<calendar::SendRequest>(&action)) {
      action = discovery.reply(session.exchange(std::move(send->request)));
    } else if (const auto* failed = std::get_if<calendar::SyncFailed>(&action)) {
      return fail(failed->reconnect ? ErrorClass::kDenied : ErrorClass::kUnavailable, "calendar", failed->detail);
    } else {
      return std::get<calendar::Discovered>(std::move(action));
    }
  }
  return fail(ErrorClass::kUnavailable, "calendar", "the server never came to an end with its answers");
}

bool is_wanted(const calendar::FoundCalendar& found, const std::string& wanted) {
  const auto url = calendar::read_dav_url(found.url);
  const auto given = url ? calendar::resolve_href(*url, wanted) : url;
  const bool address = wanted.find('/') != std::string::npos;
  return address ? given && given->origin == url->origin && given->key() == url->key() : equals_ignore_case(found.name, wanted);
}

/// The one that --calendar names, or the only one there is.
Result<calendar::FoundCalendar> choose(const calendar::Discovered& found, const std::string& wanted) {
  std::vector<calendar::FoundCalendar> fitting;
  for (const auto& c : found.calendars) {
    if (wanted.empty() || is_wanted(c, wanted)) fitting.push_back(c);
  }
  if (fitting.size() == 1) return fitting.front();
  if (found.calendars.empty())
    return fail(ErrorClass::kNotFound, "calendar", "this user has no calendar with events on the server");
  std::string text = wanted.empty()    ? "there are several calendars; choose one with --calendar NAME_OR_URL:"
                     : fitting.empty() ? "there is no such calendar; choose one with --calendar NAME_OR_URL:"
                                       : "several calendars have that name; choose one with --calendar URL:";
  for (const auto& c : fitting.empty() ? found.calendars : fitting) text += "\n  " + sanitize_utf8(c.name) + "  " + c.url;
  return fail(ErrorClass::kInvalid, "calendar", text);
}

}  // namespace

int connect_caldav(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config", "--id", "--account", "--user", "--calendar"}, {});
  if (!a) return wrong_use(a.error().detail);
  const bool again = a->rest.empty() && !a->text("--id").empty();
  if (a->rest.size() != 1 && !again) return wrong_use("calendar connect caldav needs the address of the server or the calendar");
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  ConnectSession session(*config);

  // `--id NAME` alone renews a connection: the address and the user are known.
  calendar::Connection old;
  if (auto known = again ? session.known(a->text("--id")) : Result<calendar::Connection>{}; known) {
    old = std::move(*known);
  } else {
    return wrong_use("there is no connection '" + a->text("--id") + "' to renew: give the address of the server or the calendar");
  }
  if (again && old.kind != "caldav") return wrong_use("'" + old.id + "' is no CalDAV calendar");
  const auto url = calendar::read_dav_url(again ? old.calendar : a->rest[0]);
  if (!url) return wrong_use(url.error().detail);
  const auto parts = read_url(url->text());
  if (!parts) return wrong_use(parts.error().detail);
  if (!url->https() && !is_loopback(parts->host)) return wrong_use("a password must not go over http: use the https address");
  auto credentials = credentials_for(a->text("--user").empty() ? old.credentials.username : a->text("--user"));
  if (!credentials) return wrong_use(credentials.error().detail);

  const auto found = discover(session, *url, *credentials);
  if (!found) return report(found.error());
  const auto chosen = choose(*found, a->text("--calendar"));
  if (!chosen) return chosen.error().code == ErrorClass::kInvalid ? wrong_use(chosen.error().detail) : report(chosen.error());

  calendar::Connection connection;
  const auto name = connection_name(a->text("--id"), parts->host + "-" + chosen->name);
  if (!name) return wrong_use(name.error().detail);
  connection.id = *name;
  connection.kind = "caldav";
  connection.account = a->text("--account");
  if (connection.account.empty()) connection.account = found->account.empty() ? old.account : found->account;
  if (connection.account.empty() && credentials->username.find('@') != std::string::npos)
    connection.account = credentials->username;
  connection.calendar = chosen->url;
  connection.credentials = std::move(*credentials);
  return session.finish(std::move(connection));
}

}  // namespace hansard::cli
