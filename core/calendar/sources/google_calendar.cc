#include "core/calendar/sources/google_calendar.h"

#include <algorithm>
#include <set>
#include <utility>

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxEvents = ReadLimits{}.max_events;

}  // namespace

void GoogleCalendar::take(GoogleEvent change, std::set<std::string>& deleted) {
  const std::string id = change.id;
  const auto there = items_.find(id);
  if (change.deleted || change.skipped) {
    if (there != items_.end()) items_.erase(there);
    if (change.deleted) deleted.insert(id);
    return;
  }
  deleted.erase(id);
  // A cancelled exception may have lost its UID.
  if (there != items_.end() && change.event.uid.empty()) change.event.uid = there->second.event.uid;
  items_.insert_or_assign(id, std::move(change));
}

/// Gives every event the UID under which it is expanded. Two events may share an iCalUID (a series that was cut in two): the
/// second one then gets a UID of its own, or one of them would hide the other.
void GoogleCalendar::name() {
  std::map<std::string, std::string> owners;
  for (auto& [id, item] : items_) {
    if (!item.master.empty()) continue;
    std::string& uid = item.event.uid;
    if (uid.empty()) uid = id;
    if (owners.try_emplace(uid, id).first->second == id) continue;
    uid += '#' + id;
    owners.try_emplace(uid, id);
  }
  for (auto& [id, item] : items_) {
    if (item.master.empty()) continue;
    const auto master = items_.find(item.master);
    if (master != items_.end()) item.event.uid = master->second.event.uid;
  }
}

/// Beyond the limit of memory the events farthest in the future are left out; they come back with a later full sync.
void GoogleCalendar::keep_earliest() {
  problems_.clear();
  if (items_.size() <= kMaxEvents) return;
  std::vector<std::pair<WallSeconds, std::string>> single;
  for (const auto& [id, item] : items_) {
    if (item.event.rules.empty()) single.emplace_back(item.event.start.wall, id);
  }
  std::sort(single.begin(), single.end());
  for (auto it = single.rbegin(); it != single.rend() && items_.size() > kMaxEvents; ++it) items_.erase(it->second);
  problems_.push_back("the calendar has more events than the limit: those farthest in the future were left out");
}

void GoogleCalendar::apply(std::vector<GoogleEvent> changes, bool whole, Instant drop_before) {
  if (whole) {
    items_.clear();
  } else {
    for (std::size_t i = 0; i < shown_.size(); ++i) items_[shown_[i]].event = std::move(calendar_.events[i]);
  }
  shown_.clear();
  calendar_.events.clear();
  std::set<std::string> deleted;
  for (GoogleEvent& change : changes) take(std::move(change), deleted);
  std::erase_if(items_, [&](const auto& item) {
    // Exceptions go with their series.
    return (item.second.ends && *item.second.ends <= drop_before) || deleted.contains(item.second.master);
  });
  keep_earliest();
  name();
  for (auto& [id, item] : items_) {
    if (item.event.uid.empty()) continue;  // cancelled, of a series that is not in this calendar
    shown_.push_back(id);
    calendar_.events.push_back(std::move(item.event));
  }
}

}  // namespace hansard::calendar
