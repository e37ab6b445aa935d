#include "core/calendar/vtimezone.h"

#include <algorithm>

namespace hansard::calendar {
namespace {

constexpr std::size_t kMaxOnsets = 5'000;
constexpr WallSeconds kHorizon = 84'006LL * kDaySeconds;  // 2200-01-01
/// Exchange begins its rules in 1601, others in the year 1: what lies before 1900 is of no use to anybody.
constexpr WallSeconds kOldest = -25'567LL * kDaySeconds;  // 1900-01-01

void add_onsets(const Observance& o, std::vector<Transition>& out, WorkBudget& budget) {
  const std::int32_t from = *o.offset_from;
  const std::size_t limit = out.size() + kMaxOnsets;
  const auto add = [&](WallSeconds wall) { out.push_back({wall - from, *o.offset_to}); };
  add(o.start->wall);
  for (const RRule& rule : o.rules) {
    RecurrenceIterator it(rule, o.start->wall, kHorizon, budget);
    it.seek(kOldest);
    while (const auto wall = it.next()) {
      // UNTIL is in UTC here; the onset is read with the offset before it.
      if (rule.until && rule.until->form == TimeForm::kUtc && *wall - from > rule.until->wall) break;
      if (out.size() >= limit) break;
      add(*wall);
    }
  }
  for (const CalTime& date : o.rdates) {
    if (out.size() >= limit) break;
    add(date.form == TimeForm::kUtc ? date.wall + from : date.wall);
  }
}

}  // namespace

std::optional<TimeZone> build_zone(const std::vector<Observance>& observances, WorkBudget& budget) {
  std::vector<Transition> transitions;
  const Observance* first = nullptr;
  for (const Observance& o : observances) {
    if (!o.start || !o.offset_to) continue;
    Observance usable = o;
    if (!usable.offset_from) usable.offset_from = usable.offset_to;
    add_onsets(usable, transitions, budget);
    if (first == nullptr || o.start->wall < first->start->wall) first = &o;
  }
  if (first == nullptr) return std::nullopt;
  std::sort(transitions.begin(), transitions.end(),
            [](const Transition& a, const Transition& b) { return a.at != b.at ? a.at < b.at : a.offset < b.offset; });
  const auto same = [](const Transition& a, const Transition& b) { return a.at == b.at && a.offset == b.offset; };
  transitions.erase(std::unique(transitions.begin(), transitions.end(), same), transitions.end());
  return TimeZone(std::move(transitions), first->offset_from.value_or(*first->offset_to));
}

}  // namespace hansard::calendar
