#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "core/base/prng.h"
#include "core/flow/step.h"

namespace hansard::flow {
namespace {

using calendar::AttendReason;

constexpr const char* kScan = "scan";
constexpr Duration kFirstRetry = seconds(30);
constexpr int kMaxBackoffDoublings = 6;
constexpr std::size_t kMaxNotes = 11;
/// An event without length is over this long after its start.
constexpr Duration kPointLength = minutes(15);

bool over(const MeetingSpec& spec, Instant now) {
  return spec.end > spec.start ? spec.end <= now : spec.start + kPointLength <= now;
}

bool by_key(const SeenOccurrence& a, const SeenOccurrence& b) { return a.key < b.key; }

/// One event's work on one calendar source. What it shows is kept as `known`, sorted by key; what meetings have been told
/// is always what told() derives from `known`, so a change is told by comparing that before and after.
class CalendarStep {
 public:
  CalendarStep(CalendarState& state, Instant now) : s_(state), now_(now) {}

  Batch run(const Event& event) {
    if (const auto* e = std::get_if<CalendarConfigured>(&event)) configured(*e);
    if (s_.removed()) return std::move(out_);  // an answer that comes too late
    if (const auto* e = std::get_if<CalendarFetched>(&event)) fetched(*e);
    if (const auto* e = std::get_if<CalendarFailed>(&event)) failed(*e);
    if (std::holds_alternative<ScanRequested>(event)) s_.timers[kScan] = now_;
    if (std::holds_alternative<HostStarted>(event) && s_.state != "reconnect") s_.timers[kScan] = now_;
    if (std::holds_alternative<CalendarRemoved>(event)) removed();
    if (const auto* e = std::get_if<TimerFired>(&event)) timer(*e);
    if (const auto* e = std::get_if<ClockMoved>(&event)) clock_moved(*e);
    return std::move(out_);
  }

 private:
  using Known = std::vector<KnownOccurrence>;
  /// Meeting -> the occurrence that speaks for it: of several with the same meeting (a copy in the same calendar) the first
  /// by key.
  using Told = std::map<std::string_view, const KnownOccurrence*>;

  /// The window has moved with the clock: look again soon, but do not make the wait longer.
  void clock_moved(const ClockMoved& e) {
    const auto it = s_.timers.find(kScan);
    if (it != s_.timers.end()) it->second = e.by.ms > 0 ? it->second : std::max(now_, it->second + e.by);
  }

  void configured(const CalendarConfigured& e) {
    if (s_.removed()) s_.state.clear();
    s_.source = e.source;
    s_.settings = e.settings;
    if (s_.seed == 0) s_.seed = e.seed;
    s_.timers[kScan] = now_;
    // New rules apply to what is known, not only to the next scan.
    Known next = s_.known;
    for (KnownOccurrence& k : next) decide(k);
    replace(std::move(next), now_);
  }

  void timer(const TimerFired& e) {
    const auto it = s_.timers.find(e.name);
    if (it == s_.timers.end() || it->second > now_) return;
    if (s_.state == "reconnect") {
      s_.timers.erase(it);  // this one was asked for; there is no next one until somebody has connected again
    } else {
      // Armed again before anything can go wrong, so that a scan without an answer is not the last one.
      Prng prng(s_.seed);
      it->second = now_ + s_.source.interval + Duration{prng.between(0, s_.source.interval.ms / 20)};
      s_.seed = prng.next();
    }
    out_.effects.push_back(FetchCalendar{s_.source, now_, now_ + s_.source.look_ahead});
  }

  void failed(const CalendarFailed& e) {
    ++s_.scans;
    const Duration backoff{kFirstRetry.ms << std::min(s_.failures, kMaxBackoffDoublings)};
    ++s_.failures;
    if (e.reconnect) {
      s_.timers.erase(kScan);
    } else {
      s_.timers[kScan] = now_ + std::max(std::min(backoff, s_.source.interval), e.retry_after);
    }
    s_.detail = e.detail;
    if (e.reconnect && e.detail.find("hansard calendar connect") == std::string::npos) {
      s_.detail += ": connect it again with `hansard calendar connect " + s_.source.kind + " --id " + s_.source.id + "`";
    }
    const std::string state = e.reconnect ? "reconnect" : "failing";
    if (std::exchange(s_.state, state) != state) record();
  }

  void removed() {
    replace({}, now_, "calendar removed");
    s_.timers.clear();
    s_.notes.clear();
    s_.detail.clear();
    s_.state = "removed";
    record();
  }

