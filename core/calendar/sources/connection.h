#pragma once
// What `hansard calendar connect` has made: the way to a calendar and the right to read it. A secret as a whole: it is kept
// by a SecretStore, never in the configuration, never logged.
#include <cstdint>
#include <string>
#include <tuple>

#include "core/base/reflect.h"
#include "core/base/time.h"

namespace hansard::calendar {

/// The right to read. Which members are used depends on `grant`.
struct Credentials {
  /// "user" (a person signed in: refresh token), "service_account" (Google: key_pem signs for `subject`),
  /// "client" (Microsoft client credentials: client_secret, or key_pem with thumbprint), "basic" (CalDAV), "bearer", "none".
  std::string grant = "none";
  std::string client_id;
  std::string client_secret;
  std::string tenant;      ///< Microsoft: GUID, domain, "common", "organizations" or "consumers"
  std::string key_pem;     ///< PKCS#8 private key
  std::string key_id;      ///< "kid" of the service account's key
  std::string thumbprint;  ///< SHA-256 of the certificate, base64url: x5t#S256
  std::string subject;     ///< whose calendar a service account reads
  std::string issuer;      ///< the service account's mail address
  std::string username;
  std::string password;
  std::string scope;  ///< as granted
  std::string access_token;
  std::string refresh_token;
  Instant expires;  ///< of access_token; 0 when there is none
  static constexpr auto fields = std::make_tuple(
      field("grant", &Credentials::grant), field("client_id", &Credentials::client_id),
      field("client_secret", &Credentials::client_secret), field("tenant", &Credentials::tenant),
      field("key_pem", &Credentials::key_pem), field("key_id", &Credentials::key_id),
      field("thumbprint", &Credentials::thumbprint), field("subject", &Credentials::subject),
      field("issuer", &Credentials::issuer), field("username", &Credentials::username), field("password", &Credentials::password),
      field("scope", &Credentials::scope), field("access_token", &Credentials::access_token),
      field("refresh_token", &Credentials::refresh_token), field("expires_unix_ms", &Credentials::expires));
  bool operator==(const Credentials&) const = default;
};

/// A push channel (Google) or subscription (Microsoft) that the vendor has granted. Empty id: none.
struct PushChannel {
  std::string id;        ///< ours (Google) or the vendor's (Microsoft)
  std::string resource;  ///< what stopping it needs: Google's resourceId, the address that Microsoft was given
  std::string token;     ///< what a notification must carry: channel token, clientState
  Instant expires;
  static constexpr auto fields =
      std::make_tuple(field("id", &PushChannel::id), field("resource", &PushChannel::resource),
                      field("token", &PushChannel::token), field("expires_unix_ms", &PushChannel::expires));
  bool operator==(const PushChannel&) const = default;
};

struct Connection {
  std::string id;        ///< name that the person chose: letters, digits, '-', '_', '.'
  std::string kind;      ///< "google", "microsoft", "caldav", "ics"
  std::string account;   ///< whose calendar it is, as shown to people: usually a mail address. Their "declined" counts
  std::string calendar;  ///< Google calendar id; Microsoft mailbox ("me" or a user id); CalDAV collection URL; feed URL
  Credentials credentials;
  PushChannel channel;
  PushChannel old_channel;  ///< replaced by `channel`, still to be stopped
  static constexpr auto fields =
      std::make_tuple(field("id", &Connection::id), field("kind", &Connection::kind), field("account", &Connection::account),
                      field("calendar", &Connection::calendar), field("credentials", &Connection::credentials),
                      field("channel", &Connection::channel), field("old_channel", &Connection::old_channel));
  bool operator==(const Connection&) const = default;
};

}  // namespace hansard::calendar
