// Two meetings at one place: the same platform, the same meeting there, the same start.
//
// Calendars name meetings by their UIDs, and these change: an event is deleted and made again, is copied, or two events are
// moved to the same time and link. Whatever the names, one bot goes. The meeting that is at the place already goes for both; the
// one that comes second stands behind it: it sends no bot, goes on to keep what its calendars say, and is to the one in
// front what a calendar is, a source that wants the meeting. As soon as the two are at different places, each is a meeting
// of its own again. One that is over keeps its place for a while: what was held is not joined again under another name.
#include <algorithm>

#include "core/flow/meeting_step.h"

namespace hansard::flow {
namespace {

constexpr std::string_view kMeetingSource = "meeting:";
/// How long after its planned end a meeting keeps its place: another calendar may show a later end, and show it late.
constexpr Duration kKeptPlace = hours(24);

std::string source_of(const std::string& meeting) { return std::string(kMeetingSource) + meeting; }
std::string meeting_of(std::string_view source) { return std::string(source.substr(kMeetingSource.size())); }

}  // namespace

bool of_meeting(std::string_view source) { return source.starts_with(kMeetingSource); }

/// The host: another meeting is where this one is.
void MeetingStep::on(const PlaceTaken& e) {
  if (!s_.behind.empty() || e.by == s_.id) return;
  if (s_.state == Phase::kNew) {  // what a calendar says of it comes next
    s_.behind = e.by;
    return;
  }
  // A bot that is on its way or was there is not called back.
  if (held() || meeting::wants_media(s_.state) || meeting::is_final(s_.state)) return;
  free_place();
  s_.behind = e.by;
  s_.again = false;
  s_.next.reset();
  if (!s_.sources.empty()) tell_front();
  s_.cancelled = true;
  cancel("another meeting at the same time and link is attended");
}

/// The meeting in front is elsewhere.
void MeetingStep::on(const PlaceFree& e) {
  if (s_.behind != e.by) return;
  s_.behind.clear();
  begin_alone();
}

/// The word of one that stands behind this one. It is only about this place; true: there is nothing more to do about it.
bool MeetingStep::told_by_one_behind(const MeetingSeen& e) {
  if (!of_meeting(e.spec.source)) return false;
  if (!s_.behind.empty() || !same_place(e.spec, s_.spec)) {  // messages that crossed
    std::erase(s_.sources, e.spec.source);
    std::erase_if(s_.views, [&](const MeetingSpec& v) { return v.source == e.spec.source; });
    emit(ToAggregate{meeting_of(e.spec.source), PlaceFree{e.id}});
    return true;
  }
  return !s_.successor.empty();  // held here, whatever follows elsewhere
}

/// A calendar's word for a meeting that stands behind another.
void MeetingStep::seen_behind(const MeetingSeen& e) {
  if (s_.id.empty()) {
    s_.id = e.id;
    s_.spec = e.spec;
    s_.settings = e.settings;
    s_.seed = e.seed;
    s_.sources = {e.spec.source};
    s_.views = {e.spec};
    return tell_front();
  }
  const bool wanted = !s_.sources.empty();
  const bool news = keep_view(e.spec);
  if (wanted && !news) return;
  const bool stays = same_place(s_.spec, e.spec);
  s_.spec = e.spec;
  s_.settings = e.settings;
  if (stays) {
    tell_front();
  } else {
    part();
  }
}

void MeetingStep::gone_behind(const MeetingGone& e) {
  if (std::erase(s_.sources, e.source) == 0) return;
  std::erase_if(s_.views, [&](const MeetingSpec& v) { return v.source == e.source; });
  if (s_.sources.empty()) return emit(ToAggregate{s_.behind, MeetingGone{source_of(s_.id), e.reason}});
  if (s_.spec.source != e.source || s_.views.empty()) return;
  const MeetingSpec newest =
      *std::max_element(s_.views.begin(), s_.views.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  const bool stays = same_place(s_.spec, newest);
  s_.spec = newest;
  if (stays) {
    tell_front();
  } else {
    part();
  }
}

void MeetingStep::tell_front() {
  MeetingSpec spec = s_.spec;
  spec.source = source_of(s_.id);
  emit(ToAggregate{s_.behind, MeetingSeen{s_.behind, std::move(spec), s_.settings, s_.seed}});
}

/// This one has left the place.
void MeetingStep::part() {
  emit(ToAggregate{s_.behind, MeetingGone{source_of(s_.id), "moved"}});
  s_.behind.clear();
  begin_alone();
}

void MeetingStep::begin_alone() {
  if (s_.sources.empty() || s_.spec.end <= now_) return;
  if (s_.state == Phase::kNew) {
    go(Trigger::kSeen);
  } else if (meeting::is_final(s_.state)) {
    start_over();
  } else {
    s_.again = true;  // as soon as it is cleaned up
  }
}

/// Those that stand behind this one go their own way.
void MeetingStep::free_place() {
  for (const std::string& source : s_.sources) {
    if (of_meeting(source)) emit(ToAggregate{meeting_of(source), PlaceFree{s_.id}});
  }
  std::erase_if(s_.sources, of_meeting);
  std::erase_if(s_.views, [](const MeetingSpec& v) { return of_meeting(v.source); });
}

/// Over. The place is kept when a bot has been sent there, and when the meeting is still wanted (it failed, or a person
/// stopped it): another name is no reason to go there again.
void MeetingStep::keep_place() {
  s_.timers.clear();
  if (!s_.behind.empty() || (s_.epoch == 0 && s_.sources.empty())) return;
  const Instant until = std::max(s_.spec.start, s_.spec.end) + kKeptPlace;
  if (until > now_) set(timer::kPlace, until);
}

}  // namespace hansard::flow