  void fetched(const CalendarFetched& e) {
    ++s_.scans;
    s_.failures = 0;
    s_.last_success = now_;
    s_.detail.clear();
    const std::size_t before = wanted();
    std::vector<std::string> notes(e.notes.begin(),
                                   e.notes.begin() + static_cast<std::ptrdiff_t>(std::min(e.notes.size(), kMaxNotes - 1)));
    replace(merged(e, notes), e.from);
    const bool noted = notes != s_.notes;
    s_.notes = std::move(notes);
    s_.timers.try_emplace(kScan, now_ + s_.source.interval);  // none was set while it could not be read
    if (std::exchange(s_.state, "ok") != "ok" || wanted() != before || noted) record();
  }

  /// What is known after a scan: what it shows, and what it cannot speak of.
  Known merged(const CalendarFetched& e, std::vector<std::string>& notes) {
    Known shown;
    shown.reserve(e.occurrences.size());
    for (const SeenOccurrence& o : e.occurrences) {
      KnownOccurrence k;
      static_cast<SeenOccurrence&>(k) = o;
      k.spec.source = s_.source.id;
      shown.push_back(std::move(k));
    }
    limit(shown, notes);
    std::stable_sort(shown.begin(), shown.end(), by_key);
    shown.erase(std::unique(shown.begin(), shown.end(), [](const auto& a, const auto& b) { return a.key == b.key; }),
                shown.end());
    adopt_ids(shown);
    for (KnownOccurrence& k : shown) decide(k);
    share_ids(shown);

    Known silent;  // not shown, and kept
    std::set_difference(s_.known.begin(), s_.known.end(), shown.begin(), shown.end(), std::back_inserter(silent), by_key);
    std::erase_if(silent, [&](const KnownOccurrence& k) { return !beyond(k, e); });
    Known out;
    out.reserve(shown.size() + silent.size());
    std::merge(std::make_move_iterator(shown.begin()), std::make_move_iterator(shown.end()),
               std::make_move_iterator(silent.begin()), std::make_move_iterator(silent.end()), std::back_inserter(out), by_key);
    return out;
  }

  /// True when a scan that does not show `k` does not mean that it is gone: it begins after the window (a shorter look-ahead),
  /// or it has begun and is not over. Many servers stop showing what has begun; a bot that is there stays until the end.
  bool beyond(const KnownOccurrence& k, const CalendarFetched& e) const {
    if (k.spec.start >= e.to) return true;
    return k.spec.start <= e.from && k.spec.end > e.from && !k.meeting.empty();
  }

  void limit(Known& shown, std::vector<std::string>& notes) const {
    if (shown.size() <= kMaxKnown) return;
    const std::size_t rest = shown.size() - kMaxKnown;
    std::nth_element(shown.begin(), shown.begin() + kMaxKnown, shown.end(),
                     [](const auto& a, const auto& b) { return std::tie(a.spec.start, a.key) < std::tie(b.spec.start, b.key); });
    shown.resize(kMaxKnown);
    notes.push_back(std::to_string(rest) + " later occurrences are not followed yet: one calendar may show " +
                    std::to_string(kMaxKnown) + " at a time; a shorter look_ahead shows fewer");
  }

  /// Where and when: platform, its key, start.
  using Place = std::tuple<std::string_view, std::string_view, Instant>;
  static Place place(const KnownOccurrence& k) { return {k.spec.platform, k.spec.meeting_key, k.spec.start}; }

  /// A meeting keeps its id while the calendar shows it, wherever it is moved. An occurrence with a new key at the place
  /// of one that vanished (made again, or turned into a series) is the same meeting too.
  void adopt_ids(Known& shown) const {
    std::map<Place, const KnownOccurrence*> vanished;
    auto known = s_.known.begin();
    const auto pass_over = [&] {
      if (!known->meeting.empty()) vanished.emplace(place(*known), &*known);
      ++known;
    };
    for (KnownOccurrence& k : shown) {
      while (known != s_.known.end() && known->key < k.key) pass_over();
      if (known == s_.known.end() || known->key != k.key) continue;
      const bool same = known->spec.platform == k.spec.platform && known->spec.meeting_key == k.spec.meeting_key;
      if (same) k.meeting = known->meeting;
      ++known;
    }
    while (known != s_.known.end()) pass_over();
    if (vanished.empty()) return;
    for (KnownOccurrence& k : shown) {
      if (!k.meeting.empty() || is_known(k.key)) continue;
      const auto it = vanished.find(place(k));
      if (it == vanished.end()) continue;
      k.meeting = it->second->meeting;
      vanished.erase(it);
    }
  }

