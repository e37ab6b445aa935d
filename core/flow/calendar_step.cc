#include <algorithm>
#include <utility>

#include "core/base/prng.h"
#include "core/flow/step.h"

namespace hansard::flow {
namespace {

constexpr const char* kScan = "scan";
constexpr Duration kFirstRetry = seconds(30);
constexpr int kMaxBackoffDoublings = 6;

/// One event's work on one calendar source.
class CalendarStep {
 public:
  CalendarStep(CalendarState& state, Instant now) : s_(state), now_(now) {}

  Batch run(const Event& event) {
    if (const auto* e = std::get_if<CalendarConfigured>(&event)) configured(*e);
    if (const auto* e = std::get_if<CalendarFetched>(&event)) fetched(*e);
    if (const auto* e = std::get_if<CalendarFailed>(&event)) failed(*e);
    if (std::holds_alternative<ScanRequested>(event) || std::holds_alternative<HostStarted>(event)) s_.timers[kScan] = now_;
    if (const auto* e = std::get_if<TimerFired>(&event)) timer(*e);
    return std::move(out_);
  }

 private:
  void configured(const CalendarConfigured& e) {
    s_.source = e.source;
    s_.settings = e.settings;
    if (s_.seed == 0) s_.seed = e.seed;
    s_.timers[kScan] = now_;
  }

  void timer(const TimerFired& e) {
    const auto it = s_.timers.find(e.name);
    if (it == s_.timers.end() || it->second > now_) return;
    // Armed again before anything can go wrong, so that a scan without an answer is not the last one.
    Prng prng(s_.seed);
    s_.timers[kScan] = now_ + s_.source.interval + Duration{prng.between(0, s_.source.interval.ms / 20)};
    s_.seed = prng.next();
    out_.effects.push_back(FetchCalendar{s_.source, now_, now_ + s_.source.look_ahead});
  }

  void failed(const CalendarFailed& e) {
    const Duration backoff{kFirstRetry.ms << std::min(s_.failures, kMaxBackoffDoublings)};
    ++s_.failures;
    s_.timers[kScan] = now_ + std::max(std::min(backoff, s_.source.interval), e.retry_after);
    if (!std::exchange(s_.failing, true)) record("failing", e.detail);
  }

  void fetched(const CalendarFetched& e) {
    s_.failures = 0;
    const std::size_t before = wanted();
    for (const SeenOccurrence& o : e.occurrences) see(o);
    forget(e);
    if (std::exchange(s_.failing, false) || wanted() != before) record("ok", {});
  }

  void see(const SeenOccurrence& o) {
    KnownOccurrence* known = find(o.key);
    const std::string reason = o.cancelled               ? "cancelled"
                               : o.declined              ? "declined"
                               : o.spec.platform.empty() ? "no meeting link"
                                                         : "";
    if (known == nullptr) {
      s_.known.push_back({o.key, {}, reason, o.spec});
      known = &s_.known.back();
    } else if (known->meeting.empty() == !reason.empty() && known->spec == o.spec && known->reason == reason) {
      return;
    }
    const bool same_meeting = known->spec.platform == o.spec.platform && known->spec.meeting_key == o.spec.meeting_key;
    if (!known->meeting.empty() && (!reason.empty() || !same_meeting)) {
      tell(known->meeting, MeetingGone{s_.source.id, reason.empty() ? "relinked" : reason});
      known->meeting.clear();
    }
    known->reason = reason;
    known->spec = o.spec;
    if (!reason.empty()) return;
    if (known->meeting.empty()) known->meeting = meeting_id(o.spec.platform, o.spec.meeting_key, o.original_start);
    Prng prng(s_.seed);
    const std::uint64_t seed = prng.next();
    s_.seed = prng.next();
    tell(known->meeting, MeetingSeen{known->meeting, o.spec, s_.settings, seed});
  }

  /// What the window should have shown and did not was taken out of the calendar; what has ended is nobody's business.
  void forget(const CalendarFetched& e) {
    std::vector<KnownOccurrence> kept;
    for (KnownOccurrence& k : s_.known) {
      const bool shown = std::any_of(e.occurrences.begin(), e.occurrences.end(), [&](const auto& o) { return o.key == k.key; });
      if (shown) {
        kept.push_back(std::move(k));
      } else if (k.spec.end > e.from && !k.meeting.empty()) {
        tell(k.meeting, MeetingGone{s_.source.id, "removed"});
      }
    }
    s_.known = std::move(kept);
  }

  void tell(const std::string& meeting, Event event) { out_.effects.push_back(ToAggregate{meeting, std::move(event)}); }

  void record(std::string state, std::string detail) {
    out_.records.push_back(CalendarRecord{s_.source.id, std::move(state), std::move(detail), static_cast<int>(wanted())});
  }

  std::size_t wanted() const {
    return static_cast<std::size_t>(
        std::count_if(s_.known.begin(), s_.known.end(), [](const auto& k) { return !k.meeting.empty(); }));
  }

  KnownOccurrence* find(const std::string& key) {
    const auto it = std::find_if(s_.known.begin(), s_.known.end(), [&](const auto& k) { return k.key == key; });
    return it == s_.known.end() ? nullptr : &*it;
  }

  CalendarState& s_;
  const Instant now_;
  Batch out_;
};

}  // namespace

Batch step(CalendarState& state, const Event& event, Instant now) { return CalendarStep(state, now).run(event); }

}  // namespace hansard::flow
