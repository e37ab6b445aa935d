#pragma once
// Reads a calendar source and says which occurrences its window holds and where each is to be joined.
#include <functional>
#include <map>
#include <string>

#include "core/flow/effects.h"
#include "core/flow/events.h"
#include "host/executor.h"

namespace hansard::host {

class CalendarReader {
 public:
  CalendarReader(const ExecutorPorts& ports, const ExecutorConfig& config) : ports_(ports), config_(config) {}

  /// Answers with CalendarFetched or CalendarFailed, at once for a file, later for a URL.
  void fetch(const flow::FetchCalendar& effect, std::function<void(flow::Event)> done);

 private:
  /// What a feed said last: a 304 means this again (the window moves even when the feed does not change).
  struct Cached {
    std::string etag;
    std::string last_modified;
    std::string body;
  };

  flow::Event answer(const flow::FetchCalendar& effect, const Result<HttpResponse>& response);
  flow::Event expand(const flow::FetchCalendar& effect, const std::string& body) const;

  const ExecutorPorts& ports_;
  const ExecutorConfig& config_;
  std::map<std::string, Cached> cache_;
};

}  // namespace hansard::host
