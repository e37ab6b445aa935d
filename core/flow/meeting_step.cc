#include "core/flow/meeting_step.h"

#include <algorithm>

namespace hansard::flow {
namespace {

constexpr Duration kValidateRetry = seconds(30);
constexpr Duration kPrepareRetry = seconds(10);
constexpr Duration kPrepareAnswer = minutes(2);
/// Timers that count from a moment, not to one of the calendar.
constexpr const char* kCounting[] = {timer::kPrepare, timer::kJoinAnswer, timer::kReconnect, timer::kLobby,
                                     timer::kAlone,   timer::kOnlyBots,   timer::kSilent,    timer::kStable,
                                     timer::kRoster,  timer::kLeft,       timer::kKeepAudio};

}  // namespace

Batch MeetingStep::run(const Event& event) {
  const MeetingSpec before = s_.spec;
  std::visit([this](const auto& e) { on(e); }, event);
  if (s_.state != Phase::kNew && !same_place(before, s_.spec)) free_place();
  return std::move(out_);
}

void MeetingStep::cancel(std::string note) {
  if (!meeting::next(s_.state, Trigger::kCancel)) return;
  s_.cancelled = true;
  go(Trigger::kCancel, std::move(note));
}

void MeetingStep::on(const StopRequested& e) {
  if (s_.state < Phase::kJoining) return cancel("stopped by " + e.by);
  if (std::exchange(s_.again, false)) {  // it was on its way out, to come in again where it is now
    s_.note = "stopped by " + e.by;
    tell();
  }
  if (!meeting::wants_media(s_.state)) return;
  out_.records.push_back(ConsentRecord{"stopped", "", e.by, media_now()});
  if (s_.origin.ms == 0) s_.cancelled = true;
  go(Trigger::kLeave, "stopped by " + e.by);
}

void MeetingStep::on(const PauseRequested& e) {
  if (!meeting::wants_media(s_.state) || s_.paused == e.paused) return;
  s_.paused = e.paused;
  out_.records.push_back(ConsentRecord{e.paused ? "paused" : "resumed", "", e.by, media_now()});
  if (e.paused) {
    go(Trigger::kPause, "recording paused by " + e.by);
  } else if (s_.state == Phase::kPaused) {
    s_.gap_reason = "paused";
    go(Trigger::kResume, "recording resumed by " + e.by);
  }
}

void MeetingStep::on(const Validated&) {
  if (s_.state == Phase::kValidating) go(Trigger::kValid);
}

void MeetingStep::on(const ValidationFailed& e) {
  if (s_.state != Phase::kValidating) return;
  if (!e.retry) {
    s_.code = e.code;
    go(Trigger::kFail, e.detail.empty() ? std::string(meeting::failure_advice(e.code)) : e.detail);
  } else if (now_ + kValidateRetry < s_.spec.start - s_.settings.join.join_before) {
    set(timer::kValidate, now_ + kValidateRetry);
  } else {
    go(Trigger::kValid, e.detail);  // the attempt itself decides
  }
}

void MeetingStep::on(const Prepared& e) {
  if (s_.state != Phase::kPreparing) return;
  s_.recognizer = e.recognizer;
  const bool waited = clear(timer::kPrepare);
  if (s_.note != e.note && (!e.note.empty() || waited)) {
    s_.note = e.note;
    tell();
  }
  if (!e.room) return set(timer::kPrepare, now_ + kPrepareRetry);
  set(timer::kJoin, s_.spec.start - s_.settings.join.join_before);
}

/// A disk without room is looked at again for as long as a meeting that has not begun is waited for.
void MeetingStep::prepare_again() {
  if (s_.state != Phase::kPreparing) return;
  if (now_ < s_.spec.start + s_.settings.leave.lobby) {
    set(timer::kPrepare, now_ + kPrepareAnswer);  // its answer also says that the wait is over
    return emit(PrepareMeeting{});
  }
  s_.code = FailureCode::kDiskFull;
  go(Trigger::kFail, std::string(meeting::failure_advice(s_.code)));
}

void MeetingStep::on(const HostNotice& e) {
  if (s_.state < Phase::kJoining || s_.state > Phase::kProcessing || s_.note == e.note) return;
  s_.note = e.note;
  tell();
}

void MeetingStep::on(const ClockMoved& e) {
  for (const char* name : kCounting) {
    if (const auto it = s_.timers.find(name); it != s_.timers.end()) it->second = it->second + e.by;
  }
  // A recording that is over keeps the times that people have seen.
  if (s_.origin.ms == 0 || s_.state > Phase::kProcessing) return;
  s_.origin = s_.origin + e.by;
  s_.last_speech = s_.last_speech + e.by;
  tell();
}

void MeetingStep::on(const MediaReport& e) {
  if (e.epoch != s_.epoch) return;
  if (s_.state == Phase::kLeaving) {
    if (e.phase != MediaPhase::kWaitingRoom && e.phase != MediaPhase::kInCall) left();
    return;
  }
  if (!meeting::wants_media(s_.state)) return;
  switch (e.phase) {
    case MediaPhase::kWaitingRoom:
      if (s_.state == Phase::kInWaitingRoom) return enter_waiting_room();  // of another attempt, made from there
      go(Trigger::kMustWait, "in the waiting room");
      return;
    case MediaPhase::kInCall: return admitted(e);
    case MediaPhase::kLost: return connection_lost(e.reason, e.retry_after);
    case MediaPhase::kEnded:
    case MediaPhase::kLeft: go(Trigger::kLeave, "the meeting has ended"); return;
    case MediaPhase::kRefused: return refused(e);
  }
}

void MeetingStep::admitted(const MediaReport& e) {
  if (!go(Trigger::kAdmitted, "in the meeting")) return;
  if (e.announced.empty() && !s_.spec.by_hand) {
    return give_up(FailureCode::kRecordingNotAllowed, "nobody there could be told that this is recorded");
  }
  const bool told = !e.announced.empty();
  out_.records.push_back(ConsentRecord{"announced", told ? e.announced : "left to the person who sent the bot",
                                       told ? s_.settings.display_name : "", media_now()});
  go(Trigger::kAnnounced, "recording");
  if (s_.paused) go(Trigger::kPause, "recording is paused");
}

void MeetingStep::on(const ParticipantChanged& e) {
  if (s_.state < Phase::kJoining || s_.state > Phase::kReconnecting) return;
  ParticipantState* p = find_or_add(e.id, e.name);
  if (p == nullptr) return;
  const bool same = p->present == e.present && (e.name.empty() || p->name == e.name) && p->bot == e.bot;
  p->stale = false;
  if (same) return;
  if (!e.name.empty()) p->name = e.name;
  p->bot = e.bot;
  change_presence(*p, e.present, e.at);
  watch_company();
}

bool MeetingStep::advance(ParticipantState& p, MediaTime& start, MediaTime end) {
  start = std::max(start, p.covered_until);
  if (end <= start) return false;
  p.covered_until = end;
  return true;
}

bool MeetingStep::takes_speech() const {
  return s_.origin.ms != 0 && s_.state >= Phase::kInWaitingRoom && s_.state <= Phase::kProcessing && !s_.drained;
}

void MeetingStep::on(const SegmentFinal& e) {
  ParticipantState* p = takes_speech() ? find_or_add(e.participant, {}) : nullptr;
  MediaTime start = e.start;
  if (p == nullptr || e.text.empty() || !advance(*p, start, e.end)) return;
  const Utterance u{"u" + std::to_string(++s_.utterances), p->id, p->name, start, e.end, e.text, e.words};
  out_.records.push_back(UtteranceRecord{u});
  out_.records.push_back(CoverageRecord{{p->id, start, e.end, Coverage::kTranscribed, {}}});
  s_.last_speech = std::max(s_.last_speech, s_.origin + Duration{e.end.ms});
  emit(AnalyzeLive{u});
}

void MeetingStep::on(const SpanHeard& e) {
  ParticipantState* p = takes_speech() ? find_or_add(e.participant, {}) : nullptr;
  MediaTime start = e.start;
  if (p == nullptr || !advance(*p, start, e.end)) return;
  out_.records.push_back(CoverageRecord{{p->id, start, e.end, e.state, e.reason}});
}

void MeetingStep::on(const GapDetected& e) {
  if (!takes_speech() || e.gap.end <= e.gap.start) return;
  out_.records.push_back(CoverageRecord{e.gap});
  ParticipantState* p = find(e.gap.participant);
  if (p == nullptr || e.gap.end <= p->lost_until) return;
  if (e.gap.start > p->lost_until) p->lost_from = e.gap.start;
  p->lost_until = e.gap.end;
}

void MeetingStep::on(const SpeechDrained& e) {
  if (s_.state != Phase::kProcessing || s_.drained) return;
  if (e.complete) return analyse();
  s_.note = "there is no speech recognizer: the audio is kept and will be transcribed when there is one (see hansard doctor)";
  tell();
  set(timer::kKeepAudio, now_ + s_.settings.keep_audio);
}

void MeetingStep::on(const RecognizerReady&) {
  s_.recognizer = true;
  if (s_.state == Phase::kProcessing && !s_.drained && s_.timers.contains(timer::kKeepAudio)) drain();
}

void MeetingStep::on(const ItemsChanged& e) {
  if (s_.origin.ms == 0 || s_.state > Phase::kProcessing || s_.drained) return;
  for (const auto& c : e.changes) out_.records.push_back(ItemRecord{c});
}

void MeetingStep::on(const AnalysisFinished& e) {
  if (s_.state != Phase::kProcessing || !s_.drained) return;
  for (const auto& c : e.changes) out_.records.push_back(ItemRecord{c});
  out_.records.push_back(SummaryRecord{e.summary});
  s_.tasks.clear();
  for (const auto& item : e.items) {
    if (item.kind == ItemKind::kActionItem) s_.tasks.push_back(item);
  }
  emit(WriteMinutes{});
}

void MeetingStep::on(const MinutesWritten& e) {
  if (s_.state != Phase::kProcessing) return;
  out_.records.push_back(MinutesRecord{e.files});
  go(Trigger::kProcessed, "the minutes are written");
}

void MeetingStep::on(const StepFailed& e) {
  if (s_.state != Phase::kProcessing) return;
  go(Trigger::kProcessed, e.what + " failed: " + e.detail + "; nothing recorded is lost");
}

void MeetingStep::on(const CleanedUp&) {
  if (s_.state != Phase::kCleaning) return;
  const bool recorded = s_.origin.ms != 0;
  if (!recorded && s_.cancelled) {
    const bool again = s_.again;
    go(Trigger::kCleanedCancelled);
    if (again) start_over();
  } else if (!recorded && s_.code != FailureCode::kNone) {
    go(Trigger::kCleanedFailed);
  } else {
    go(Trigger::kCleaned, recorded ? s_.note : "nothing was recorded");
    if (s_.next && s_.next->end > now_) follow_on(MeetingSpec(*s_.next), s_.settings);
  }
}

void MeetingStep::on(const HostStarted& e) {
  for (auto& p : s_.participants) {
    if (takes_speech() && !p.present && p.left_in.empty()) p.left_in = "daemon";
  }
  if (s_.state == Phase::kProcessing && !s_.drained) return drain();
  if (s_.state != Phase::kLeaving && !meeting::wants_media(s_.state)) return;
  interrupted("daemon");
  if (s_.state == Phase::kLeaving) return left();
  if (const auto end = s_.timers.find(timer::kEnd); end != s_.timers.end() && end->second <= now_) {
    // However long hansard was away: nobody was there longer than that.
    const MediaTime over{(end->second - s_.origin).ms};
    for (auto& p : s_.participants) {
      if (p.present && s_.origin.ms != 0) left_unseen(p, std::max(over, p.covered_until));
    }
    return static_cast<void>(go(Trigger::kLeave, "the meeting ended while hansard was not running"));
  }
  const int attempts = std::exchange(s_.attempts, 0);
  if (s_.state != Phase::kReconnecting) {
    go(Trigger::kConnectionLost,
       e.machine ? "the machine was started again: how long it was off is what its clock says" : "hansard was started again");
  }
  // Our own restart is no fault of the connection: at once, and not counted.
  if (s_.state != Phase::kReconnecting) return;
  s_.attempts = attempts;
  clear(timer::kJoinAnswer);
  set(timer::kReconnect, now_);
}

void MeetingStep::on(const TimerFired& e) {
  const auto it = s_.timers.find(e.name);
  if (it == s_.timers.end() || it->second > now_) return;
  s_.timers.erase(it);
  if (e.name == timer::kValidate) return window_opened();
  if (e.name == timer::kPrepare) return prepare_again();
  if (e.name == timer::kJoin) return static_cast<void>(go(Trigger::kJoinDue));
  if (e.name == timer::kJoinAnswer) return connection_lost("no answer", {});
  if (e.name == timer::kReconnect) return start_media();
  if (e.name == timer::kLobby)
    return give_up(FailureCode::kWaitingRoomTimeout, std::string(meeting::failure_advice(FailureCode::kWaitingRoomTimeout)));
  if (e.name == timer::kSilent) return silence();
  if (e.name == timer::kStable) s_.attempts = 0;
  if (e.name == timer::kRoster) return drop_stale();
  if (e.name == timer::kLeft) return left();
  if (e.name == timer::kKeepAudio) return audio_kept_too_long();
  if (e.name == timer::kEnd) go(Trigger::kLeave, "the planned end is over");
  if (e.name == timer::kAlone) go(Trigger::kLeave, s_.met ? "everybody else has left" : "nobody came");
  if (e.name == timer::kOnlyBots) go(Trigger::kLeave, s_.met ? "only bots are left" : "nobody came");
}

void MeetingStep::window_opened() {
  if (s_.spec.end > s_.spec.start && s_.spec.end <= now_) {
    s_.code = FailureCode::kMissed;
    go(Trigger::kFail, std::string(meeting::failure_advice(FailureCode::kMissed)));
  } else if (s_.state == Phase::kValidating) {
    enter();  // a retry
  } else {
    go(Trigger::kWindowOpened);
  }
}

void MeetingStep::silence() {
  const Instant due = s_.last_speech + s_.settings.leave.silent;
  if (due > now_) return set(timer::kSilent, due);
  // Nobody there is no silence, and a pause is meant.
  if (s_.state == Phase::kPaused || !s_.met) return set(timer::kSilent, now_ + s_.settings.leave.silent);
  go(Trigger::kLeave, "nobody spoke for a long time");
}

void MeetingStep::drop_stale() {
  for (auto& p : s_.participants) {
    if (p.stale) left_unseen(p);
  }
  watch_company();
}

void MeetingStep::audio_kept_too_long() {
  if (s_.state != Phase::kProcessing) return;
  s_.note = "no speech recognizer came in time: the audio was not transcribed";
  for (auto& p : s_.participants) p.left_in = "recognizer";
  analyse();
}

Batch step(MeetingState& state, const Event& event, Instant now) { return MeetingStep(state, now).run(event); }

}  // namespace hansard::flow
