#pragma once
// A calendar source as a conversation: it says what to send, is given what came back, and holds the calendar as it then
// is. Pure: no socket, clock, file or randomness, so that one implementation runs in the daemon, in tests and elsewhere.
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/http.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/calendar/event.h"
#include "core/calendar/sources/connection.h"

namespace hansard::calendar {

/// Send this and call reply() with what comes back.
struct SendRequest {
  HttpRequest request;
};
/// Sign `bytes` with RSASSA-PKCS1-v1_5 and SHA-256 (RS256) and call signature() with the raw signature.
struct SignRequest {
  std::string key_pem;
  std::string bytes;
};
/// documents() holds the window now.
struct SyncDone {};
/// The calendar could not be read; documents() is what it was.
struct SyncFailed {
  std::string detail;      ///< one sentence for a person: what to do; no secret, no content
  Duration retry_after{};  ///< as the server asked; 0: it did not
  bool reconnect = false;  ///< the grant is dead: asking again is of no use until a person connects again
};
using SourceAction = std::variant<SendRequest, SignRequest, SyncDone, SyncFailed>;

/// What a sync must cover at least.
struct SyncWindow {
  Instant from;
  Instant to;
};

/// An HTTP request that reached the daemon's push address of this source.
struct PushRequest {
  std::string method;
  std::string target;  ///< path and query
  HttpHeaders headers;
  std::string body;
};
struct PushAnswer {
  int status = 404;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body{};
  bool scan = false;  ///< something changed: read the calendar now
};

class Source {
 public:
  virtual ~Source() = default;

  /// Begins to bring documents() up to date. Not called while a sync runs. `entropy`: 32 fresh random bytes (ids, tokens).
  virtual SourceAction begin(const SyncWindow& window, Instant now, std::string_view entropy) = 0;
  /// The answer to SendRequest.
  virtual SourceAction reply(const Result<HttpResponse>& response, Instant now) = 0;
  /// The answer to SignRequest. The default is for sources that never ask.
  virtual SourceAction signature(const Result<std::string>& signature, Instant now);
  /// The calendar as last read, as files that are each expanded by themselves (a TZID means something within one file).
  /// Valid until the next call of a non-const member.
  virtual std::vector<const Calendar*> documents() const = 0;
  /// Changed when tokens were renewed or channels made. A host stores it before it carries out the action that came with
  /// the change: a refresh token that is used but not stored is lost.
  virtual const Connection& connection() const = 0;
  /// Checks and answers a push. The default refuses.
  virtual PushAnswer push(const PushRequest& request, Instant now);
  /// Sentences about what works less well than it could (a push channel refused). At most 10.
  virtual std::vector<std::string> problems() const { return {}; }
};

/// Addresses of Google's services; a test puts its own server here.
struct GoogleEndpoints {
  std::string api_root = "https://www.googleapis.com/calendar/v3/";
  std::string authorization_url = "https://accounts.google.com/o/oauth2/v2/auth";
  std::string token_url = "https://oauth2.googleapis.com/token";
  std::string revocation_url = "https://oauth2.googleapis.com/revoke";
};
/// Addresses of Microsoft's services (sovereign clouds have other ones).
struct MicrosoftEndpoints {
  std::string login_root = "https://login.microsoftonline.com/";
  std::string graph_root = "https://graph.microsoft.com/v1.0/";
};
/// What all sources of an installation share.
struct SourceEnvironment {
  GoogleEndpoints google;
  MicrosoftEndpoints microsoft;
  /// Public https address under which this daemon is reached; a source's push address is this + "/hooks/calendar/" + id.
  /// Empty: polling alone.
  std::string push_url;
  /// Zones that a vendor names and does not describe.
  ZoneLoader read_zone{};
};

/// The source for a connection. Errors: kInvalid (a kind that does not exist, a member that is missing).
Result<std::unique_ptr<Source>> make_source(Connection connection, const SourceEnvironment& environment);

}  // namespace hansard::calendar
