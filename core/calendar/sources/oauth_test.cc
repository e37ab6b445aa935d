#include "core/calendar/sources/oauth.h"

#include <gtest/gtest.h>

#include "core/base/encoding.h"
#include "core/base/json.h"

namespace hansard::calendar {
namespace {

const Instant kNow = parse_rfc3339("2026-03-04T08:00:00Z").value();
constexpr const char* kToken = "https://vendor.example/token";

HttpResponse answer(int status, std::string body, HttpHeaders headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

Credentials user() {
  Credentials c;
  c.grant = "user";
  c.client_id = "id";
  c.refresh_token = "r/0";
  return c;
}

const HttpRequest& sent(const SourceAction& action) {
  static const HttpRequest none;
  const auto* send = std::get_if<SendRequest>(&action);
  EXPECT_NE(send, nullptr);
  return send != nullptr ? send->request : none;
}
SyncFailed failed(const SourceAction& action) {
  const auto* f = std::get_if<SyncFailed>(&action);
  EXPECT_NE(f, nullptr);
  return f != nullptr ? *f : SyncFailed{};
}

TEST(Pkce, VectorOfRfc7636AppendixB) {
  EXPECT_EQ(pkce_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  // The octets of the same appendix.
  const unsigned char octets[] = {116, 24,  223, 180, 151, 153, 224, 37,  79, 250, 96, 125, 216, 173, 187, 186,
                                  22,  212, 37,  77,  105, 214, 191, 240, 91, 88,  5,  88,  83,  132, 141, 121};
  EXPECT_EQ(pkce_verifier(std::string_view(reinterpret_cast<const char*>(octets), sizeof octets)),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  for (int c = 0; c < 256; ++c) {
    const std::string verifier = pkce_verifier(std::string(40, static_cast<char>(c)));
    EXPECT_EQ(verifier.size(), 43u);
    EXPECT_EQ(verifier.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"),
              std::string::npos);
  }
}

TEST(OAuth, FormsAreEncoded) {
  const auto request = form_request(kToken, {{"a b", "c&d=e"}, {"s", "https://x/y"}});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(find_header(request.headers, "content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.body, "a%20b=c%26d%3De&s=https%3A%2F%2Fx%2Fy");
}

TEST(OAuth, ReadsAnswersAndRefusals) {
  const auto good =
      read_token_answer(answer(200, R"({"access_token":"a","expires_in":3599,"scope":"s t","token_type":"Bearer"})"), "Google");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->access_token, "a");
  EXPECT_EQ(good->refresh_token, "");
  EXPECT_EQ(good->scope, "s t");
  EXPECT_EQ(good->lifetime, seconds(3599));
  EXPECT_EQ(read_token_answer(answer(200, R"({"access_token":"a","expires_in":-5})"), "x")->lifetime, seconds(0));
  EXPECT_EQ(read_token_answer(answer(200, R"({"access_token":"a","expires_in":99999999})"), "x")->lifetime, hours(24));

  struct Case {
    int status;
    const char* body;
    bool dead;
    const char* words;
  };
  for (const Case& c : {Case{400, R"({"error":"invalid_grant","error_description":"Token has been expired or revoked."})", true,
                             "Google no longer accepts this sign-in (Token has been expired or revoked.)"},
                        Case{400, R"({"error":"invalid_grant"})", true, "Google no longer accepts this sign-in"},
                        Case{401, R"({"error":"invalid_client","error_description":"no\nsecret"})", true, "invalid_client (no)"},
                        Case{401, R"({"error":"unauthorized_client"})", true, "unauthorized_client"},
                        Case{403, R"({"error":"access_denied"})", true, "access_denied"},
                        Case{400, R"({"error":"temporarily_unavailable"})", false, "status 400"},
                        Case{400, R"({"error":"slow_down"})", false, "status 400"},
                        Case{503, R"({"error":"backend"})", false, "503"}, Case{429, R"({"error":"rate_limit"})", false, "429"},
                        Case{200, "<html>", false, "200"}, Case{200, R"({"access_token":""})", false, "200"},
                        Case{400, R"({"error":{"code":400}})", false, "400"}, Case{400, "", false, "400"}}) {
    const auto r = read_token_answer(answer(c.status, c.body, {{"retry-after", "30"}}), "Google");
    ASSERT_FALSE(r) << c.body;
    EXPECT_EQ(r.error().dead, c.dead) << c.body;
    EXPECT_NE(r.error().detail.find(c.words), std::string::npos) << r.error().detail;
    EXPECT_EQ(r.error().retry_after, seconds(30));
  }
  const auto gone = read_token_answer(fail(ErrorClass::kUnavailable, "http", "no answer"), "Google");
  EXPECT_FALSE(gone.error().dead);
  EXPECT_EQ(gone.error().detail, "no answer");
  // What a server writes as its code reaches no terminal unread.
  const auto strange = read_token_answer(answer(400, "{\"error\":\"\\u001b[2J" + std::string(500, 'x') + "\"}"), "Google");
  EXPECT_EQ(strange.error().detail.find('\x1b'), std::string::npos);
  EXPECT_LT(strange.error().detail.size(), 300u);
}

TEST(Grant, RefreshKeepsTheOldTokenUnlessANewOneComes) {
  Credentials c = user();
  Grant grant(c, {"Google", kToken, "scope", false});
  EXPECT_FALSE(grant.fresh(kNow));
  SourceAction action = grant.renew(kNow, std::string(32, 'e'));
  EXPECT_EQ(sent(action).url, kToken);
  EXPECT_EQ(sent(action).body, "grant_type=refresh_token&refresh_token=r%2F0&client_id=id");
  action = grant.reply(answer(200, R"({"access_token":"a1","expires_in":3600})"), kNow);
  EXPECT_TRUE(std::holds_alternative<SyncDone>(action));
  EXPECT_EQ(c.refresh_token, "r/0");
  EXPECT_EQ(grant.header().second, "Bearer a1");
  EXPECT_TRUE(grant.fresh(kNow + minutes(57)));
  EXPECT_FALSE(grant.fresh(kNow + minutes(58)));
  static_cast<void>(grant.renew(kNow, {}));
  static_cast<void>(
      grant.reply(answer(200, R"({"access_token":"a2","expires_in":3600,"refresh_token":"r1","scope":"less"})"), kNow));
  EXPECT_EQ(c.refresh_token, "r1");
  EXPECT_EQ(c.scope, "less");
  grant.invalidate();
  EXPECT_FALSE(grant.fresh(kNow));
  // A secret goes along where there is one, and the scope where the vendor wants it.
  c.client_secret = "s";
  Grant other(c, {"Microsoft", kToken, "a b", true});
  EXPECT_EQ(sent(other.renew(kNow, {})).body,
            "grant_type=refresh_token&refresh_token=r1&client_id=id&client_secret=s&scope=a%20b");
}

TEST(Grant, ADeadGrantAsksForAPersonATroubledServerDoesNot) {
  Credentials c = user();
  c.access_token = "old";
  Grant grant(c, {"Google", kToken, "", false});
  static_cast<void>(grant.renew(kNow, {}));
  auto f = failed(grant.reply(answer(400, R"({"error":"invalid_grant"})"), kNow));
  EXPECT_TRUE(f.reconnect);
  EXPECT_EQ(c.refresh_token, "r/0");
  f = failed(grant.reply(answer(503, "", {{"retry-after", "12"}}), kNow));
  EXPECT_FALSE(f.reconnect);
  EXPECT_EQ(f.retry_after, seconds(12));
  // The next try after the trouble works.
  EXPECT_TRUE(std::holds_alternative<SyncDone>(grant.reply(answer(200, R"({"access_token":"a","expires_in":60})"), kNow)));
  c.grant = "none";
  EXPECT_TRUE(failed(grant.renew(kNow, {})).reconnect);
}

TEST(Grant, AServiceAccountSignsAnAssertion) {
  Credentials c;
  c.grant = "service_account";
  c.issuer = "robot@p.iam.gserviceaccount.com";
  c.subject = "ann@example.org";
  c.key_pem = "PEM";
  c.key_id = "k1";
  Grant grant(c, {"Google", kToken, "s1 s2", false});
  SourceAction action = grant.renew(kNow, std::string(32, 'e'));
  const auto* sign = std::get_if<SignRequest>(&action);
  ASSERT_NE(sign, nullptr);
  EXPECT_EQ(sign->key_pem, "PEM");
  const std::string jwt = sign->bytes;
  const auto dot = jwt.find('.');
  const auto head = Json::parse(base64_decode(jwt.substr(0, dot)));
  const auto claims = Json::parse(base64_decode(jwt.substr(dot + 1)));
  ASSERT_TRUE(head && claims) << jwt;
  EXPECT_EQ(head->dump(), R"({"alg":"RS256","typ":"JWT","kid":"k1"})");
  EXPECT_EQ(claims->text_or("iss"), c.issuer);
  EXPECT_EQ(claims->text_or("sub"), c.subject);
  EXPECT_EQ(claims->text_or("aud"), kToken);
  EXPECT_EQ(claims->text_or("scope"), "s1 s2");
  const std::int64_t iat = claims->int_or("iat", 0);
  EXPECT_LT(iat, kNow.ms / 1000);  // the server's clock may be behind
  EXPECT_GT(claims->int_or("exp", 0), kNow.ms / 1000 + 600);
  EXPECT_LE(claims->int_or("exp", 0) - iat, 3600);
  action = grant.signature(std::string("\xff\x00\x01", 3));
  EXPECT_EQ(sent(action).body, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + jwt + "._wAB");
  EXPECT_TRUE(std::holds_alternative<SyncDone>(grant.reply(answer(200, R"({"access_token":"a","expires_in":3599})"), kNow)));
  EXPECT_TRUE(failed(grant.signature(fail(ErrorClass::kInvalid, "signer", "no RSA key"))).reconnect);
}

TEST(Grant, AnAppProvesItselfBySecretOrCertificate) {
  Credentials c;
  c.grant = "client";
  c.client_id = "app";
  c.client_secret = "s&";
  Grant grant(c, {"Microsoft", kToken, "all", false});
  EXPECT_EQ(sent(grant.renew(kNow, {})).body, "grant_type=client_credentials&client_id=app&client_secret=s%26&scope=all");
  c.client_secret.clear();
  c.key_pem = "PEM";
  c.thumbprint = "tp";
  SourceAction action = grant.renew(kNow, std::string(32, '\x01'));
  const auto* sign = std::get_if<SignRequest>(&action);
  ASSERT_NE(sign, nullptr);
  const auto dot = sign->bytes.find('.');
  EXPECT_EQ(Json::parse(base64_decode(sign->bytes.substr(0, dot)))->text_or("x5t#S256"), "tp");
  const auto claims = Json::parse(base64_decode(sign->bytes.substr(dot + 1)));
  EXPECT_EQ(claims->text_or("iss"), "app");
  EXPECT_EQ(claims->text_or("sub"), "app");
  EXPECT_EQ(claims->text_or("jti"), base64url_encode(std::string(16, '\x01')));
  EXPECT_NE(sent(grant.signature(std::string("x"))).body.find("client_assertion="), std::string::npos);
}

}  // namespace
}  // namespace hansard::calendar
