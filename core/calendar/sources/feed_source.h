#pragma once
// A calendar feed: one iCalendar file behind an address (RFC 5545 over HTTP, also webcal://). An answer that is no whole
// calendar (a web page, nothing, a file that ends in the middle) is an error and leaves what was read before as it is.
#include <string>

#include "core/calendar/sources/source.h"

namespace hansard::calendar {

class FeedSource final : public Source {
 public:
  explicit FeedSource(Connection connection) : connection_(std::move(connection)) {}

  SourceAction begin(const SyncWindow& window, Instant now, std::string_view entropy) override;
  SourceAction reply(const Result<HttpResponse>& response, Instant now) override;
  std::vector<const Calendar*> documents() const override { return {&calendar_}; }
  const Connection& connection() const override { return connection_; }

 private:
  Connection connection_;
  Calendar calendar_;  ///< without single events that were over before over_before_
  Instant from_;       ///< of the window of the sync that runs
  Instant over_before_;
  bool read_ = false;  ///< calendar_ holds an answer: "not modified" means that one
  std::string etag_;
  std::string last_modified_;
  std::string fingerprint_;  ///< of the content, for servers without ETag and Last-Modified
};

}  // namespace hansard::calendar
