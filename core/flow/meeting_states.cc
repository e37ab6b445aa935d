#include "core/flow/meeting_step.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/prng.h"

namespace hansard::flow {
namespace {

/// Participants who do not show again this long after a reconnection have left.
constexpr Duration kRosterWait = seconds(5);
/// The join context outlives the planned end by this; it is removed in `cleaning` long before.
constexpr Duration kContextLife = hours(24);

}  // namespace

bool MeetingStep::go(Trigger trigger, std::string note) {
  const auto to = meeting::next(s_.state, trigger);
  if (!to) return false;
  s_.state = *to;
  if (!note.empty()) s_.note = std::move(note);
  tell();
  enter();
  return true;
}

void MeetingStep::tell() {
  out_.records.push_back(StateRecord{s_.state, s_.spec.title, s_.spec.platform, s_.spec.start, s_.spec.end, s_.origin, s_.code,
                                     s_.vendor_code, s_.note});
}

void MeetingStep::enter() {
  switch (s_.state) {
    case Phase::kScheduled: return enter_scheduled();
    case Phase::kValidating: return emit(ValidateMeeting{s_.spec.platform, s_.spec.url, s_.spec.token});
    case Phase::kPreparing: return enter_preparing();
    case Phase::kJoining: return start_media();
    case Phase::kInWaitingRoom: return enter_waiting_room();
    case Phase::kInCall: return enter_call();
    case Phase::kRecording: return enter_recording();
    case Phase::kPaused: return emit(PauseCapture{s_.epoch});
    case Phase::kReconnecting: return enter_reconnecting();
    case Phase::kLeaving: return enter_leaving();
    case Phase::kProcessing: return enter_processing();
    case Phase::kDistributing: return enter_distributing();
    case Phase::kCleaning: return enter_cleaning();
    case Phase::kDone:
    case Phase::kFailed:
    case Phase::kCancelled: return keep_place();
    case Phase::kNew: return;
  }
}

void MeetingStep::enter_scheduled() {
  s_.timers.clear();
  set(timer::kValidate, s_.spec.start - s_.settings.join.validate_before);
}

void MeetingStep::enter_preparing() {
  Json context = Json::object();
  context.set("platform", s_.spec.platform).set("url", s_.spec.url).set("passcode", s_.spec.passcode).set("token", s_.spec.token);
  out_.context.push_back({context_key(), context.dump(), std::max(s_.spec.end, now_) + kContextLife});
  emit(PrepareMeeting{});
}

void MeetingStep::enter_waiting_room() {
  // There after all: the next attempt, planned when no answer came, would throw it out again.
  for (const char* t : {timer::kJoinAnswer, timer::kReconnect}) clear(t);
  // A reconnection in the lobby does not buy more time there.
  if (!s_.timers.contains(timer::kLobby)) set(timer::kLobby, now_ + s_.settings.leave.lobby);
}

void MeetingStep::enter_call() {
  for (const char* t : {timer::kJoinAnswer, timer::kLobby, timer::kReconnect}) clear(t);
  set(timer::kStable, now_ + meeting::kStableCall);
  set(timer::kRoster, now_ + kRosterWait);
  if (s_.spec.end > s_.spec.start && !s_.timers.contains(timer::kEnd))
    set(timer::kEnd, std::max(s_.spec.end + s_.settings.leave.grace, now_));
  watch_company();
}

void MeetingStep::enter_recording() {
  if (s_.origin.ms == 0) {
    s_.origin = now_;
    s_.last_speech = now_;
    tell();  // viewers learn the origin
  }
  s_.last_gap = std::exchange(s_.gap_reason, {});
  emit(StartCapture{s_.epoch, s_.origin, s_.settings.language, s_.last_gap, cursors()});
  // The time without a connection is nobody's silence.
  if (!s_.timers.contains(timer::kSilent)) set(timer::kSilent, now_ + s_.settings.leave.silent);
}

void MeetingStep::enter_reconnecting() {
  for (const char* t : {timer::kJoinAnswer, timer::kStable, timer::kAlone, timer::kOnlyBots, timer::kSilent, timer::kRoster})
    clear(t);
  for (auto& p : s_.participants) p.stale = p.present;
  schedule_attempt({});
}

void MeetingStep::enter_leaving() {
  s_.timers.clear();
  emit(StopMedia{s_.epoch});
  set(timer::kLeft, now_ + s_.settings.leave.leave_answer);
}

void MeetingStep::enter_processing() {
  for (auto& p : s_.participants) {
    if (p.present) left_unseen(p);
  }
  drain();
}

void MeetingStep::enter_distributing() {
  std::vector<std::string> sinks = s_.settings.sinks;
  if (sinks.empty()) sinks.emplace_back();
  for (const AnalysisItem& item : s_.tasks) {
    for (const std::string& sink : sinks) {
      const std::string key = sha256_hex(s_.id + "\n" + item.id + "\n" + sink, 32);
      const bool held = sink.empty();
      out_.records.push_back(TaskRecord{key, item.id, sink, held ? "held" : "recorded",
                                        held ? "no sink is configured: the task stays in the outbox" : ""});
      if (held) {
        emit(HoldTask{key, item});
      } else {
        emit(ToAggregate{sink_id(sink), TaskWanted{sink, {key, s_.id, s_.spec.title, item}}});
      }
    }
  }
  s_.tasks.clear();
  go(Trigger::kDistributed);
}

void MeetingStep::enter_cleaning() {
  s_.timers.clear();
  out_.context.push_back({context_key(), {}, {}});
  emit(CleanUp{});
}

void MeetingStep::start_media() {
  ++s_.epoch;
  clear(timer::kReconnect);
  set(timer::kJoinAnswer, now_ + s_.settings.leave.join_answer);
  emit(StartMedia{s_.epoch, s_.spec.platform, s_.spec.url, s_.spec.token, s_.settings.display_name});
}

void MeetingStep::schedule_attempt(Duration retry_after) {
  clear(timer::kJoinAnswer);
  if (s_.attempts >= meeting::kReconnectAttempts) return give_up(FailureCode::kMediaLost, "the connection did not come back");
  ++s_.attempts;
  Prng prng(s_.seed);
  set(timer::kReconnect, now_ + meeting::reconnect_delay(s_.attempts, retry_after, prng));
  s_.seed = prng.next();
}

void MeetingStep::interrupted(const std::string& reason) {
  if (s_.gap_reason.empty()) s_.gap_reason = s_.paused ? "paused" : reason;
}

void MeetingStep::connection_lost(const std::string& why, Duration retry_after) {
  const std::string reason = why.empty() ? "network" : why;
  interrupted(reason);
  // One whose next attempt is planned already (no answer came, or nobody was there yet) is not lost a second time.
  if (!s_.timers.contains(timer::kReconnect)) {
    if (s_.state == Phase::kReconnecting) return schedule_attempt(retry_after);
    go(Trigger::kConnectionLost, "the connection was lost (" + reason + ")");
  }
  if (retry_after.ms > 0 && s_.timers.contains(timer::kReconnect))
    set(timer::kReconnect, std::max(s_.timers[timer::kReconnect], now_ + retry_after));
}

void MeetingStep::give_up(FailureCode code, std::string note) {
  s_.code = code;
  go(Trigger::kLeave, std::move(note));
}

void MeetingStep::refused(const MediaReport& report) {
  s_.vendor_code = report.vendor_code;
  const bool never_there = s_.origin.ms == 0;
  if (report.code == FailureCode::kMeetingNotFound && never_there) {
    if (now_ < s_.spec.start + s_.settings.leave.lobby) return ask_again();
    return give_up(FailureCode::kNotStarted, "the meeting was never there");
  }
  if (report.code == FailureCode::kMeetingNotFound) return static_cast<void>(go(Trigger::kLeave, "the meeting has ended"));
  const FailureCode code = report.code == FailureCode::kNone ? FailureCode::kInternal : report.code;
  give_up(code, std::string(meeting::failure_advice(code)));
}

void MeetingStep::ask_again() {
  clear(timer::kJoinAnswer);
  if (s_.note != "waiting for the meeting to start") {
    s_.note = "waiting for the meeting to start";
    tell();
  }
  set(timer::kReconnect, now_ + s_.settings.join.not_started_retry);
}

ParticipantState* MeetingStep::find(const std::string& id) {
  const auto it = std::find_if(s_.participants.begin(), s_.participants.end(), [&](const auto& p) { return p.id == id; });
  return it == s_.participants.end() ? nullptr : &*it;
}

ParticipantState* MeetingStep::find_or_add(const std::string& id, const std::string& name) {
  if (ParticipantState* p = find(id)) return p;
  if (s_.participants.size() >= kMaxParticipants) return nullptr;
  ParticipantState& p = s_.participants.emplace_back();
  p.id = id;
  p.name = name.empty() ? id : name;
  p.present = false;
  return &p;
}

void MeetingStep::change_presence(ParticipantState& p, bool present, std::optional<MediaTime> at) {
  p.present = present;
  p.stale = false;
  // The host counts media time on a clock of its own, which may be a moment ahead: as it says, or that moment is nobody's.
  const MediaTime when = s_.origin.ms == 0 ? MediaTime{} : at.value_or(media_now());
  p.left_at = present ? MediaTime{} : when;
  p.left_in.clear();
  out_.records.push_back(ParticipantRecord{p.id, p.name, p.present, p.bot, when});
}

void MeetingStep::left_unseen(ParticipantState& p, std::optional<MediaTime> at) {
  const bool in_last = s_.gap_reason.empty() && p.stale;
  change_presence(p, false, at);
  p.left_in = in_last ? s_.last_gap : s_.gap_reason;
  // The host ends what it captures a moment before or after.
  if (p.left_in.empty()) p.left_in = "leaving";
}

/// All that was captured is answered for. Whoever left while nothing was captured left a hole that no audio ends, and a host that
/// dies takes along what it knew of the silence after the last sound: nobody else tells of that.
void MeetingStep::answer_for_rest() {
  for (const auto& p : s_.participants) {
    if (p.left_in.empty()) continue;
    const bool withheld = p.left_in == "paused";
    const auto answer = [&](MediaTime from, MediaTime to) {
      if (to <= from) return;
      out_.records.push_back(CoverageRecord{
          {p.id, from, to, withheld ? Coverage::kWithheld : Coverage::kLost, withheld ? std::string() : p.left_in}});
    };
    answer(p.covered_until, std::min(p.lost_from, p.left_at));
    answer(std::max(p.covered_until, p.lost_until), p.left_at);
  }
}

void MeetingStep::watch_company() {
  if (!meeting::in_call(s_.state)) return;
  std::size_t others = 0;
  std::size_t humans = 0;
  for (const auto& p : s_.participants) {
    others += p.present ? 1 : 0;
    humans += p.present && !p.bot ? 1 : 0;
  }
  if (humans > 0 && !std::exchange(s_.met, true)) s_.last_speech = now_;
  if (others > 0) {
    clear(timer::kAlone);
  } else if (!s_.timers.contains(timer::kAlone)) {
    // Before anybody has come, being alone is waiting for the meeting to start.
    set(timer::kAlone, s_.met ? now_ + s_.settings.leave.alone : std::max(now_, s_.spec.start) + s_.settings.leave.lobby);
  }
  if (others == 0 || humans > 0) {
    clear(timer::kOnlyBots);
  } else if (!s_.timers.contains(timer::kOnlyBots)) {
    set(timer::kOnlyBots, s_.met ? now_ + s_.settings.leave.only_bots : std::max(now_, s_.spec.start) + s_.settings.leave.lobby);
  }
}

std::vector<TrackCursor> MeetingStep::cursors() const {
  std::vector<TrackCursor> out;
  out.reserve(s_.participants.size());
  for (const auto& p : s_.participants) out.push_back({p.id, p.covered_until});
  return out;
}

void MeetingStep::drain() {
  clear(timer::kKeepAudio);
  emit(DrainSpeech{s_.settings.language, cursors()});
}

void MeetingStep::analyse() {
  answer_for_rest();
  s_.drained = true;
  clear(timer::kKeepAudio);
  emit(AnalyzeFinal{});
}

}  // namespace hansard::flow
