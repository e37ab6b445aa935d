#include "sim/scenario.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/base/prng.h"

namespace hansard::sim {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
/// In each of the first four meetings of a day so much is said that 200 finals are left whatever fails; what a person does to a
/// meeting (stop, pause, cancel, not let in) befalls the others.
constexpr std::int64_t kLively = 4;
constexpr std::int64_t kSpeeches = 310;
constexpr std::int64_t kFewSpeeches = 60;
constexpr Instant kFirstDay{1'741'046'400'000};  // 2025-03-04T00:00:00Z

constexpr std::array kSentences = {"I will send the report to the customer by Friday.",
                                   "Good morning everybody, can you hear me well?",
                                   "We decided to move the launch to March.",
                                   "Could you please check the numbers again before Monday?",
                                   "The build was slow yesterday but it is fine now.",
                                   "Yes.",
                                   "I agree with that.",
                                   "So the decision is that we keep the old supplier for now.",
                                   "Let me share what I found in the logs.",
                                   "Anna, please write the minutes and send them to all.",
                                   "There were three complaints last week, all about the same screen.",
                                   "I think we should not change it today.",
                                   "What about the budget for the quokkafjord workshop?",
                                   "I'll book the room for the quokkafjord workshop tomorrow.",
                                   "Okay, next point.",
                                   "The tests run for an hour and nobody looks at them."};

class Maker {
 public:
  Maker(std::uint64_t seed, int days) : rng_(seed), days_(days) {
    out_.start = kFirstDay + hours(6) + Duration{static_cast<std::int64_t>(rng_.below(300)) * kDayMs};
  }

