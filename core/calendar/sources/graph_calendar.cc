#include "core/calendar/sources/graph_calendar.h"

#include <set>
#include <utility>

namespace hansard::calendar {

void GraphCalendar::begin_round(bool whole) {
  whole_ = whole;
  bytes_ = 0;
  unreadable_ = 0;
  masters_asked_ = 0;
  changes_.clear();
  asked_.clear();
}

Result<void> GraphCalendar::add_page(const Json& value, std::size_t bytes) {
  bytes_ += bytes;
  if (changes_.size() + value.items().size() > limits_.max_items || bytes_ > limits_.max_bytes) {
    return fail(ErrorClass::kExhausted, "calendar", "this calendar holds more events in the next days than hansard reads");
  }
  for (const Json& event : value.items()) note(event);
  return {};
}

void GraphCalendar::note(const Json& event) {
  Change change;
  change.id = event.text_or("id");
  if (change.id.empty()) return;
  change.removed = event.has("@removed");
  if (change.removed) return changes_.push_back(std::move(change));
  change.type = graph_type(event);
  change.master = event.text_or("seriesMasterId");
  if (change.type == GraphType::kMaster) {
    asked_[change.id] = true;
    change.json = event;
    return changes_.push_back(std::move(change));
  }
  auto read = read_graph_event(event, account_);
  if (!read) {
    // What cannot be read stays as it was, in a round of changes; a person sees that there is such an event.
    ++unreadable_;
    return;
  }
  if (is_short(event) && !change.master.empty()) {
    asked_.try_emplace(change.master, false);
    change.json = event;
  } else {
    change.event = std::move(*read);
  }
  changes_.push_back(std::move(change));
}

std::string GraphCalendar::next_missing_master() {
  for (auto& [id, known] : asked_) {
    if (std::exchange(known, true) || (!whole_ && masters_.contains(id))) continue;
    return masters_asked_++ < limits_.max_masters_asked ? id : std::string();
  }
  return {};
}

void GraphCalendar::add_master(const Json& master) {
  Change change;
  change.id = master.text_or("id");
  change.type = GraphType::kMaster;
  change.json = master;
  if (!change.id.empty()) changes_.push_back(std::move(change));
}

bool GraphCalendar::commit() {
  std::map<std::string, Item> before;
  std::map<std::string, Json> masters_before;
  if (whole_) {
    before = std::exchange(items_, {});
    masters_before = std::exchange(masters_, {});
    calendar_.events.clear();
    ids_.clear();
  }
  // The occurrences of a removed series are told one by one, or not at all: only a whole answer says what is left. The
  // master stays until then, for what it lends them.
  std::set<std::string> series;
  for (const auto& [id, item] : items_) series.insert(item.master);
  bool series_removed = false;
  for (Change& change : std::exchange(changes_, {})) {
    series_removed = series_removed || (change.removed && series.contains(change.id));
    apply(std::move(change), whole_ ? before : items_);
  }
  // A master that a round did not repeat is still the best that is known of a series.
  for (const auto& [id, item] : items_) {
    if (item.shortened.is_null() || masters_.contains(item.master)) continue;
    if (const auto old = masters_before.find(item.master); old != masters_before.end()) masters_.insert(*old);
  }
  finish_shortened();
  part_equal();
  calendar_.problems.clear();
  if (unreadable_ > 0)
    calendar_.problems.push_back(std::to_string(unreadable_) + " of the calendar's events have no start that can be read");
  return series_removed;
}

void GraphCalendar::apply(Change change, const std::map<std::string, Item>& before) {
  if (change.removed) return remove(change.id);
  if (change.type == GraphType::kMaster) {
    remove(change.id);  // a single event that was made a series
    masters_[change.id] = std::move(change.json);
    return;
  }
  masters_.erase(change.id);  // a series that was made a single event
  CalTime original;
  std::string uid;
  if (const auto old = before.find(change.id); old != before.end()) {
    original = old->second.original;
    uid = old->second.uid;
  }
  Item& item = items_.try_emplace(change.id, Item{{}, {}, {}, {}, calendar_.events.size()}).first->second;
  item.master = std::move(change.master);
  item.shortened = std::move(change.json);
  item.original = std::move(original);
  item.uid = std::move(uid);
  if (item.shortened.is_null()) set_event(item, change.id, std::move(change.event));
  // A shortened one gets its event when all masters are known.
  if (item.at == calendar_.events.size()) {
    calendar_.events.emplace_back();
    ids_.push_back(change.id);
  }
}

void GraphCalendar::set_event(Item& item, const std::string& id, VEvent event) {
  const bool instance = event.recurrence_id || !item.master.empty();
  if (event.recurrence_id) item.original = event.recurrence_id;
  if (instance && !event.recurrence_id && item.original) {
    // An exception that does not tell its original start, of an occurrence that was seen before it was changed.
    event.recurrence_id = item.original;
    event.uid = item.uid;
  }
  item.uid = event.uid;
  if (item.at == calendar_.events.size()) {
    calendar_.events.push_back(std::move(event));
    ids_.push_back(id);
  } else {
    calendar_.events[item.at] = std::move(event);
  }
}

void GraphCalendar::remove(const std::string& id) {
  const auto it = items_.find(id);
  if (it == items_.end()) return;  // outside the window, or never seen: both are told as removed
  const std::size_t at = it->second.at;
  items_.erase(it);
  if (at + 1 != calendar_.events.size()) {
    calendar_.events[at] = std::move(calendar_.events.back());
    ids_[at] = std::move(ids_.back());
    items_[ids_[at]].at = at;
  }
  calendar_.events.pop_back();
  ids_.pop_back();
}

void GraphCalendar::finish_shortened() {
  for (auto& [id, item] : items_) {
    if (item.shortened.is_null()) continue;
    const auto master = masters_.find(item.master);
    auto event =
        read_graph_event(master == masters_.end() ? item.shortened : with_master(item.shortened, master->second), account_);
    if (event) set_event(item, id, std::move(*event));
  }
}

/// Two events of one mailbox can have one UID (an invitation that was copied). Each is a meeting: the second is named by its
/// own id too, so that expansion does not take one for a newer form of the other.
void GraphCalendar::part_equal() {
  std::set<std::pair<std::string, WallSeconds>> seen;
  for (auto& [id, item] : items_) {
    VEvent& event = calendar_.events[item.at];
    event.uid = item.uid;
    const WallSeconds original = event.recurrence_id ? event.recurrence_id.wall : INT64_MIN;
    if (!seen.emplace(item.uid, original).second) event.uid += '#' + id;
  }
}

}  // namespace hansard::calendar
