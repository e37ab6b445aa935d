#include "sim/year_town.h"

#include <algorithm>

namespace hansard::sim {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kDayMinutes = 24 * 60;
constexpr std::array kRegions = {Region::kUtc, Region::kBerlin, Region::kBerlin, Region::kNewYork, Region::kKolkata};

bool workday(std::int64_t day) { return weekday_from_days(day) >= 1 && weekday_from_days(day) <= 5; }
std::uint64_t& count(YearCounts& counts, YearEvent e) { return counts[static_cast<std::size_t>(e)]; }

}  // namespace

Town::Town(World& world, const YearOptions& options, YearCounts& counts)
    : world_(world), options_(options), counts_(counts), rng_(options.seed * 2 + 1) {
  for (std::size_t p = 0; p < kPeople; ++p) {
    calendars_[p].owner = p;
    calendars_[p].rules = rules_of(p);
  }
}

void Town::begin(Instant start) {
  const std::int64_t first = start.ms / kDayMs;
  last_day_ = first + options_.days - 2;
  for (int s = 0; s < 7; ++s) add_series(first - rng_.between(0, 30));
  // Times that a change of the clocks leaves out or brings twice.
  for (const auto& [region, minute] : {std::pair(Region::kBerlin, 150), std::pair(Region::kNewYork, 90)}) {
    Item item = fresh();
    item.region = region;
    item.minute = minute;
    item.first_day = first + (7 - weekday_from_days(first)) % 7;
    item.every = 7;
    item.last_day = last_day_;
    item.people = 31;
    item.link = next_link_++;
    item.opted_out = false;
    add(item);
  }
  for (std::int64_t d = first; d < last_day_; ++d) world_.at(Instant{d * kDayMs}, [this, d] { day(d); });
}

void Town::day(std::int64_t day) {
  const auto some_time = [&] {
    return Instant{day * kDayMs} + Duration{rng_.between(5 * 60, 20 * 60) * 60'000 + rng_.between(0, 59'999)};
  };
  const bool work = workday(day);
  const std::int64_t singles = rng_.between(0, work ? 2 : 1);
  for (std::int64_t n = 0; n < singles; ++n) world_.at(some_time(), [this] { add_single(); });
  if (rng_.chance(work ? 25 : 8)) world_.at(some_time(), [this] { add_late(); });
  const std::int64_t changes = rng_.between(0, work ? 4 : 1);
  for (std::int64_t n = 0; n < changes; ++n) world_.at(some_time(), [this] { change(); });
  if (rng_.chance(6)) world_.at(some_time(), [this, day] { add_series(day + 1); });
}

std::string Town::title() {
  static constexpr std::array kTitles = {"Weekly",       "Design Review", "Lunch",           "Interview",
                                         "Lunch Review", "Planning",      "Quarterly review"};
  return kTitles[rng_.below(kTitles.size())];
}

Item Town::fresh() {
  Item item;
  item.uid = "event-" + std::to_string(next_uid_++) + "@calendar.example";
  item.title = title();
  item.region = kRegions[rng_.below(kRegions.size())];
  item.minute = rng_.between(32, 72) * 15;
  item.length = static_cast<int>(rng_.between(2, 6)) * 10;
  item.organizer = rng_.below(kPeople);
  item.people = static_cast<unsigned>(rng_.below(31) + 1) | 1u << item.organizer;
  if (rng_.chance(8)) item.people = 1u << item.organizer;
  item.external = rng_.chance(40);
  item.tagged = rng_.chance(12);
  item.opted_out = rng_.chance(6);
  item.numbered = rng_.chance(80);
  if (rng_.chance(92)) item.link = next_link_++;
  for (std::size_t p = 0; p < kPeople; ++p) {
    if (p == item.organizer || rng_.chance(60)) item.answers[p] = Answer::kAccepted;
  }
  return item;
}

void Town::add(Item item) {
  item.first = all_.items.size();
  all_.items.emplace_back(std::move(item));
  spread(all_.items.size() - 1);
}

void Town::add_single() {
  Item item = fresh();
  item.first_day = item.last_day = std::min(world_.now().ms / kDayMs + rng_.between(0, 10), last_day_);
  if (rng_.chance(10)) {
    item.region = rng_.chance(50) ? Region::kUtc : Region::kBerlin;
    item.minute = rng_.chance(50) ? 0 : 1436 + rng_.between(0, 3);
  }
  add(std::move(item));
}

void Town::add_late() {
  Item item = fresh();
  item.region = Region::kUtc;
  const std::int64_t minute = world_.now().ms / 60'000 + rng_.between(3, 45);
  item.first_day = item.last_day = minute / kDayMinutes;
  item.minute = minute % kDayMinutes;
  ++count(counts_, YearEvent::kAddedLate);
  add(std::move(item));
}

void Town::add_series(std::int64_t first_day) {
  Item item = fresh();
  while (!workday(first_day)) ++first_day;
  item.first_day = first_day;
  const std::int64_t kind = rng_.between(0, 9);
  item.every = kind < 6 ? 7 : kind < 9 ? 14 : 1;
  item.last_day = std::min(first_day + (item.every == 1 ? rng_.between(10, 30) : rng_.between(40, 150)), last_day_);
  if (item.last_day <= first_day) return;
  // UNTIL names an occurrence.
  while (!item.on(item.last_day)) --item.last_day;
  add(std::move(item));
}

/// Brings an item into a person's calendar as it is now; false when that changes nothing.
bool Town::copy(std::size_t person, std::size_t number) {
  const Item& item = *all_.items[number];
  auto& items = calendars_[person].items;
  if (items.size() <= number) items.resize(number + 1);
  const bool was = items[number].has_value();
  items[number] = (item.people >> person & 1) != 0 ? std::optional(item) : std::nullopt;
  return was || items[number].has_value();
}