  Scenario make() {
    out_.sinks = !rng_.chance(10);
    out_.person = rng_.chance(50);
    for (int day = 0; day < days_; ++day) {
      const std::int64_t meetings = kLively + rng_.between(1, 2);
      Instant at = out_.start + Duration{day * kDayMs} + hours(2);
      const std::size_t first = out_.entries.size();
      for (std::int64_t m = 0; m < meetings; ++m) {
        at = at + Duration{rng_.between(5, 80) * 60'000};
        lively_ = m < kLively;
        meeting(at, Duration{rng_.between(8, 10) * 60'000});
      }
      const std::int64_t troubles = rng_.between(14, 22);
      for (std::int64_t t = 0; t < troubles; ++t) trouble(first, first + kLively);
      out_.faults_end = at + minutes(45);
    }
    for (const Trouble& t : out_.troubles) out_.faults_end = std::max(out_.faults_end, t.at + t.length);
    out_.end = out_.faults_end + hours(2);
    return std::move(out_);
  }

 private:
  Instant near(Instant t, std::int64_t before_ms, std::int64_t after_ms) {
    return t + Duration{rng_.between(-before_ms, after_ms)};
  }

  void meeting(Instant start, Duration length) {
    const std::string number = std::to_string(out_.entries.size() + 1);
    Entry entry{"event-" + number + "@calendar.example",
                "Meeting " + number + " on the quokkafjord",
                out_.rooms.size(),
                start,
                start + length,
                false,
                false};
    out_.rooms.push_back(room("room-" + number, entry));
    change(entry);
    out_.entries.push_back(entry);
  }

  Room room(const std::string& name, const Entry& e) {
    Room r{name, near(e.start, 90'000, -1000), near(e.end, 30'000, 60'000), Door::kOpen, {}, {}};
    if (!lively_ && rng_.chance(40)) r.opens = near(e.start, 0, 180'000);
    if (rng_.chance(20)) r.closes = e.end + hours(1);  // everybody leaves, the room stays
    if (rng_.chance(20)) {
      r.door = Door::kLobby;
      r.lobby = Duration{rng_.between(2000, lively_ ? 40'000 : 120'000)};
    } else if (!lively_ && rng_.chance(20)) {
      r.door = rng_.chance(50) ? Door::kLobbyForEver : Door::kDenies;
      r.lobby = Duration{rng_.between(1000, 20'000)};
      if (r.door == Door::kLobbyForEver) r.closes = e.start + minutes(40);
    }
    const std::int64_t people = rng_.between(2, 4);
    for (std::int64_t g = 0; g < people; ++g) r.guests.push_back(guest(g, people, r, e));
    if (rng_.chance(10)) {
      Guest other{"g9", "Other Notetaker", true, false, e.start, r.closes, {}};
      r.guests.push_back(other);
    }
    return r;
  }

  Guest guest(std::int64_t number, std::int64_t people, const Room& r, const Entry& e) {
    static constexpr std::array kNames = {"Anna", "Ben", "Chiara", "David"};
    Guest g;
    g.id = "g" + std::to_string(number);
    g.name = kNames[static_cast<std::size_t>(number)];
    g.discontinuous = rng_.chance(30);
    g.in = std::max(r.opens, near(e.start, 20'000, 40'000));
    g.out = std::min(r.closes, near(e.end, 20'000, 20'000));
    if (rng_.chance(15)) g.in = near(e.start, 0, 180'000);
    if (rng_.chance(15)) g.out = near(e.end, 150'000, 0);
    const std::int64_t turn = std::max<std::int64_t>((g.out - g.in).ms * people / (lively_ ? kSpeeches : kFewSpeeches), 2000);
    for (Instant t = g.in + Duration{rng_.between(1000, 5000)};;) {
      const Instant end = t + Duration{rng_.between(8, 24) * 100};
      if (end >= g.out) break;
      g.says.push_back({++speeches_, t, end, sentence()});
      t = end + Duration{rng_.between(400, std::max<std::int64_t>(500, 2 * (turn - 1600) - 400))};
    }
    return g;
  }

  /// Mostly what leads to nothing, as in real meetings.
  const char* sentence() {
    static constexpr std::array kPlain = {1u, 4u, 5u, 6u, 8u, 10u, 11u, 12u, 14u, 15u};
    return kSentences[rng_.chance(90) ? kPlain[rng_.below(kPlain.size())] : rng_.below(kSentences.size())];
  }

  /// What the calendar says before and after people change their minds; `entry` becomes what it says first.
  void change(Entry& entry) {
    const std::size_t index = out_.entries.size();
    const Entry last = entry;
    Room& r = out_.rooms.back();
    const auto early = [&] { return near(entry.start, 110 * 60'000, -20 * 60'000); };
    const auto edit = [&](Instant at, const Entry& to, Fault kind) {
      out_.edits.push_back({std::max(at, out_.start), index, to, kind});
    };
    const auto nobody_comes = [&] {
      r.guests.clear();
      r.opens = r.closes = entry.end;
    };
    Entry to = last;
    if (rng_.chance(15)) {
      entry.start = entry.start + Duration{rng_.between(15, 60) * 60'000};
      entry.end = entry.end + minutes(60);
      edit(near(last.start, 110 * 60'000, -20 * 60'000), last, Fault::kMeetingMoved);
    } else if (!lively_ && rng_.chance(30)) {
      to.cancelled = true;
      const bool during = rng_.chance(40);
      edit(during ? near(entry.start, 0, 240'000) : early(), to, Fault::kMeetingCancelled);
      if (!during) nobody_comes();
    } else if (rng_.chance(12)) {
      to.title = "Renamed quokkafjord";
      edit(near(entry.start, 3'600'000, 240'000), to, Fault::kMeetingRenamed);
    } else if (!lively_ && rng_.chance(20)) {
      to.removed = true;
      edit(early(), to, Fault::kMeetingRemoved);
      nobody_comes();
    } else if (rng_.chance(10)) {
      Room old{r.name + "-old", entry.end, entry.end, Door::kOpen, {}, {}};
      edit(early(), last, Fault::kMeetingRelinked);
      out_.rooms.push_back(old);
      entry.room = out_.rooms.size() - 1;
    }
  }

  /// Entries from `others` on are not lively ones.
  void trouble(std::size_t first_entry, std::size_t others) {
    static constexpr std::array kKinds = {Fault::kDaemonKilled,
                                          Fault::kDaemonKilled,
                                          Fault::kKilledBeforeCommit,
                                          Fault::kKilledAfterCommit,
                                          Fault::kKilledInRelease,
                                          Fault::kStoreUnavailable,
                                          Fault::kStoreFull,
                                          Fault::kStoreLoadFailed,
                                          Fault::kHttpUnreachable,
                                          Fault::kHttpServerError,
                                          Fault::kHttpRetryAfter,
                                          Fault::kHttpSlow,
                                          Fault::kFeedBroken,
                                          Fault::kNetworkLost,
                                          Fault::kNetworkLost,
                                          Fault::kMediaKilled,
                                          Fault::kMediaKilled,
                                          Fault::kPacketLoss,
                                          Fault::kPacketLoss,
                                          Fault::kMediaHangs,
                                          Fault::kRecognizerKilled,
                                          Fault::kRecognizerKilled,
                                          Fault::kRecognizerMissing,
                                          Fault::kRecognizerBusy,
                                          Fault::kSpoolFull,
                                          Fault::kSpoolNotRemoved,
                                          Fault::kMinutesFailed,
                                          Fault::kPauseRequested,
                                          Fault::kStopRequested,
                                          Fault::kSinkDown,
                                          Fault::kSinkAnswerLost,
                                          Fault::kSinkRequestLost,
                                          Fault::kSinkBusy,
                                          Fault::kSinkRefuses,
                                          Fault::kSinkSlow,
                                          Fault::kKilledWhileSending,
                                          Fault::kHttpNoName,
                                          Fault::kHttpReset,
                                          Fault::kHttpTruncated,
                                          Fault::kSpoolTorn,
                                          Fault::kSpoolReadFails,
                                          Fault::kClockForward,
                                          Fault::kClockBack,
                                          Fault::kSecondOwner,
                                          Fault::kClockSetWhileDown,
                                          Fault::kMachineRestarted,
                                          Fault::kClockSetOverRestart,
                                          Fault::kMachineSlow};
    Trouble t;
    t.kind = kKinds[rng_.below(kKinds.size())];
    if (t.kind == Fault::kStopRequested || t.kind == Fault::kPauseRequested) first_entry = others;
    std::size_t e = first_entry + rng_.below(out_.entries.size() - first_entry);
    // A third loss within minutes may use up the attempts to come back.
    const bool breaks = t.kind == Fault::kNetworkLost || t.kind == Fault::kMediaKilled || t.kind == Fault::kMediaHangs;
    if (breaks && e < others && ++breaks_[e] > 2) e = out_.entries.size() - 1;
    const bool lively = e < others;
    const Entry& entry = out_.entries[e];
    t.room = entry.room;
    const Room& r = out_.rooms[t.room];
    t.guest = r.guests.empty() ? 0 : rng_.below(r.guests.size());
    t.at = near(entry.start, 60'000, (entry.end - entry.start).ms + 60'000);
    switch (t.kind) {
      case Fault::kHttpUnreachable:
      case Fault::kHttpServerError:
      case Fault::kHttpRetryAfter:
      case Fault::kHttpSlow:
      case Fault::kFeedBroken:
      case Fault::kHttpNoName:
      case Fault::kHttpReset:
      case Fault::kHttpTruncated:
        t.at = near(entry.start, 20 * 60'000, 60'000);
        t.length = Duration{rng_.between(20'000, 240'000)};
        break;
      case Fault::kSinkDown:
      case Fault::kSinkAnswerLost:
      case Fault::kSinkRequestLost:
      case Fault::kSinkBusy:
      case Fault::kSinkRefuses:
      case Fault::kSinkSlow:
        // When the tasks of a meeting are on their way.
        t.at = near(r.closes, 30'000, 90'000);
        t.length = Duration{rng_.between(20'000, 420'000)};
        break;
      case Fault::kClockForward:
      case Fault::kClockBack:
      case Fault::kClockSetWhileDown:
      case Fault::kClockSetOverRestart: t.length = Duration{rng_.between(30'000, 300'000)}; break;
      case Fault::kSpoolReadFails: t.length = minutes(4); break;
      case Fault::kKilledWhileSending: t.at = near(r.closes, 60'000, 0); break;
      case Fault::kNetworkLost:
        t.length = Duration{!lively && rng_.chance(50) ? 180'000 : rng_.between(500, lively ? 12'000 : 40'000)};
        break;
      case Fault::kMediaHangs:
        t.at = near(entry.start, 20'000, 20'000);
        t.length = Duration{rng_.between(5000, 60'000)};
        break;
      case Fault::kPacketLoss: t.length = Duration{rng_.between(2, 150) * 100}; break;
      case Fault::kRecognizerMissing: t.length = Duration{rng_.between(30'000, 1'200'000)}; break;
      case Fault::kSpoolNotRemoved:
      case Fault::kMinutesFailed:
        t.at = near(r.closes, 60'000, 0);
        t.length = minutes(3);
        break;
      case Fault::kStoreLoadFailed:
        t.at = out_.start;  // when the first scan asks for meetings that the store does not know
        t.length = minutes(6);
        break;
      default: t.length = Duration{rng_.between(1000, 40'000)}; break;
    }
    out_.troubles.push_back(t);
  }

  Prng rng_;
  int days_;
  Scenario out_;
  std::int16_t speeches_ = 0;
  bool lively_ = true;
  std::map<std::size_t, int> breaks_;  ///< planned losses of the connection, by lively entry
};

}  // namespace

Scenario generate(std::uint64_t seed, int days) { return Maker(seed, days).make(); }

Scenario reference_scenario() {
  Scenario s;
  s.start = kFirstDay + hours(9);
  const Instant begin = s.start + minutes(12);
  const Instant end = begin + minutes(2);
  Room room{"reference", begin - seconds(5), end, Door::kLobby, seconds(3), {}};
  std::int16_t number = 0;
  for (int g = 0; g < 2; ++g) {
    Guest guest{"g" + std::to_string(g), g == 0 ? "Anna" : "Ben", false, g == 1, begin, end, {}};
    for (int i = 0; i < 5; ++i) {
      const Instant at = begin + Duration{8000 + i * 20'000 + g * 9000};
      ++number;
      guest.says.push_back(
          {number, at, at + Duration{3000 + i * 500}, kSentences[static_cast<std::size_t>(number) % kSentences.size()]});
    }
    room.guests.push_back(std::move(guest));
  }
  s.rooms.push_back(std::move(room));
  s.entries.push_back({"reference@calendar.example", "Reference", 0, begin, end, false, false});
  s.faults_end = end + minutes(5);
  s.end = s.faults_end + hours(2);
  return s;
}

}  // namespace hansard::sim
