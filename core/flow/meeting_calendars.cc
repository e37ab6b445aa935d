// What calendars say about one meeting, when several of them show it.
//
// The meeting is attended as long as one calendar wants it. When they disagree about its time or link: the higher SEQUENCE
// is the newer version (RFC 5546, 2.1.4). Without a difference there, the latest change counts: a calendar speaks only
// when what it shows has changed, so its word is news, while the first word of a calendar that comes later may be old (a
// feed that lags) and does not overrule what is known.
//
// One aggregate records once. An event that was held and is then moved to another time is followed by a meeting of its own,
// the successor; calendars go on to speak to the old id, which passes everything on. Two meetings that are at one place are
// the matter of meeting_places.cc.
#include <algorithm>

#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/flow/meeting_step.h"

namespace hansard::flow {
namespace {

/// Everything but whose word it is.
bool says_the_same(const MeetingSpec& a, MeetingSpec b) {
  b.source = a.source;
  b.sequence = a.sequence;
  return a == b;
}

bool is_moved(const MeetingSpec& a, const MeetingSpec& b) { return a.start != b.start; }
bool is_relinked(const MeetingSpec& a, const MeetingSpec& b) {
  return a.url != b.url || a.token != b.token || a.passcode != b.passcode;
}

}  // namespace

void MeetingStep::on(const MeetingSeen& e) {
  if (told_by_one_behind(e)) return;
  if (!s_.behind.empty()) return seen_behind(e);
  if (!s_.successor.empty()) {
    emit(ToAggregate{s_.successor, MeetingSeen{s_.successor, e.spec, e.settings, e.seed}});
    return;
  }
  if (s_.state == Phase::kNew) {
    s_.id = e.id;
    s_.spec = e.spec;
    s_.settings = e.settings;
    s_.seed = e.seed;
    s_.sources = {e.spec.source};
    s_.views = {e.spec};
    go(Trigger::kSeen);
    return;
  }
  const bool wanted = !s_.sources.empty();
  const bool news = keep_view(e.spec) && (!s_.spec.by_hand || e.spec.by_hand);
  const bool given_up = s_.cancelled && s_.origin.ms == 0 && (s_.state == Phase::kLeaving || s_.state == Phase::kCleaning);
  if (given_up && !wanted && e.spec.end > now_) {
    // Dropped a moment ago and wanted again: as soon as it is cleaned up.
    s_.spec = e.spec;
    s_.settings = e.settings;
    s_.again = true;
    return;
  }
  // Where nobody wanted it any more, each word counts.
  if (wanted && !news) return;
  if (s_.state == Phase::kDone) {
    if (is_moved(e.spec, s_.spec) && e.spec.start > now_) follow_on(e.spec, e.settings);
    return;
  }
  if (meeting::is_final(s_.state)) return revive(e, wanted);
  if (s_.state < Phase::kJoining) s_.settings = e.settings;
  adopt(e.spec);
}

/// Keeps what a calendar says; false when it does not overrule what is known.
bool MeetingStep::keep_view(const MeetingSpec& spec) {
  if (std::find(s_.sources.begin(), s_.sources.end(), spec.source) == s_.sources.end()) s_.sources.push_back(spec.source);
  const auto view = std::find_if(s_.views.begin(), s_.views.end(), [&](const auto& v) { return v.source == spec.source; });
  const bool first_word = view == s_.views.end();
  const bool changed = !first_word && !says_the_same(*view, spec);
  if (first_word) {
    s_.views.push_back(spec);
  } else {
    *view = spec;
  }
  if (spec.sequence != s_.spec.sequence && spec.sequence != 0) return spec.sequence > s_.spec.sequence;
  return changed || spec.source == s_.spec.source;
}

/// Takes over time, link and name.
void MeetingStep::adopt(const MeetingSpec& spec) {
  if (says_the_same(s_.spec, spec)) {
    s_.spec = spec;
    s_.next.reset();
    return;
  }
  const bool moved = is_moved(spec, s_.spec);
  const bool relinked = is_relinked(spec, s_.spec);
  if (meeting::wants_media(s_.state) && s_.origin.ms == 0 && (moved || relinked)) {
    // Not in yet, and it is elsewhere now: out of here, and then from the start again.
    s_.spec = spec;
    s_.cancelled = s_.again = true;
    go(Trigger::kLeave, moved ? "the meeting was moved" : "the meeting's link was changed");
    return;
  }
  if (s_.state >= Phase::kJoining) {
    const bool given_up = !held() && s_.state >= Phase::kLeaving && (moved || relinked);
    if (s_.again || given_up) {  // on its way out, to come in again where it is now
      s_.spec = spec;
      s_.cancelled = s_.again = true;
      return tell();
    }
    if (held() && spec.start >= std::max(s_.spec.end, now_)) {
      s_.next = spec;
      return;
    }
    s_.next.reset();
    // In the meeting only its name and its end still matter.
    s_.spec.title = spec.title;
    s_.spec.end = spec.end;
    s_.spec.sequence = spec.sequence;
    if (s_.timers.contains(timer::kEnd)) set(timer::kEnd, s_.spec.end + s_.settings.leave.grace);
    return tell();
  }
  s_.spec = spec;
  if (s_.state == Phase::kScheduled) {
    tell();
    return enter_scheduled();
  }
  if (moved || relinked) {
    go(Trigger::kRescheduled, moved ? "the meeting was moved" : "the meeting's link was changed");
  } else {
    tell();
  }
}

/// A meeting that is over for us is shown again. One that no calendar wanted any more is on again. One that failed, or that
/// a person stopped, is not tried again unless it is at another time or place.
void MeetingStep::revive(const MeetingSeen& e, bool wanted) {
  const bool changed = is_moved(e.spec, s_.spec) || is_relinked(e.spec, s_.spec);
  if (e.spec.end <= now_) return;
  if ((s_.state == Phase::kFailed || wanted) && !changed) return;
  s_.spec = e.spec;
  s_.settings = e.settings;
  start_over();
}

void MeetingStep::start_over() {
  s_.cancelled = s_.again = false;
  s_.code = FailureCode::kNone;
  s_.vendor_code.clear();
  s_.attempts = 0;
  s_.met = false;
  s_.participants.clear();
  go(Trigger::kRescheduled, "the meeting is on again");
}

/// Begins the successor, with all calendars that show it at its new time.
void MeetingStep::follow_on(const MeetingSpec& spec, const MeetingSettings& settings) {
  s_.next.reset();
  s_.successor = "m" + sha256_hex(s_.id + "\n" + std::to_string(spec.start.ms), 15);
  Prng prng(s_.seed);
  s_.seed = prng.next();
  const std::uint64_t seed = prng.next();
  emit(ToAggregate{s_.successor, MeetingSeen{s_.successor, spec, settings, seed}});
  for (const MeetingSpec& view : s_.views) {
    if (view.source != spec.source && view.start == spec.start) {
      emit(ToAggregate{s_.successor, MeetingSeen{s_.successor, view, settings, seed}});
    }
  }
}

void MeetingStep::on(const MeetingGone& e) {
  if (!s_.behind.empty()) return gone_behind(e);
  if (!s_.successor.empty() && !of_meeting(e.source)) return emit(ToAggregate{s_.successor, e});
  if (std::erase(s_.sources, e.source) == 0) return;
  std::erase_if(s_.views, [&](const MeetingSpec& v) { return v.source == e.source; });
  if (!s_.sources.empty()) return word_passed_on(e.source);
  s_.again = false;
  s_.next.reset();
  if (!s_.successor.empty()) return;
  if (s_.state == Phase::kJoining || s_.state == Phase::kInWaitingRoom ||
      (s_.state == Phase::kReconnecting && s_.origin.ms == 0)) {
    s_.cancelled = true;
    go(Trigger::kLeave, "the calendar no longer shows the meeting (" + e.reason + ")");
  } else {
    cancel("the calendar no longer shows the meeting (" + e.reason + ")");
  }
}

/// The calendar whose word counted does not want the meeting any more: what the others say counts, the newest version first.
void MeetingStep::word_passed_on(const std::string& from) {
  if (s_.spec.source != from) return;
  if (s_.views.empty()) {  // of a store written before views were kept
    s_.spec.source = s_.sources.front();
    return;
  }
  const auto newest =
      std::max_element(s_.views.begin(), s_.views.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  if (meeting::is_final(s_.state)) {
    s_.spec.source = newest->source;
  } else {
    adopt(MeetingSpec(*newest));
  }
}

}  // namespace hansard::flow
