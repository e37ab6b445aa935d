// `hansard calendar connect microsoft`: the calendar of Microsoft 365 or Outlook.com. A person signs in with a device code
// or in a browser; an app reads a mailbox with its own credentials.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "cli/args.h"
#include "cli/calendar_connect.h"
#include "cli/loopback_listener.h"
#include "cli/printable.h"
#include "core/base/encoding.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/calendar/sources/graph_source.h"
#include "core/calendar/sources/oauth.h"
#include "daemon/system.h"

namespace hansard::cli {
namespace {

constexpr const char* kArea = "calendar";
constexpr const char* kSecretVariable = "HANSARD_MICROSOFT_CLIENT_SECRET";
constexpr Duration kBrowserTime = minutes(10);
constexpr std::int64_t kSlowDown = 5;  ///< seconds that slow_down adds (RFC 8628, 3.5)
constexpr std::size_t kMaxPem = 256u << 10;

using calendar::Connection;
using calendar::TokenAnswer;
using Clock = std::chrono::steady_clock;

bool is_tenant(std::string_view s) {
  return !s.empty() && s.size() <= 255 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

// ---- a person signs in -----------------------------------------------------------------------------------------

Error refusal(const calendar::TokenRefusal& r) {
  std::string detail = r.detail;
  if (detail.find("AADSTS7000218") != std::string::npos)
    detail += "; set \"Allow public client flows\" to yes in the app registration";
  return {r.dead ? ErrorClass::kDenied : ErrorClass::kUnavailable, kArea, std::move(detail)};
}

struct DeviceCode {
  std::string code;
  std::int64_t interval = 5;    ///< seconds
  std::int64_t lifetime = 900;  ///< seconds
};

/// Asks for a code and tells the person what to do with it.
Result<DeviceCode> ask_device_code(ConnectSession& session, const calendar::Credentials& c) {
  const auto& endpoints = session.config().sources.microsoft;
  const auto response = session.exchange(calendar::form_request(calendar::microsoft_oauth_url(endpoints, c.tenant, "devicecode"),
                                                                {{"client_id", c.client_id}, {"scope", c.scope}}));
  if (!response) return std::unexpected(response.error());
  const auto body = Json::parse(response->body);
  DeviceCode out;
  out.code = body ? body->text_or("device_code") : "";
  if (response->status != 200 || out.code.empty()) {
    const auto refused = calendar::read_token_answer(response, "Microsoft");
    return std::unexpected(refused ? Error{ErrorClass::kUnavailable, kArea, "Microsoft gave no device code"}
                                   : refusal(refused.error()));
  }
  out.interval = std::clamp<std::int64_t>(body->int_or("interval", 5), 1, 60);
  out.lifetime = std::clamp<std::int64_t>(body->int_or("expires_in", 900), 1, 3'600);
  const std::string message = printable(body->text_or("message"));
  std::puts(!message.empty() ? message.c_str()
                             : ("Open " + printable(body->text_or("verification_uri")) + " in a browser and enter the code " +
                                printable(body->text_or("user_code")))
                                   .c_str());
  std::fflush(stdout);
  return out;
}

/// RFC 8628, 3.4 and 3.5.
Result<TokenAnswer> sign_in_by_code(ConnectSession& session, const calendar::Credentials& c) {
  auto device = ask_device_code(session, c);
  if (!device) return pass(device);
  const std::string url = calendar::microsoft_oauth_url(session.config().sources.microsoft, c.tenant, "token");
  const auto end = Clock::now() + std::chrono::seconds(device->lifetime);
  while (Clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::seconds(device->interval));
    auto answer = calendar::read_token_answer(
        session.exchange(calendar::form_request(url, {{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                                                      {"client_id", c.client_id},
                                                      {"device_code", device->code}})),
        "Microsoft");
    if (answer) return std::move(*answer);
    const calendar::TokenRefusal& r = answer.error();
    if (r.code == "slow_down") device->interval += kSlowDown;
    if (r.code == "authorization_declined" || r.code == "access_denied")
      return fail(ErrorClass::kDenied, kArea, "the sign-in was declined");
    if (r.code == "expired_token" || r.code == "bad_verification_code") break;
    // Pending, or a passing fault on the way: the code still holds.
    if (r.dead) return std::unexpected(refusal(r));
  }
  return fail(ErrorClass::kDenied, kArea, "the code was not used in time; run the command again for a new one");
}

/// Authorization code with PKCE and a redirect to this machine (RFC 8252).
Result<TokenAnswer> sign_in_by_browser(ConnectSession& session, const calendar::Credentials& c) {
  auto listener = LoopbackListener::open("localhost");
  if (!listener) return pass(listener);
  // The registered address is "http://localhost"; Microsoft leaves the port out of its comparison, but not the path.
  std::string redirect = listener->redirect_uri();
  if (redirect.ends_with('/')) redirect.pop_back();
  const auto& endpoints = session.config().sources.microsoft;
  const std::string verifier = calendar::pkce_verifier(random_bytes(32));
  const std::string state = base64url_encode(random_bytes(16));
  const std::string url = calendar::microsoft_oauth_url(endpoints, c.tenant, "authorize") + "?" +
                          form_encode({{"client_id", c.client_id},
                                       {"response_type", "code"},
                                       {"response_mode", "query"},
                                       {"redirect_uri", redirect},
                                       {"scope", c.scope},
                                       {"state", state},
                                       {"code_challenge", calendar::pkce_challenge(verifier)},
                                       {"code_challenge_method", "S256"},
                                       {"prompt", "select_account"}});
  std::printf("Open this address in a browser on this machine and sign in:\n%s\n", url.c_str());
  std::fflush(stdout);
  auto answer = listener->wait(state, kBrowserTime);
  if (!answer) return pass(answer);
  if ((*answer)["code"].empty()) {
    const std::string why = printable((*answer)["error"] + " " + (*answer)["error_description"]);
    return fail(ErrorClass::kDenied, kArea, "Microsoft gave no access: " + std::string(trim(why)).substr(0, 300));
  }
  auto token = calendar::read_token_answer(
      session.exchange(calendar::form_request(calendar::microsoft_oauth_url(endpoints, c.tenant, "token"),
                                              {{"grant_type", "authorization_code"},
                                               {"client_id", c.client_id},
                                               {"code", (*answer)["code"]},
                                               {"redirect_uri", redirect},
                                               {"code_verifier", verifier},
                                               {"scope", c.scope}})),
      "Microsoft");
  if (!token) return std::unexpected(refusal(token.error()));
  return std::move(*token);
}

/// Whose calendar the token reads: the mail address, or the name of the account where it has none.
Result<std::string> account_of(ConnectSession& session, const std::string& access_token) {
  HttpRequest request;
  request.url = session.config().sources.microsoft.graph_root + "me";
  request.headers = {{"Authorization", "Bearer " + access_token}, {"Accept", "application/json"}};
  request.follow_redirects = false;
  const auto response = session.exchange(std::move(request));
  if (!response) return std::unexpected(response.error());
  const auto body = Json::parse(response->body);
  if (response->status != 200 || !body)
    return fail(ErrorClass::kDenied, kArea,
                "Microsoft does not say whose account this is (status " + std::to_string(response->status) + ")");
  const std::string mail = body->text_or("mail");
  return printable(mail.empty() ? body->text_or("userPrincipalName") : mail);
}

Result<void> sign_in(ConnectSession& session, bool browser, Connection& connection) {
  calendar::Credentials& c = connection.credentials;
  c.grant = "user";
  c.scope = calendar::microsoft_user_scope(session.config().sources.microsoft);
  auto token = browser ? sign_in_by_browser(session, c) : sign_in_by_code(session, c);
  if (!token) return pass(token);
  if (token->refresh_token.empty())
    return fail(ErrorClass::kDenied, kArea, "Microsoft gave no lasting sign-in: the app needs the permission offline_access");
  c.access_token = std::move(token->access_token);
  c.refresh_token = std::move(token->refresh_token);
  c.expires = system_now() + token->lifetime;
  auto account = account_of(session, c.access_token);
  if (!account) return pass(account);
  connection.account = std::move(*account);
  connection.calendar = "me";
  return {};
}

// ---- an app reads a mailbox ------------------------------------------------------------------------------------

/// The bytes of the first certificate in a PEM text (DER), or empty.
std::string certificate_of(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  const auto begin = pem.find(kBegin);
  if (begin == std::string_view::npos) return {};
  std::string text;
  for (const char c : pem.substr(begin + kBegin.size())) {
    if (c == '-') break;
    if (base64_value(c) >= 0) text += c;
  }
  return base64_decode(text);
}

/// x5t#S256 from what a person has: 64 hexadecimal digits, or base64url, or nothing where the file has the certificate.
Result<std::string> read_thumbprint(const std::string& given, std::string_view pem) {
  std::string bytes;
  if (given.empty()) {
    const std::string certificate = certificate_of(pem);
    if (certificate.empty())
      return fail(ErrorClass::kInvalid, kArea, "--certificate holds no certificate beside the key, so --thumbprint is needed");
    const auto digest = sha256(certificate);
    bytes.assign(digest.begin(), digest.end());
  } else {
    std::string hex;
    std::copy_if(given.begin(), given.end(), std::back_inserter(hex), [](char c) { return c != ':' && c != ' '; });
    const bool digits = std::all_of(hex.begin(), hex.end(), [](char c) { return hex_value(c) >= 0; });
    if (digits && hex.size() == 64) {
      for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(hex_value(hex[i]) * 16 + hex_value(hex[i + 1]));
    } else {
      bytes = base64_decode(given);
    }
  }
  if (bytes.size() != 32)
    return fail(ErrorClass::kInvalid, kArea,
                "--thumbprint must be the SHA-256 of the certificate (openssl x509 -noout -fingerprint -sha256 -in FILE)");
  return base64url_encode(bytes);
}

/// Fills in the app's credentials. What is not given stays as it was connected before.
Result<void> app_credentials(const Args& args, Connection& connection) {
  calendar::Credentials& c = connection.credentials;
  c.grant = "client";
  if (!args.text("--user").empty()) connection.calendar = connection.account = args.text("--user");
  if (connection.calendar.empty() || connection.calendar == "me")
    return fail(ErrorClass::kInvalid, kArea, "--app needs --user MAILBOX: an app has no calendar of its own");
  if (c.tenant == "common" || c.tenant == "consumers" || c.tenant == "organizations")
    return fail(ErrorClass::kInvalid, kArea, "--app needs --tenant with the name or number of one directory");
  const char* secret = std::getenv(kSecretVariable);
  if (const std::string file = args.text("--certificate"); !file.empty()) {
    std::ifstream in(file, std::ios::binary);
    std::string pem(kMaxPem, '\0');
    in.read(pem.data(), static_cast<std::streamsize>(pem.size()));
    pem.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    if (pem.find("PRIVATE KEY-----") == std::string::npos)
      return fail(ErrorClass::kInvalid, kArea, "--certificate must be a PEM file with the private key of the certificate");
    auto thumbprint = read_thumbprint(args.text("--thumbprint"), pem);
    if (!thumbprint) return pass(thumbprint);
    c.key_pem = std::move(pem);
    c.thumbprint = std::move(*thumbprint);
    c.client_secret.clear();
  } else if (secret != nullptr && *secret != '\0') {
    c.client_secret = secret;
    c.key_pem.clear();
  } else if (c.client_secret.empty() && c.key_pem.empty()) {
    return fail(ErrorClass::kInvalid, kArea,
                std::string("--app needs the app's secret in ") + kSecretVariable + ", or --certificate FILE");
  }
  return {};
}

/// What was connected under this name before, so that connecting again needs nothing but the name.
Connection connected_before(ConnectSession& session, const std::string& id) {
  auto old = session.known(id);
  if (!old || old->kind != "microsoft") return {};
  old->credentials.access_token.clear();
  return std::move(*old);
}

}  // namespace

int connect_microsoft(std::span<const std::string> words) {
  const auto args = parse_args(words, {"--config", "--id", "--client-id", "--tenant", "--user", "--certificate", "--thumbprint"},
                               {"--browser", "--app"});
  if (!args) return wrong_use(args.error().detail);
  if (!args->rest.empty()) return wrong_use("calendar connect microsoft takes options only, not '" + args->rest[0] + "'");
  const auto name = connection_name(args->text("--id"), "microsoft");
  if (!name) return wrong_use(name.error().detail);
  const auto config = load_config(args->text("--config"));
  if (!config) return report(config.error());

  ConnectSession session(*config);
  Connection connection = connected_before(session, *name);
  calendar::Credentials& c = connection.credentials;
  const bool app = args->flag("--app") || (c.grant == "client" && !args->flag("--browser"));
  connection.id = *name;
  connection.kind = "microsoft";
  if (!args->text("--client-id").empty()) c.client_id = args->text("--client-id");
  if (!args->text("--tenant").empty()) c.tenant = args->text("--tenant");
  if (c.tenant.empty()) c.tenant = "common";
  if (c.client_id.empty()) return wrong_use("calendar connect microsoft needs --client-id: the number of your app registration");
  if (!is_tenant(c.tenant)) return wrong_use("--tenant is a directory's name or number, or common, organizations or consumers");
  if (app && args->flag("--browser")) return wrong_use("--app and --browser are two ways to sign in: give one");
  if (!app && !(args->text("--user") + args->text("--certificate") + args->text("--thumbprint")).empty())
    return wrong_use("--user, --certificate and --thumbprint go with --app");

  const auto ready = app ? app_credentials(*args, connection) : sign_in(session, args->flag("--browser"), connection);
  if (!ready) return ready.error().code == ErrorClass::kInvalid ? wrong_use(ready.error().detail) : report(ready.error());
  return session.finish(std::move(connection));
}

}  // namespace hansard::cli