/// Tells everybody's calendar, each a little later than the other.
void Town::spread(std::size_t number, std::optional<std::size_t> also) {
  for (std::size_t p = 0; p < kPeople; ++p) {
    const Duration lag{rng_.chance(85) ? rng_.between(0, 30'000) : rng_.between(30'000, 600'000)};
    const bool push = rng_.chance(60);
    const Duration push_lag{rng_.between(1000, 20'000)};
    world_.after(lag, [this, p, number, also, push, push_lag] {
      const bool changed = copy(p, number);
      const bool also_changed = also && copy(p, *also);
      if (!changed && !also_changed) return;
      ++calendars_[p].version;
      if (!push) return;
      world_.after(push_lag, [this, p] {
        if (on_push) on_push(p);
      });
    });
  }
}

void Town::change() {
  static constexpr std::array kKinds = {
      YearEvent::kMoved,     YearEvent::kMoved,    YearEvent::kMoved,     YearEvent::kMoved,      YearEvent::kCancelled,
      YearEvent::kRenamed,   YearEvent::kRelinked, YearEvent::kRelinked,  YearEvent::kDeclined,   YearEvent::kDeclined,
      YearEvent::kRecreated, YearEvent::kRemoved,  YearEvent::kUninvited, YearEvent::kSeriesMoved};
  const bool soon = rng_.chance(60);
  const std::vector<Happening> next = truth(world_.now() + minutes(1), world_.now() + (soon ? hours(4) : hours(60)));
  const YearEvent kind = kKinds[rng_.below(kKinds.size())];
  const std::uint64_t pick = rng_.next();
  if (next.empty()) return;
  const Happening& h = next[pick % next.size()];
  Item& item = *all_.items[h.item];
  world_.log("change: " + std::string(enum_name(kind)) + " " + h.key + " of " + format_rfc3339(h.start));
  if (kind == YearEvent::kRecreated) {
    ++count(counts_, kind);
    return recreate(h.item);
  } else if (kind == YearEvent::kMoved) {
    if (!move(item, h)) return;
  } else if (kind == YearEvent::kSeriesMoved || kind == YearEvent::kUninvited || item.every == 0 || rng_.chance(15)) {
    if (kind == YearEvent::kSeriesMoved && item.every == 0) return;
    change_item(item, kind);
  } else {
    change_instance(item, h, kind);
  }
  ++count(counts_, kind);
  spread(h.item);
}

void Town::change_item(Item& item, YearEvent kind) {
  ++item.sequence;
  const std::size_t person = rng_.below(kPeople);
  switch (kind) {
    case YearEvent::kCancelled: item.cancelled = true; return;
    case YearEvent::kRemoved: item.removed = true; return;
    case YearEvent::kRenamed: item.title = title(); return;
    case YearEvent::kRelinked: item.link = next_link_++; return;
    case YearEvent::kDeclined:
      if (person != item.organizer)
        item.answers[person] = item.answers[person] == Answer::kDeclined ? Answer::kAccepted : Answer::kDeclined;
      return;
    case YearEvent::kUninvited:
      if (person != item.organizer) item.people ^= 1u << person;
      return;
    case YearEvent::kSeriesMoved:
      // As calendar programs do: the changes of single instances go.
      item.minute = std::clamp<std::int64_t>(item.minute + rng_.between(-8, 8) * 15, 15, 1410);
      item.instances.clear();
      return;
    default: return;
  }
}

void Town::change_instance(Item& item, const Happening& h, YearEvent kind) {
  Instance& instance = item.instances[h.day];
  instance.sequence = std::max(item.sequence, instance.sequence) + 1;
  switch (kind) {
    case YearEvent::kCancelled: instance.cancelled = true; return;
    case YearEvent::kRemoved: instance.excluded = true; return;
    case YearEvent::kRenamed: instance.title = title(); return;
    case YearEvent::kRelinked: instance.link = next_link_++; return;
    case YearEvent::kDeclined: {
      const std::size_t person = rng_.below(kPeople);
      if (person != item.organizer) instance.declined ^= 1u << person;
      return;
    }
    default: return;
  }
}

/// To another time, at most 20 hours (of a series of workdays 8) from where it was planned first.
bool Town::move(Item& item, const Happening& h) {
  const std::int64_t original = h.day * kDayMinutes + item.minute;
  const auto known = item.instances.find(h.day);
  const std::int64_t now_at = known != item.instances.end() && known->second.moved_to ? *known->second.moved_to : original;
  const std::int64_t to = now_at + (rng_.chance(50) ? 1 : -1) * rng_.between(1, 12) * 15;
  if (std::abs(to - original) > (item.every == 1 ? 480 : 1200)) return false;
  if (to_utc(item.region, to) < world_.now() + minutes(3) || to / kDayMinutes > last_day_) return false;
  Instance& instance = item.instances[h.day];
  instance.sequence = std::max(item.sequence, instance.sequence) + 1;
  instance.moved_to = to;
  return true;
}

void Town::recreate(std::size_t number) {
  Item again = *all_.items[number];
  all_.items[number]->removed = true;
  again.uid = "event-" + std::to_string(next_uid_++) + "@calendar.example";
  all_.items.emplace_back(std::move(again));
  // Each calendar at its own moment, and there both at once, or first the one and then the other.
  if (rng_.chance(50)) return spread(number, all_.items.size() - 1);
  spread(number);
  spread(all_.items.size() - 1);
}

std::vector<Happening> Town::truth(Instant from, Instant to) const {
  std::vector<Happening> out = all_.window(from, to);
  std::erase_if(out, [](const Happening& h) { return h.reason == "cancelled"; });
  return out;
}

}  // namespace hansard::sim
