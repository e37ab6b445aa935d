#pragma once
// OAuth 2.0 as data: requests to an authorization server and what its answers mean (RFC 6749, 7523, 7636, 8628).
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/http.h"
#include "core/base/time.h"
#include "core/calendar/sources/source.h"

namespace hansard::calendar {

using FormFields = std::vector<std::pair<std::string, std::string>>;

/// 43 characters from 32 random bytes (RFC 7636, 4.1).
std::string pkce_verifier(std::string_view entropy);
/// S256: base64url of SHA-256 of the verifier (RFC 7636, 4.2).
std::string pkce_challenge(std::string_view verifier);

/// POST of a form to a token or device endpoint.
HttpRequest form_request(const std::string& url, const FormFields& fields);

struct TokenAnswer {
  std::string access_token;
  std::string refresh_token;  ///< empty: the old one stays
  std::string scope;          ///< empty: as asked
  Duration lifetime;
};
struct TokenRefusal {
  std::string code;    ///< OAuth's error code ("invalid_grant"), empty when there was no such answer
  std::string detail;  ///< one sentence for a person
  Duration retry_after{};
  bool dead = false;  ///< asking again with the same credentials is of no use
};
/// Reads the answer of a token endpoint. `vendor` is its name for people.
std::expected<TokenAnswer, TokenRefusal> read_token_answer(const Result<HttpResponse>& response, std::string_view vendor);

/// Keeps the access token of a connection fresh: renewed before it ends, by whatever the grant allows.
class Grant {
 public:
  struct Vendor {
    std::string name;  ///< for people: "Google"
    std::string token_url;
    std::string scope;  ///< asked for by service accounts, client credentials and (if refresh_scope) with a refresh
    bool refresh_scope = false;
  };
  /// `credentials` must outlive this.
  Grant(Credentials& credentials, Vendor vendor) : credentials_(credentials), vendor_(std::move(vendor)) {}

  /// True while the token holds for two more minutes (clocks differ, answers take time).
  bool fresh(Instant now) const;
  /// Forgets the access token: the server refused it.
  void invalidate() { credentials_.access_token.clear(); }
  /// Begins to renew. `entropy` as in Source::begin.
  SourceAction renew(Instant now, std::string_view entropy);
  /// The signature that renew() asked for.
  SourceAction signature(const Result<std::string>& signature);
  /// The answer to the request of renew() or signature(): SyncDone when the token is fresh, else SyncFailed.
  SourceAction reply(const Result<HttpResponse>& response, Instant now);
  /// "Bearer ..."
  std::pair<std::string, std::string> header() const { return {"Authorization", "Bearer " + credentials_.access_token}; }

 private:
  Credentials& credentials_;
  Vendor vendor_;
  std::string assertion_;  ///< the signed part of a JWT that waits for its signature
};

}  // namespace hansard::calendar
