#pragma once
// What is said to a CalDAV server and how its answers are read: WebDAV (RFC 4918), CalDAV (RFC 4791), collection
// synchronisation (RFC 6578). Pure.
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/http.h"
#include "core/base/result.h"
#include "core/base/xml.h"
#include "core/calendar/sources/connection.h"

namespace hansard::calendar {

inline constexpr std::string_view kDavNs = "DAV:";
inline constexpr std::string_view kCalDavNs = "urn:ietf:params:xml:ns:caldav";
inline constexpr std::string_view kCalendarServerNs = "http://calendarserver.org/ns/";  // getctag

// ---- addresses -------------------------------------------------------------------------------------------------

/// An http or https address. `origin` is "https://host" or "https://host:port", in lower case, a default port left out.
struct DavUrl {
  std::string origin;
  std::string path;  ///< with the query, as written: "/" at least

  bool https() const { return origin.starts_with("https:"); }
  std::string text() const { return origin + path; }
  /// The path for comparing: percent-encoding undone, without query and the last slash.
  std::string key() const;
};
/// Errors: kInvalid (no http or https, no host, a user name in it, blanks).
Result<DavUrl> read_dav_url(std::string_view url);
/// What an href or a Location of an answer to `base` names. Errors: kInvalid.
Result<DavUrl> resolve_href(const DavUrl& base, std::string_view href);

// ---- requests --------------------------------------------------------------------------------------------------

/// A PROPFIND or REPORT with the right of `credentials` ("basic": username and password, "bearer": access_token).
HttpRequest dav_request(std::string method, const DavUrl& url, int depth, std::string body, const Credentials& credentials);

/// Asks for properties by name.
std::string propfind_body(std::initializer_list<std::pair<std::string_view, std::string_view>> namespace_and_name);
/// RFC 6578, 3.2. An empty token asks for all members.
std::string sync_collection_body(std::string_view token);
/// RFC 4791, 7.9: these resources with their calendar data.
std::string multiget_body(const std::vector<std::string>& hrefs);

// ---- answers ---------------------------------------------------------------------------------------------------

struct DavResponse {
  std::string href;  ///< as written
  int status = 0;    ///< of the resource as a whole; 0: none was given, its properties speak
  XmlElement props;  ///< DAV:prop with the properties that were found (status 200)
};
struct Multistatus {
  std::vector<DavResponse> responses;
  std::string sync_token;
};
/// Errors: kInvalid (not a multistatus), kExhausted.
Result<Multistatus> read_multistatus(std::string_view bytes);
/// Is the body a DAV:error that names this precondition?
bool names_precondition(std::string_view body, std::string_view name);

/// Is this the collection of a calendar (RFC 4791, 4.2)?
bool is_calendar(const XmlElement& props);
/// May it hold events? True when nothing is said about it.
bool holds_events(const XmlElement& props);
/// Does DAV:supported-report-set name sync-collection?
bool can_sync(const XmlElement& props);
/// Text of the DAV:href in that property, or empty.
std::string href_of(const XmlElement& props, std::string_view ns, std::string_view name);

}  // namespace hansard::calendar