  /// Copies of an event with the same link and start are one meeting; when one of them moves away, it is one of its own.
  void share_ids(Known& shown) const {
    std::map<std::string, Place> first;
    for (KnownOccurrence& k : shown) {
      if (k.meeting.empty()) continue;
      const auto [it, fresh] = first.emplace(k.meeting, place(k));
      if (!fresh && it->second != place(k)) k.meeting = meeting_id(k);
    }
    std::map<Place, std::string> ids;
    for (const bool old : {true, false}) {  // an id that was told goes before a new one
      for (KnownOccurrence& k : shown) {
        if (!k.meeting.empty() && is_known(k.key) == old) k.meeting = ids.emplace(place(k), k.meeting).first->second;
      }
    }
  }

  bool is_known(const std::string& key) const {
    const auto it =
        std::lower_bound(s_.known.begin(), s_.known.end(), key, [](const auto& k, const auto& t) { return k.key < t; });
    return it != s_.known.end() && it->key == key;
  }

  /// Sets reason and meeting. A meeting that is attended already keeps its id.
  void decide(KnownOccurrence& k) const {
    // A meeting that is attended is not left because its planned end has come.
    const bool late = k.meeting.empty() && over(k.spec, now_);
    const AttendReason reason = calendar::decide({.title = k.spec.title,
                                                  .cancelled = k.cancelled,
                                                  .over = late,
                                                  .all_day = k.all_day,
                                                  .link = !k.spec.platform.empty(),
                                                  .facts = k.facts},
                                                 s_.source.attend);
    k.reason = enum_name(reason);
    if (!calendar::attends(reason)) {
      k.meeting.clear();
    } else if (k.meeting.empty()) {
      k.meeting = meeting_id(k);
    }
  }

  static Told told(const Known& known) {
    Told out;
    for (const KnownOccurrence& k : known) {
      if (!k.meeting.empty()) out.emplace(k.meeting, &k);
    }
    return out;
  }

  /// Makes `next` what is known and tells each meeting what that changes for it: first who is gone, then who is new or
  /// different. What was over at `from` is nobody's business any more.
  void replace(Known next, Instant from, const char* why = nullptr) {
    const Known old = std::exchange(s_.known, std::move(next));
    const Told before = told(old);
    const Told after = told(s_.known);
    for (const auto& [meeting, k] : before) {
      if (after.contains(meeting) || (k->spec.end <= from && why == nullptr)) continue;
      tell(meeting, MeetingGone{s_.source.id, why != nullptr ? why : gone_reason(*k)});
    }
    for (const auto& [meeting, k] : after) {
      const auto it = before.find(meeting);
      if (it != before.end() && it->second->spec == k->spec) continue;
      Prng prng(s_.seed);
      const std::uint64_t seed = prng.next();
      s_.seed = prng.next();
      tell(meeting, MeetingSeen{std::string(meeting), k->spec, s_.settings, seed});
    }
  }

  /// Why the meeting of `before` is not wanted any more, now that `known` is new.
  std::string gone_reason(const KnownOccurrence& before) const {
    const auto it = std::lower_bound(s_.known.begin(), s_.known.end(), before, by_key);
    if (it == s_.known.end() || it->key != before.key) return "removed";
    return it->meeting.empty() ? it->reason : "relinked";
  }

  void tell(std::string_view meeting, Event event) {
    out_.effects.push_back(ToAggregate{std::string(meeting), std::move(event)});
  }

  void record() {
    std::string detail = s_.detail;
    for (const std::string& note : s_.notes) detail += (detail.empty() ? "" : "; ") + note;
    out_.records.push_back(CalendarRecord{s_.source.id, s_.state, std::move(detail), static_cast<int>(wanted())});
  }

  std::size_t wanted() const {
    return static_cast<std::size_t>(
        std::count_if(s_.known.begin(), s_.known.end(), [](const auto& k) { return !k.meeting.empty(); }));
  }

  CalendarState& s_;
  const Instant now_;
  Batch out_;
};

}  // namespace

Batch step(CalendarState& state, const Event& event, Instant now) { return CalendarStep(state, now).run(event); }

}  // namespace hansard::flow
