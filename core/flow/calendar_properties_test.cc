// Laws of the reconciliation, with generated calendars that change between scans: afterwards everything that the last scan
// showed is known and nothing else, and each meeting has been told of each change exactly once.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "core/flow/step.h"

namespace hansard::flow {
namespace {

constexpr Instant kNow{1'780'000'000'000};

/// A calendar of a few entries that a generated command changes.
struct Entry {
  std::string uid;
  Instant start;
  int room = 0;  ///< 0: no link
  int title = 0;
  bool cancelled = false;
  calendar::Response response = calendar::Response::kAccepted;
};

SeenOccurrence seen(const Entry& e) {
  SeenOccurrence o;
  o.key = o.identity = e.uid;
  o.original_start = e.start;
  o.cancelled = e.cancelled;
  o.facts.response = e.response;
  o.spec.title = "Title " + std::to_string(e.title);
  o.spec.start = e.start;
  o.spec.end = e.start + minutes(30);
  o.spec.source = "work";
  if (e.room > 0) {
    o.spec.platform = "generic";
    o.spec.meeting_key = o.spec.url = "http://h/rooms/" + std::to_string(e.room);
  }
  return o;
}

Entry generated_entry(int n) {
  // Everything begins after the last scan: what has begun may be kept although it is not shown.
  return {"uid" + std::to_string(n),
          kNow + minutes(600 + 30 * *rc::gen::inRange(0, 5)),
          *rc::gen::inRange(0, 4),
          *rc::gen::inRange(0, 3),
          *rc::gen::inRange(0, 5) == 0,
          *rc::gen::element(calendar::Response::kAccepted, calendar::Response::kTentative, calendar::Response::kDeclined)};
}

/// What the meetings have been told: the spec of each that is wanted.
struct World {
  std::map<std::string, MeetingSpec> wanted;
  void hear(const Batch& batch) {
    for (const auto& effect : batch.effects) {
      const auto* to = std::get_if<ToAggregate>(&effect);
      if (to == nullptr) continue;
      if (const auto* s = std::get_if<MeetingSeen>(&to->event)) {
        const auto it = wanted.find(to->aggregate);
        // Nothing is said twice. RC_ASSERT itself looks at both sides of a ||.
        const bool news = it == wanted.end() || it->second != s->spec;
        RC_ASSERT(news);
        wanted[to->aggregate] = s->spec;
      } else {
        RC_ASSERT(wanted.erase(to->aggregate) == 1u);  // only who was wanted can be gone
      }
    }
  }
};

RC_GTEST_PROP(Reconcile, KnownIsTheLastScanAndEveryChangeIsToldOnce, ()) {
  CalendarState state;
  World world;
  CalendarSource source;
  source.id = "work";
  world.hear(step(state, CalendarConfigured{source, {}, 5}, kNow));
  std::map<std::string, Entry> calendar;
  std::map<std::string, Entry> scanned;
  Instant now = kNow;
  const int commands = *rc::gen::inRange(1, 60);
  for (int i = 0; i < commands; ++i) {
    now = now + minutes(5);
    const int n = *rc::gen::inRange(0, 6);
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1: {
        const Entry e = generated_entry(n);
        calendar[e.uid] = e;  // new, moved, renamed, relinked, cancelled or answered
        break;
      }
      case 2: calendar.erase("uid" + std::to_string(n)); break;
      case 3: world.hear(step(state, CalendarFailed{"down", {}, *rc::gen::arbitrary<bool>()}, now)); break;
      case 4:
        source.attend.accepted = *rc::gen::arbitrary<bool>();
        source.attend.exclude = *rc::gen::arbitrary<bool>() ? std::vector<std::string>{"title 1"} : std::vector<std::string>{};
        world.hear(step(state, CalendarConfigured{source, {}, 5}, now));
        break;
      default: {
        scanned = calendar;
        CalendarFetched fetched{now, now + hours(24), {}, {}};
        for (const auto& [uid, e] : calendar) fetched.occurrences.push_back(seen(e));
        world.hear(step(state, fetched, now));
        RC_ASSERT(step(state, fetched, now).effects.empty());  // the same again says nothing
      }
    }
    // Known is what the last scan showed, decided by the rules of now.
    RC_ASSERT(state.known.size() == scanned.size());
    std::map<std::string, MeetingSpec> expected;
    for (const KnownOccurrence& k : state.known) {
      const SeenOccurrence& shown = k;
      RC_ASSERT(shown == seen(scanned.at(k.key)));
      const auto reason = calendar::decide({.title = k.spec.title,
                                            .cancelled = k.cancelled,
                                            .over = false,
                                            .all_day = false,
                                            .link = !k.spec.platform.empty(),
                                            .facts = k.facts},
                                           source.attend);
      RC_ASSERT(k.reason == enum_name(reason));
      RC_ASSERT(k.meeting.empty() != calendar::attends(reason));
      if (!k.meeting.empty()) expected.emplace(k.meeting, k.spec);
    }
    RC_ASSERT(world.wanted == expected);
  }
}

}  // namespace
}  // namespace hansard::flow
