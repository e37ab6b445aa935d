#include "sim/year_watch.h"

#include <algorithm>

namespace hansard::sim {
namespace {

constexpr Duration kInTime = minutes(5);
/// The bot must have come by then, whatever went wrong with the daemon or its store.
constexpr Duration kLate = minutes(8);

std::string named(std::size_t item, std::int64_t day, Instant start, std::size_t link) {
  return "item " + std::to_string(item) + " of day " + std::to_string(day) + " at " + format_rfc3339(start) + " in " +
         url_of(link);
}

}  // namespace

void Watch::wrong(const std::string& what) {
  if (out_.violations.size() < 50) out_.violations.push_back(format_rfc3339(world_.now()) + " " + what);
  world_.log("VIOLATION " + what);
}

void Watch::scanned(std::size_t person, Instant from, const std::vector<Happening>& shown, const flow::CalendarState& state) {
  ++out_.scans;
  compare(person, from, shown, state);
  std::set<Which> now;
  for (const Happening& h : shown) {
    const Which which{h.first, h.day};
    now.insert(which);
    saw(person, which, {world_.now(), h.wanted, h.start, h.link, h.sequence});
  }
  for (const Which& which : shown_[person]) {
    if (now.contains(which)) continue;
    const std::vector<Sight>& of = sights_[which][person];
    // What has begun may be left out; what should be there and is not was taken out.
    if (!of.empty() && of.back().start > from) saw(person, which, {world_.now(), false, of.back().start, of.back().link, 0});
  }
  shown_[person] = std::move(now);
  if (++scans_ % 500 == 0) forget();
}

/// The flow knows exactly what the calendar shows of the next hours, each with the right reason.
void Watch::compare(std::size_t person, Instant from, const std::vector<Happening>& shown, const flow::CalendarState& state) {
  const auto in_range = [&](Instant t) { return t > from + seconds(30) && t < from + hours(23); };
  std::map<std::string, const flow::KnownOccurrence*> known;
  for (const auto& k : state.known) {
    if (in_range(k.spec.start)) known.emplace(k.key, &k);
  }
  const std::string who = "calendar " + std::to_string(person) + ": ";
  for (const Happening& h : shown) {
    if (!in_range(h.start)) continue;
    const auto it = known.find(h.key);
    if (it == known.end()) {
      wrong(who + h.key + " is in the feed and not known");
      continue;
    }
    const flow::KnownOccurrence& k = *it->second;
    if (k.spec.start != h.start || k.spec.end != h.end)
      wrong(who + h.key + " is known at " + format_rfc3339(k.spec.start) + " to " + format_rfc3339(k.spec.end) + ", not " +
            format_rfc3339(h.start) + " to " + format_rfc3339(h.end));
    if (k.reason != h.reason) wrong(who + h.key + " has the reason '" + k.reason + "', not '" + h.reason + "'");
    if (k.meeting.empty() == h.wanted) wrong(who + h.key + (h.wanted ? " is not attended" : " is attended"));
    if (h.wanted && k.spec.url != url_of(h.link)) wrong(who + h.key + " has another link");
    known.erase(it);
  }
  for (const auto& [key, k] : known) wrong(who + key + " is known and not in the feed");
}

void Watch::saw(std::size_t person, const Which& which, const Sight& sight) {
  std::vector<Sight>& of = sights_[which][person];
  if (!of.empty() && of.back().same(sight)) {
    of.back().sequence = sight.sequence;
    return;
  }
  of.push_back(sight);
  if (!sight.wanted) {
    ++out_.skipped;
    return;
  }
  if (sight.start <= world_.now() || !appointments_.emplace(which, sight.start, sight.link).second) return;
  world_.at(sight.start + kLate, [this, which, start = sight.start, link = sight.link] { look_back(which, start, link); });
}

bool Watch::visited(std::size_t link, Instant from, Instant to) const {
  const auto it = visits_.find(link);
  return it != visits_.end() &&
         std::any_of(it->second.begin(), it->second.end(), [&](const Visit& v) { return v.at >= from && v.at <= to; });
}

/// Some minutes after `start`: was the meeting that calendars showed there and then to be joined, and was it?
void Watch::look_back(const Which& which, Instant start, std::size_t link) {
  const Instant in_time = start - kInTime;
  const Sights& sights = sights_[which];
  bool wanted = false;
  bool changed_since = false;
  bool wanted_since = false;
  int newest = -1;
  int newest_other = -1;
  for (const std::vector<Sight>& of : sights) {
    const Sight* then = nullptr;
    for (const Sight& s : of) {
      if (s.at <= in_time) {
        then = &s;
        continue;
      }
      changed_since = true;
      wanted_since = wanted_since || (s.wanted && s.start == start && s.link == link);
    }
    if (then == nullptr || !then->wanted) continue;
    if (then->start == start && then->link == link) {
      wanted = true;
      newest = std::max(newest, then->sequence);
    } else {
      newest_other = std::max(newest_other, then->sequence);
    }
  }
  const bool came = visited(link, start - seconds(1), start + kLate);
  if (!wanted && !wanted_since) {
    // Another meeting behind the same link, or the same one moved by little, is another matter.
    for (const auto& [other, at, there] : appointments_) {
      if (there == link && (at != start || other != which) && at > start - minutes(25) && at < start + minutes(25)) return;
    }
    ++out_.cancelled;
    if (came)
      wrong("joined, though it was known in time that it does not take place: " + named(which.first, which.second, start, link));
    return;
  }
  const bool agreed = newest_other < 0 || (newest > 0 && newest > newest_other);
  if (!wanted || changed_since || !agreed) {
    ++out_.excused;
    return;
  }
  ++out_.meetings;
  if (came) {
    ++out_.joined;
  } else if (down_in(start, start + kLate) > minutes(3)) {
    --out_.meetings;
    ++out_.excused;
  } else {
    wrong("missed " + named(which.first, which.second, start, link));
  }
}

void Watch::joins(const std::string& meeting, std::size_t link, Instant planned, bool first_attempt) {
  for (const auto& [other, there] : here_) {
    if (there == link && other != meeting)
      wrong("two bots in " + url_of(link) + ": " + meeting + " comes while " + other + " is there");
  }
  for (const Visit& v : visits_[link]) {
    if (v.meeting != meeting && v.planned == planned)
      wrong("a second bot for " + url_of(link) + " at " + format_rfc3339(planned));
  }
  const auto closed = closed_.find(meeting);
  if (first_attempt && closed != closed_.end() && closed->second == planned)
    wrong("went back to " + url_of(link) + " after its end");
  here_[meeting] = link;
  visits_[link].push_back({meeting, world_.now(), planned});
}

void Watch::closed(const std::string& meeting) {
  const auto it = here_.find(meeting);
  if (it == here_.end()) return;
  const std::vector<Visit>& of = visits_[it->second];
  if (!of.empty()) closed_[meeting] = of.back().planned;
  here_.erase(it);
}

Duration Watch::down_in(Instant from, Instant to) const {
  Duration sum;
  for (const auto& [begin, end] : down_) {
    const Instant a = std::max(begin, from);
    const Instant b = std::min(end, to);
    if (b > a) sum = sum + (b - a);
  }
  return sum;
}

/// What lies days back needs no memory.
void Watch::forget() {
  const Instant old = world_.now() - hours(72);
  std::erase_if(sights_, [&](const auto& entry) {
    for (const auto& of : entry.second) {
      if (!of.empty() && of.back().start > old) return false;
    }
    return true;
  });
  std::erase_if(appointments_, [&](const auto& a) { return std::get<1>(a) < old; });
  for (auto& [link, visits] : visits_) std::erase_if(visits, [&](const Visit& v) { return v.at < old; });
  std::erase_if(visits_, [](const auto& v) { return v.second.empty(); });
  std::erase_if(closed_, [&](const auto& c) { return c.second < old; });
  std::erase_if(down_, [&](const auto& d) { return d.second < old; });
}

}  // namespace hansard::sim
