#include "core/calendar/sources/oauth.h"

#include <algorithm>

#include "core/base/encoding.h"
#include "core/base/hash.h"
#include "core/base/json.h"

namespace hansard::calendar {
namespace {

constexpr Duration kRenewBefore = minutes(2);
/// A JWT begins to hold a little in the past: the server's clock may be behind ours.
constexpr Duration kClockSkew = minutes(1);
constexpr Duration kAssertionLifetime = minutes(50);
constexpr std::size_t kMaxDescription = 200;

std::string jwt_part(const Json& json) { return base64url_encode(json.dump()); }

/// A vendor's words for people: the first line, printable ASCII only.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\r' || c == '\n' || out.size() >= kMaxDescription) break;
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  return out;
}

/// What a vendor says about a refusal.
std::string described(const Json& body) {
  const std::string out = printable(body.text_or("error_description"));
  return out.empty() ? "" : " (" + out + ")";
}

}  // namespace

std::string pkce_verifier(std::string_view entropy) { return base64url_encode(entropy.substr(0, 32)); }

std::string pkce_challenge(std::string_view verifier) {
  const auto digest = sha256(verifier);
  return base64url_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

HttpRequest form_request(const std::string& url, const FormFields& fields) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.body = form_encode(fields);
  request.max_bytes = 1 << 20;
  return request;
}

std::expected<TokenAnswer, TokenRefusal> read_token_answer(const Result<HttpResponse>& response, std::string_view vendor) {
  const std::string name(vendor);
  if (!response) return std::unexpected(TokenRefusal{"", response.error().detail});
  const auto body = Json::parse(response->body);
  if (response->status == 200 && body && !body->text_or("access_token").empty()) {
    const std::int64_t lifetime = std::clamp<std::int64_t>(body->int_or("expires_in", 300), 0, 86'400);
    return TokenAnswer{body->text_or("access_token"), body->text_or("refresh_token"), body->text_or("scope"), seconds(lifetime)};
  }
  TokenRefusal out;
  out.code = body ? printable(body->text_or("error")) : "";
  out.retry_after = retry_after(*response);
  // RFC 6749, 5.2: an error of the request is told with 400 or 401 and a code. All else may pass by itself.
  out.dead = !out.code.empty() && (response->status == 400 || response->status == 401 || response->status == 403) &&
             out.code != "temporarily_unavailable" && out.code != "slow_down" && out.code != "authorization_pending" &&
             out.code != "server_error";
  if (out.code == "invalid_grant" || out.code == "interaction_required" || out.code == "consent_required") {
    out.detail = name + " no longer accepts this sign-in" + (body ? described(*body) : "");
  } else if (out.dead) {
    out.detail = name + " refused the credentials: " + out.code + (body ? described(*body) : "");
  } else {
    out.detail = name + "'s sign-in service answered with status " + std::to_string(response->status);
  }
  return std::unexpected(std::move(out));
}

bool Grant::fresh(Instant now) const { return !credentials_.access_token.empty() && credentials_.expires - now > kRenewBefore; }

SourceAction Grant::renew(Instant now, std::string_view entropy) {
  const Credentials& c = credentials_;
  if (c.grant == "user") {
    FormFields fields{{"grant_type", "refresh_token"}, {"refresh_token", c.refresh_token}, {"client_id", c.client_id}};
    if (!c.client_secret.empty()) fields.emplace_back("client_secret", c.client_secret);
    if (vendor_.refresh_scope) fields.emplace_back("scope", vendor_.scope);
    return SendRequest{form_request(vendor_.token_url, fields)};
  }
  if (c.grant == "client" && !c.client_secret.empty()) {
    return SendRequest{form_request(vendor_.token_url, {{"grant_type", "client_credentials"},
                                                        {"client_id", c.client_id},
                                                        {"client_secret", c.client_secret},
                                                        {"scope", vendor_.scope}})};
  }
  const std::int64_t from = (now - kClockSkew).ms / 1000;
  const std::int64_t to = (now + kAssertionLifetime).ms / 1000;
  Json head = Json::object();
  head.set("alg", "RS256").set("typ", "JWT");
  Json claims = Json::object();
  if (c.grant == "service_account") {
    if (!c.key_id.empty()) head.set("kid", c.key_id);
    claims.set("iss", c.issuer).set("scope", vendor_.scope).set("aud", vendor_.token_url).set("iat", from).set("exp", to);
    if (!c.subject.empty()) claims.set("sub", c.subject);
  } else if (c.grant == "client") {
    head.set("x5t#S256", c.thumbprint);
    claims.set("aud", vendor_.token_url).set("iss", c.client_id).set("sub", c.client_id);
    claims.set("jti", base64url_encode(entropy.substr(0, 16))).set("nbf", from).set("exp", to);
  } else {
    return SyncFailed{"there is no sign-in for this calendar", {}, true};
  }
  assertion_ = jwt_part(head) + "." + jwt_part(claims);
  return SignRequest{c.key_pem, assertion_};
}

SourceAction Grant::signature(const Result<std::string>& signature) {
  if (!signature) return SyncFailed{"the private key cannot sign: " + signature.error().detail, {}, true};
  const std::string jwt = std::exchange(assertion_, {}) + "." + base64url_encode(*signature);
  const Credentials& c = credentials_;
  if (c.grant == "service_account") {
    return SendRequest{
        form_request(vendor_.token_url, {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", jwt}})};
  }
  return SendRequest{
      form_request(vendor_.token_url, {{"grant_type", "client_credentials"},
                                       {"client_id", c.client_id},
                                       {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                                       {"client_assertion", jwt},
                                       {"scope", vendor_.scope}})};
}

SourceAction Grant::reply(const Result<HttpResponse>& response, Instant now) {
  auto answer = read_token_answer(response, vendor_.name);
  if (!answer) {
    TokenRefusal& r = answer.error();
    return SyncFailed{std::move(r.detail), r.retry_after, r.dead};
  }
  credentials_.access_token = std::move(answer->access_token);
  if (!answer->refresh_token.empty()) credentials_.refresh_token = std::move(answer->refresh_token);
  if (!answer->scope.empty()) credentials_.scope = std::move(answer->scope);
  credentials_.expires = now + answer->lifetime;
  return SyncDone{};
}

}  // namespace hansard::calendar
