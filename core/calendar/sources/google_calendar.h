#pragma once
// The events of a Google calendar that are kept between syncs.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/calendar/sources/google_events.h"

namespace hansard::calendar {

class GoogleCalendar {
 public:
  GoogleCalendar() { calendar_.zones.emplace_back(); }

  /// Takes the changes of one whole round, in the order in which they came. `whole`: they are all there is. What has ended
  /// before `drop_before` is not kept.
  void apply(std::vector<GoogleEvent> changes, bool whole, Instant drop_before);

  /// All events in the order of their ids; an exception has the UID of its series.
  const Calendar& calendar() const { return calendar_; }
  /// Of events, cancelled exceptions of unknown series included.
  std::size_t size() const { return items_.size(); }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void take(GoogleEvent change, std::set<std::string>& deleted);
  void name();
  void keep_earliest();

  std::map<std::string, GoogleEvent> items_;  ///< by id; the VEvent of those in `shown_` lies in `calendar_`
  std::vector<std::string> shown_;            ///< ids of calendar_.events
  Calendar calendar_;
  std::vector<std::string> problems_;
};

}  // namespace hansard::calendar
