#pragma once
// What a mailbox's calendarView holds, brought up to date round by round (calendarView/delta). A round is applied only when
// it is complete: until then the calendar is what it was.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/calendar/event.h"
#include "core/calendar/sources/graph_events.h"

namespace hansard::calendar {

struct GraphLimits {
  std::size_t max_items = 50'000;       ///< of one round
  std::size_t max_bytes = 128u << 20;   ///< of one round's answers
  std::size_t max_masters_asked = 200;  ///< fetched one by one in a round
};

class GraphCalendar {
 public:
  explicit GraphCalendar(std::string account, GraphLimits limits = {}) : account_(std::move(account)), limits_(limits) {}

  /// `whole`: the round tells everything that there is, else what has changed. Drops what an unfinished round has told.
  void begin_round(bool whole);
  /// One page of the round; `bytes`: its size. Errors: kExhausted (a limit; the sentence is for a person).
  Result<void> add_page(const Json& value, std::size_t bytes);
  /// The id of a master that a shortened occurrence of this round needs and nobody has told, or empty. Each is named once.
  std::string next_missing_master();
  /// The answer to a question for it.
  void add_master(const Json& master);
  /// Ends the round. True: an event was removed whose occurrences may still be there, so the window is to be read anew.
  bool commit();

  const Calendar& calendar() const { return calendar_; }

 private:
  struct Change {
    std::string id;
    bool removed = false;
    GraphType type = GraphType::kSingle;
    std::string master;
    Json json;     ///< of a master, of a shortened occurrence
    VEvent event;  ///< of all others
  };
  struct Item {
    std::string master;
    Json shortened;      ///< null when it came whole
    std::string uid;     ///< as told, before equal ones were parted
    CalTime original;    ///< original start of an occurrence, once it was known
    std::size_t at = 0;  ///< in calendar_.events
  };

  void note(const Json& event);
  void apply(Change change, const std::map<std::string, Item>& before);
  void remove(const std::string& id);
  void set_event(Item& item, const std::string& id, VEvent event);
  void finish_shortened();
  void part_equal();

  std::string account_;
  GraphLimits limits_;
  Calendar calendar_;
  std::vector<std::string> ids_;  ///< of calendar_.events
  std::map<std::string, Item> items_;
  std::map<std::string, Json> masters_;

  bool whole_ = true;
  std::size_t bytes_ = 0;
  std::size_t unreadable_ = 0;
  std::size_t masters_asked_ = 0;
  std::vector<Change> changes_;
  std::map<std::string, bool> asked_;  ///< masters of this round: true when there is nothing more to ask
};

}  // namespace hansard::calendar
