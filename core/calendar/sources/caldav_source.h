#pragma once
// One CalDAV calendar (RFC 4791). What has changed is learned by sync-collection (RFC 6578) with a token, or, where a server
// has none, by getctag and then all ETags; the changed resources are fetched by calendar-multiget. The server is never
// asked to filter or expand: a resource that it would leave out wrongly would be a missed meeting.
//
// Each resource is read by itself: a broken one is a problem and keeps its last readable version. What ended before the
// window and does not recur is remembered by its ETag alone.
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/calendar/sources/caldav_messages.h"
#include "core/calendar/sources/source.h"

namespace hansard::calendar {

class CalDavSource final : public Source {
 public:
  /// `connection.calendar`: the collection's URL. `credentials.grant`: "basic", "bearer" or "none".
  explicit CalDavSource(Connection connection) : connection_(std::move(connection)) {}

  SourceAction begin(const SyncWindow& window, Instant now, std::string_view entropy) override;
  SourceAction reply(const Result<HttpResponse>& response, Instant now) override;
  std::vector<const Calendar*> documents() const override;
  const Connection& connection() const override { return connection_; }
  std::vector<std::string> problems() const override;

 private:
  enum class Step : std::uint8_t { kLook, kChanges, kList, kFetch };
  struct Resource {
    std::string etag;
    std::unique_ptr<const Calendar> calendar;  ///< null: it cannot matter, or was never readable
    bool broken = false;                       ///< its newest version cannot be read
  };

  SourceAction send(Step step, std::string method, int depth, std::string body);
  SourceAction look();
  SourceAction changes();
  SourceAction list();
  SourceAction fetch();
  SourceAction finish();

  SourceAction redirected(const HttpResponse& response);
  SourceAction refused(const HttpResponse& response) const;
  SourceAction changes_refused(const HttpResponse& response);
  SourceAction looked(const Multistatus& answer);
  SourceAction changed(const Multistatus& answer);
  SourceAction listed(const Multistatus& answer);
  SourceAction fetched(Multistatus& answer);
  SourceAction fetch_less();

  /// The answer's resources below this collection: key and href. False: it is something else.
  bool member(const DavResponse& response, std::string& key);
  void see(const std::string& key, const DavResponse& response);
  Resource read(const DavResponse& response) const;
  void start_full();
  std::string reconnect_advice() const;

  Connection connection_;
  SyncWindow window_;
  DavUrl url_;

  // What is known.
  std::map<std::string, Resource> resources_;  ///< by decoded path
  std::string token_;
  std::string ctag_;
  bool sync_refused_ = false;                  ///< the server names sync-collection and does not do it
  std::map<std::string, std::string> missed_;  ///< key and href of what the server named and did not give

  // The sync that runs. `staged_` outlives a failed one, so that the next one goes on where it broke off.
  Step step_ = Step::kLook;
  HttpRequest sent_;
  int redirects_ = 0;
  int rounds_ = 0;
  int restarts_ = 0;
  bool full_ = false;  ///< what is not listed is gone
  std::string next_token_;
  std::string next_ctag_;
  std::set<std::string> seen_;
  std::set<std::string> gone_;
  std::map<std::string, std::string> wanted_;  ///< key and href of what is still to be fetched
  std::map<std::string, std::string> asked_;   ///< of these in the running request
  std::map<std::string, std::string> next_missed_;
  std::map<std::string, Resource> staged_;
  std::size_t batch_ = 0;
  bool foreign_ = false;  ///< hrefs of another server were named
};

}  // namespace hansard::calendar
