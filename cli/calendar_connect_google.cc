// `hansard calendar connect google`: a person signs in with a browser, or a service account reads in a person's name.
#include <cstdio>
#include <cstdlib>

#include "adapters/files/files.h"
#include "cli/args.h"
#include "cli/calendar_connect.h"
#include "cli/loopback_listener.h"
#include "cli/printable.h"
#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/calendar/sources/google_source.h"
#include "core/calendar/sources/oauth.h"
#include "daemon/system.h"

namespace hansard::cli {
namespace {

constexpr const char* kArea = "calendar";
constexpr const char* kSecretVariable = "HANSARD_GOOGLE_CLIENT_SECRET";
constexpr Duration kBrowserTime = minutes(10);
constexpr std::size_t kMaxFile = 64u << 10;

using calendar::Connection;
using calendar::Credentials;

std::unexpected<Error> invalid(std::string detail) { return fail(ErrorClass::kInvalid, kArea, std::move(detail)); }

Result<Json> read_json_file(const std::string& path) {
  const auto bytes = read_file(path, kMaxFile);
  if (!bytes) return std::unexpected(bytes.error());
  auto json = Json::parse(*bytes);
  if (!json || !json->is_object()) return invalid(path + " is not a JSON file as Google gives it");
  return json;
}

/// The file that the Cloud console gives for an OAuth client.
Result<void> read_client_file(const std::string& path, Credentials& c) {
  const auto file = read_json_file(path);
  if (!file) return std::unexpected(file.error());
  if ((*file)["web"].is_object())
    return invalid(path + " is of a web application: make an OAuth client of the type \"Desktop app\"");
  if (file->text_or("type") == "service_account")
    return invalid(path + " is the key of a service account: give it with --service-account");
  const Json& client = (*file)["installed"];
  if (client.text_or("client_id").empty())
    return invalid(path + " has no OAuth client: download it from the Google Cloud console");
  c.client_id = client.text_or("client_id");
  c.client_secret = client.text_or("client_secret");
  return {};
}

/// The key file of a service account.
Result<void> read_key_file(const std::string& path, const std::string& subject, Credentials& c) {
  const auto file = read_json_file(path);
  if (!file) return std::unexpected(file.error());
  if (file->text_or("type") != "service_account" || file->text_or("private_key").empty() || file->text_or("client_email").empty())
    return invalid(path + " is not the key of a service account: create a JSON key in the Google Cloud console");
  c = {};
  c.grant = "service_account";
  c.issuer = file->text_or("client_email");
  c.key_pem = file->text_or("private_key");
  c.key_id = file->text_or("private_key_id");
  c.subject = subject;
  return {};
}

/// Which client signs in. What is not given stays as it was connected before.
Result<void> client_of(const Args& args, Credentials& c) {
  if (!args.text("--client").empty()) {
    if (!args.text("--client-id").empty()) return invalid("--client and --client-id say the same: give one");
    if (auto read = read_client_file(args.text("--client"), c); !read) return read;
  } else if (!args.text("--client-id").empty()) {
    c.client_id = args.text("--client-id");
    c.client_secret.clear();
  }
  const char* secret = std::getenv(kSecretVariable);
  if (secret != nullptr && *secret != '\0') c.client_secret = secret;
  if (c.client_id.empty()) {
    return invalid(
        "calendar connect google needs --client FILE.json (the OAuth client of type \"Desktop app\" that you downloaded from "
        "the Google Cloud console), --client-id, or --service-account");
  }
  c.grant = "user";
  return {};
}

/// Authorization code with PKCE and a redirect to this machine (RFC 8252, 7636).
Result<calendar::TokenAnswer> sign_in_by_browser(ConnectSession& session, const Credentials& c, const std::string& account) {
  auto listener = LoopbackListener::open();
  if (!listener) return pass(listener);
  const auto& endpoints = session.config().sources.google;
  const std::string verifier = calendar::pkce_verifier(random_bytes(32));
  const std::string state = base64url_encode(random_bytes(16));
  calendar::FormFields query{
      {"client_id", c.client_id},
      {"redirect_uri", listener->redirect_uri()},
      {"response_type", "code"},
      {"scope", std::string(calendar::kGoogleEventsScope) + " " + std::string(calendar::kGoogleCalendarListScope)},
      {"state", state},
      {"code_challenge", calendar::pkce_challenge(verifier)},
      {"code_challenge_method", "S256"},
      {"access_type", "offline"},
      {"prompt", "consent"}};
  if (!account.empty()) query.emplace_back("login_hint", account);
  std::printf("Open this address in a browser on this machine and allow hansard to read your calendar:\n%s?%s\n",
              endpoints.authorization_url.c_str(), form_encode(query).c_str());
  std::fflush(stdout);
  auto answer = listener->wait(state, kBrowserTime);
  if (!answer) return pass(answer);
  if ((*answer)["code"].empty())
    return fail(ErrorClass::kDenied, kArea, "Google gave no access: " + printable((*answer)["error"]));
  calendar::FormFields fields{{"grant_type", "authorization_code"},
                              {"code", (*answer)["code"]},
                              {"code_verifier", verifier},
                              {"redirect_uri", listener->redirect_uri()},
                              {"client_id", c.client_id}};
  if (!c.client_secret.empty()) fields.emplace_back("client_secret", c.client_secret);
  auto token = calendar::read_token_answer(session.exchange(calendar::form_request(endpoints.token_url, fields)), "Google");
  if (!token) return fail(token.error().dead ? ErrorClass::kDenied : ErrorClass::kUnavailable, kArea, token.error().detail);
  return std::move(*token);
}

/// Whose calendar it is: its own id, which for a person's calendar is the mail address. Empty when Google does not say.
std::string account_of(ConnectSession& session, const Connection& connection) {
  HttpRequest request;
  request.url = session.config().sources.google.api_root + "users/me/calendarList/" + percent_encode(connection.calendar);
  request.headers = {{"Authorization", "Bearer " + connection.credentials.access_token}, {"Accept", "application/json"}};
  request.follow_redirects = false;
  request.max_bytes = 1 << 20;
  const auto response = session.exchange(std::move(request));
  const auto body = response && response->status == 200 ? Json::parse(response->body) : Result<Json>(Json());
  return body ? printable(body->text_or("id")) : "";
}

Result<void> sign_in(ConnectSession& session, Connection& connection) {
  Credentials& c = connection.credentials;
  auto token = sign_in_by_browser(session, c, connection.account);
  if (!token) return pass(token);
  // A person can untick single rights.
  const std::string scope = " " + token->scope + " ";
  if (!token->scope.empty() && scope.find(" " + std::string(calendar::kGoogleEventsScope) + " ") == std::string::npos)
    return fail(ErrorClass::kDenied, kArea,
                "you did not allow hansard to see events: run the command again and leave that box ticked");
  if (token->refresh_token.empty())
    return fail(ErrorClass::kDenied, kArea,
                "Google gave no lasting sign-in: remove hansard's access in your Google account, then run this again");
  c.access_token = std::move(token->access_token);
  c.refresh_token = std::move(token->refresh_token);
  c.scope = std::move(token->scope);
  c.expires = system_now() + token->lifetime;
  connection.account = account_of(session, connection);
  if (connection.account.empty() && connection.calendar.find('@') != std::string::npos) connection.account = connection.calendar;
  return {};
}

/// What was connected under this name before, so that connecting again needs nothing but the name.
Connection connected_before(ConnectSession& session, const std::string& id) {
  auto old = session.known(id);
  if (!old || old->kind != "google") return {};
  old->credentials.access_token.clear();
  return std::move(*old);
}

/// Client and calendar from the words and from what is known; nothing is sent yet.
Result<void> prepare(const Args& args, Connection& connection) {
  const std::string key_file = args.text("--service-account");
  const std::string subject = args.text("--subject");
  Credentials& c = connection.credentials;
  if (!args.text("--calendar").empty()) connection.calendar = args.text("--calendar");
  if (connection.calendar.empty()) connection.calendar = "primary";
  if (!key_file.empty()) {
    if (!(args.text("--client") + args.text("--client-id")).empty())
      return invalid("--service-account and --client are two ways to sign in: give one");
    if (subject.empty()) return invalid("--service-account needs --subject MAIL: the person whose calendar it reads");
    if (auto read = read_key_file(key_file, subject, c); !read) return read;
  } else if (!subject.empty()) {
    return invalid("--subject goes with --service-account");
  } else if (c.grant != "service_account" || !(args.text("--client") + args.text("--client-id")).empty()) {
    if (c.grant == "service_account") c = {};
    return client_of(args, c);
  }
  connection.account = connection.calendar == "primary" ? c.subject : connection.calendar;
  return {};
}

}  // namespace

int connect_google(std::span<const std::string> words) {
  const auto args =
      parse_args(words, {"--config", "--id", "--client", "--client-id", "--calendar", "--service-account", "--subject"}, {});
  if (!args) return wrong_use(args.error().detail);
  if (!args->rest.empty()) return wrong_use("calendar connect google takes options only, not '" + args->rest[0] + "'");
  const auto name = connection_name(args->text("--id"), "google");
  if (!name) return wrong_use(name.error().detail);
  const auto config = load_config(args->text("--config"));
  if (!config) return report(config.error());
  ConnectSession session(*config);
  Connection connection = connected_before(session, *name);
  connection.id = *name;
  connection.kind = "google";
  if (const auto ready = prepare(*args, connection); !ready) {
    return ready.error().code == ErrorClass::kInvalid ? wrong_use(ready.error().detail) : report(ready.error());
  }
  if (connection.credentials.grant == "user") {
    if (const auto signed_in = sign_in(session, connection); !signed_in) return report(signed_in.error());
  }
  return session.finish(std::move(connection));
}

}  // namespace hansard::cli
