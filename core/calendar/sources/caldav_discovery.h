#pragma once
// Finds the calendars of a person on a CalDAV server (RFC 6764, RFC 5397, RFC 4791 6.2.1): /.well-known/caldav,
// current-user-principal, calendar-home-set, and what the home holds. Pure, as a Source is.
//
// The server that the person named may send us on to another one, by a redirect or by the address of the home (a large
// provider spreads its users over hosts). The password goes along only from https to https: the first server was given the
// password by the person and has been authenticated, so it says where its own users live. Anything else is refused. This
// holds for discovery alone; a sync never leaves the origin that was found.
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/calendar/sources/caldav_messages.h"
#include "core/calendar/sources/source.h"

namespace hansard::calendar {

struct FoundCalendar {
  std::string url;
  std::string name;  ///< displayname, or the last part of the address
};
struct Discovered {
  std::vector<FoundCalendar> calendars;  ///< those that may hold events; may be empty
  std::string account;                   ///< the person's mail address, where the server tells it
};
using DiscoveryAction = std::variant<SendRequest, Discovered, SyncFailed>;

class CalDavDiscovery {
 public:
  /// `url`: the server, a principal, a home or a calendar.
  CalDavDiscovery(DavUrl url, Credentials credentials) : start_(std::move(url)), credentials_(std::move(credentials)) {}

  DiscoveryAction begin();
  DiscoveryAction reply(const Result<HttpResponse>& response);

 private:
  enum class Step : std::uint8_t { kProbe, kPrincipal, kHome };

  DiscoveryAction send(Step step, DavUrl url, int depth);
  DiscoveryAction next_place();
  DiscoveryAction next_home();
  DiscoveryAction redirected(const HttpResponse& response);
  DiscoveryAction probed(const Multistatus& answer);
  DiscoveryAction principal(const Multistatus& answer);
  DiscoveryAction home(const Multistatus& answer);
  bool take_homes(const XmlElement& props);
  void take_account(const XmlElement& props);
  bool may_go(const DavUrl& target) const;

  DavUrl start_;
  Credentials credentials_;
  Step step_ = Step::kProbe;
  DavUrl at_;  ///< where the running request goes
  int depth_ = 0;
  int redirects_ = 0;
  int last_status_ = 0;
  std::vector<DavUrl> places_;  ///< still to be probed, the next one last
  std::vector<DavUrl> homes_;   ///< still to be listed, the next one last
  std::set<std::string> listed_;
  Discovered found_;
};

}  // namespace hansard::calendar
