#include <algorithm>
#include <utility>

#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/flow/step.h"

namespace hansard::flow {
namespace {

using meeting::FailureCode;
using meeting::Trigger;
using Phase = meeting::State;

// Names of the timers in MeetingState::timers.
constexpr const char* kValidate = "validate";
constexpr const char* kJoin = "join";
constexpr const char* kJoinAnswer = "join_answer";
constexpr const char* kReconnect = "reconnect";
constexpr const char* kLobby = "lobby";
constexpr const char* kAlone = "alone";
constexpr const char* kOnlyBots = "only_bots";
constexpr const char* kSilent = "silent";
constexpr const char* kEnd = "end";
constexpr const char* kStable = "stable";
constexpr const char* kRoster = "roster";
constexpr const char* kLeft = "left";
constexpr const char* kKeepAudio = "keep_audio";

constexpr Duration kValidateRetry = seconds(30);
/// Participants who do not show again this long after a reconnection have left.
constexpr Duration kRosterWait = seconds(5);
/// The join context outlives the planned end by this; it is removed in `cleaning` long before.
constexpr Duration kContextLife = hours(24);

/// One event's work on one meeting.
class MeetingStep {
 public:
  MeetingStep(MeetingState& state, Instant now) : s_(state), now_(now) {}

  Batch run(const Event& event) {
    std::visit([this](const auto& e) { on(e); }, event);
    return std::move(out_);
  }

 private:
  // ---- moving through the table ----

  bool go(Trigger trigger, std::string note = {}) {
    const auto to = meeting::next(s_.state, trigger);
    if (!to) return false;
    s_.state = *to;
    if (!note.empty()) s_.note = std::move(note);
    tell();
    enter();
    return true;
  }

  void tell() {
    out_.records.push_back(StateRecord{s_.state, s_.spec.title, s_.spec.platform, s_.spec.start, s_.spec.end, s_.origin, s_.code,
                                       s_.vendor_code, s_.note});
  }

  void enter() {
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
      case Phase::kCancelled: s_.timers.clear(); return;
      case Phase::kNew: return;
    }
  }

  void enter_scheduled() {
    s_.timers.clear();
    set(kValidate, s_.spec.start - s_.settings.join.validate_before);
  }

  void enter_preparing() {
    Json context = Json::object();
    context.set("platform", s_.spec.platform)
        .set("url", s_.spec.url)
        .set("passcode", s_.spec.passcode)
        .set("token", s_.spec.token);
    out_.context.push_back({context_key(), context.dump(), std::max(s_.spec.end, now_) + kContextLife});
    emit(PrepareMeeting{});
  }

  void enter_waiting_room() {
    clear(kJoinAnswer);
    // A reconnection in the lobby does not buy more time there.
    if (!s_.timers.contains(kLobby)) set(kLobby, now_ + s_.settings.leave.lobby);
  }

  void enter_call() {
    for (const char* t : {kJoinAnswer, kLobby, kReconnect}) clear(t);
    set(kStable, now_ + meeting::kStableCall);
    set(kRoster, now_ + kRosterWait);
    if (s_.spec.end > s_.spec.start && !s_.timers.contains(kEnd))
      set(kEnd, std::max(s_.spec.end + s_.settings.leave.grace, now_));
    watch_company();
  }

  void enter_recording() {
    if (s_.origin.ms == 0) {
      s_.origin = now_;
      s_.last_speech = now_;
      tell();  // viewers learn the origin
    }
    emit(StartCapture{s_.epoch, s_.origin, s_.settings.language, std::exchange(s_.gap_reason, {}), cursors()});
    // The time without a connection is nobody's silence.
    if (!s_.timers.contains(kSilent)) set(kSilent, now_ + s_.settings.leave.silent);
  }

  void enter_reconnecting() {
    for (const char* t : {kJoinAnswer, kStable, kAlone, kOnlyBots, kSilent, kRoster}) clear(t);
    for (auto& p : s_.participants) p.stale = p.present;
    schedule_attempt({});
  }

  void enter_leaving() {
    s_.timers.clear();
    emit(StopMedia{s_.epoch});
    set(kLeft, now_ + s_.settings.leave.leave_answer);
  }

  void enter_processing() {
    for (auto& p : s_.participants) {
      if (p.present) change_presence(p, false);
    }
    drain();
  }

  void enter_distributing() {
    std::vector<std::string> sinks = s_.settings.sinks;
    if (sinks.empty()) sinks.emplace_back();
    for (const AnalysisItem& item : s_.tasks) {
      for (const std::string& sink : sinks) {
        const std::string key = sha256_hex(s_.id + "\n" + item.id + "\n" + sink, 32);
        const bool held = sink.empty();
        out_.records.push_back(TaskRecord{key, item.id, sink, held ? "held" : "recorded",
                                          held ? "no sink is configured: the task stays in the outbox" : ""});
        emit(DeliverTask{key, sink, item});
      }
    }
    s_.tasks.clear();
    go(Trigger::kDistributed);
  }

  void enter_cleaning() {
    s_.timers.clear();
    out_.context.push_back({context_key(), {}, {}});
    emit(CleanUp{});
  }

  // ---- attempts to be in the meeting ----

  void start_media() {
    ++s_.epoch;
    clear(kReconnect);
    set(kJoinAnswer, now_ + s_.settings.leave.join_answer);
    emit(StartMedia{s_.epoch, s_.spec.platform, s_.spec.url, s_.spec.token, s_.settings.display_name});
  }

  /// The next of the five attempts, or the end of them.
  void schedule_attempt(Duration retry_after) {
    clear(kJoinAnswer);
    if (s_.attempts >= meeting::kReconnectAttempts) return give_up(FailureCode::kMediaLost, "the connection did not come back");
    ++s_.attempts;
    Prng prng(s_.seed);
    set(kReconnect, now_ + meeting::reconnect_delay(s_.attempts, retry_after, prng));
    s_.seed = prng.next();
  }

  void connection_lost(const std::string& reason, Duration retry_after) {
    if (s_.gap_reason.empty()) s_.gap_reason = reason.empty() ? "network" : reason;
    if (s_.state == Phase::kReconnecting) return schedule_attempt(retry_after);
    go(Trigger::kConnectionLost, "the connection was lost (" + s_.gap_reason + ")");
    if (retry_after.ms > 0 && s_.timers.contains(kReconnect))
      set(kReconnect, std::max(s_.timers[kReconnect], now_ + retry_after));
  }

  /// A failure while media is wanted: leave, and keep what there is.
  void give_up(FailureCode code, std::string note) {
    s_.code = code;
    go(Trigger::kLeave, std::move(note));
  }

  void refused(const MediaReport& report) {
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

  /// The meeting is not there yet. That is not a lost connection and uses up no attempt.
  void ask_again() {
    clear(kJoinAnswer);
    if (s_.note != "waiting for the meeting to start") {
      s_.note = "waiting for the meeting to start";
      tell();
    }
    set(kReconnect, now_ + s_.settings.join.not_started_retry);
  }

  void left() { go(s_.origin.ms != 0 ? Trigger::kLeft : Trigger::kLeftEmpty); }

  // ---- people ----

  ParticipantState* find(const std::string& id) {
    const auto it = std::find_if(s_.participants.begin(), s_.participants.end(), [&](const auto& p) { return p.id == id; });
    return it == s_.participants.end() ? nullptr : &*it;
  }

  ParticipantState* find_or_add(const std::string& id, const std::string& name) {
    if (ParticipantState* p = find(id)) return p;
    if (s_.participants.size() >= kMaxParticipants) return nullptr;
    s_.participants.push_back({id, name.empty() ? id : name, false, false, false, {}});
    return &s_.participants.back();
  }

  void change_presence(ParticipantState& p, bool present) {
    p.present = present;
    p.stale = false;
    out_.records.push_back(ParticipantRecord{p.id, p.name, p.present, p.bot, media_now()});
  }

  MediaTime media_now() const { return {s_.origin.ms == 0 ? 0 : (now_ - s_.origin).ms}; }

  /// Arms and clears the leave rules that depend on who is there.
  void watch_company() {
    if (!meeting::in_call(s_.state)) return;
    std::size_t others = 0;
    std::size_t humans = 0;
    for (const auto& p : s_.participants) {
      others += p.present ? 1 : 0;
      humans += p.present && !p.bot ? 1 : 0;
    }
    if (humans > 0 && !std::exchange(s_.met, true)) s_.last_speech = now_;
    if (others > 0) {
      clear(kAlone);
    } else if (!s_.timers.contains(kAlone)) {
      // Before anybody has come, being alone is waiting for the meeting to start.
      set(kAlone, s_.met ? now_ + s_.settings.leave.alone : std::max(now_, s_.spec.start) + s_.settings.leave.lobby);
    }
    if (others == 0 || humans > 0) {
      clear(kOnlyBots);
    } else if (!s_.timers.contains(kOnlyBots)) {
      set(kOnlyBots, s_.met ? now_ + s_.settings.leave.only_bots : std::max(now_, s_.spec.start) + s_.settings.leave.lobby);
    }
  }

  std::vector<TrackCursor> cursors() const {
    std::vector<TrackCursor> out;
    for (const auto& p : s_.participants) out.push_back({p.id, p.covered_until});
    return out;
  }

  // ---- after the meeting ----

  void drain() {
    clear(kKeepAudio);
    emit(DrainSpeech{s_.settings.language, cursors()});
  }

  void analyse() {
    s_.drained = true;
    clear(kKeepAudio);
    emit(AnalyzeFinal{});
  }

  // ---- events ----

  void on(const MeetingSeen& e) {
    if (s_.state == Phase::kNew) {
      s_.id = e.id;
      s_.spec = e.spec;
      s_.settings = e.settings;
      s_.seed = e.seed;
      s_.sources = {e.spec.source};
      go(Trigger::kSeen);
      return;
    }
    if (std::find(s_.sources.begin(), s_.sources.end(), e.spec.source) == s_.sources.end()) s_.sources.push_back(e.spec.source);
    if (e.spec.source != s_.spec.source && s_.sources.size() > 1 && !meeting::is_final(s_.state))
      return;  // the first calendar's word counts
    if (meeting::is_final(s_.state)) return revive(e);
    if (e.spec == s_.spec) return;
    const bool moved = e.spec.start != s_.spec.start;
    const bool relinked = e.spec.url != s_.spec.url || e.spec.token != s_.spec.token || e.spec.passcode != s_.spec.passcode;
    if (meeting::wants_media(s_.state) && s_.origin.ms == 0 && (moved || relinked)) {
      // Not in yet, and it is elsewhere now: out of here, and then from the start again.
      s_.spec = e.spec;
      s_.cancelled = s_.again = true;
      go(Trigger::kLeave, moved ? "the meeting was moved" : "the meeting's link was changed");
      return;
    }
    if (s_.state >= Phase::kJoining) {
      // In the meeting only its name and its end still matter.
      s_.spec.title = e.spec.title;
      s_.spec.end = e.spec.end;
      if (s_.timers.contains(kEnd)) set(kEnd, s_.spec.end + s_.settings.leave.grace);
      return tell();
    }
    s_.spec = e.spec;
    s_.settings = e.settings;
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

  /// A cancelled or failed meeting is shown again: with another time or link, or after a cancellation was taken back.
  void revive(const MeetingSeen& e) {
    const bool changed = e.spec.start != s_.spec.start || e.spec.url != s_.spec.url;
    if (s_.state == Phase::kDone || (s_.state == Phase::kFailed && !changed) || e.spec.end <= now_) return;
    s_.spec = e.spec;
    s_.settings = e.settings;
    s_.sources = {e.spec.source};
    start_over();
  }

  void start_over() {
    s_.cancelled = s_.again = false;
    s_.code = FailureCode::kNone;
    s_.vendor_code.clear();
    s_.attempts = 0;
    s_.met = false;
    s_.participants.clear();
    go(Trigger::kRescheduled, "the meeting is on again");
  }

  void on(const MeetingGone& e) {
    std::erase(s_.sources, e.source);
    if (!s_.sources.empty()) {
      if (s_.spec.source == e.source) s_.spec.source = s_.sources.front();
      return;
    }
    if (s_.state == Phase::kJoining || s_.state == Phase::kInWaitingRoom ||
        (s_.state == Phase::kReconnecting && s_.origin.ms == 0)) {
      s_.cancelled = true;
      go(Trigger::kLeave, "the calendar no longer shows the meeting (" + e.reason + ")");
    } else {
      cancel("the calendar no longer shows the meeting (" + e.reason + ")");
    }
  }

  void cancel(std::string note) {
    if (!meeting::next(s_.state, Trigger::kCancel)) return;
    s_.cancelled = true;
    go(Trigger::kCancel, std::move(note));
  }

  void on(const StopRequested& e) {
    if (s_.state < Phase::kJoining) return cancel("stopped by " + e.by);
    if (!meeting::wants_media(s_.state)) return;
    out_.records.push_back(ConsentRecord{"stopped", "", e.by, media_now()});
    if (s_.origin.ms == 0) s_.cancelled = true;
    go(Trigger::kLeave, "stopped by " + e.by);
  }

  void on(const PauseRequested& e) {
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

  void on(const Validated&) {
    if (s_.state == Phase::kValidating) go(Trigger::kValid);
  }

  void on(const ValidationFailed& e) {
    if (s_.state != Phase::kValidating) return;
    if (!e.retry) {
      s_.code = e.code;
      go(Trigger::kFail, e.detail.empty() ? std::string(meeting::failure_advice(e.code)) : e.detail);
    } else if (now_ + kValidateRetry < s_.spec.start - s_.settings.join.join_before) {
      set(kValidate, now_ + kValidateRetry);
    } else {
      go(Trigger::kValid, e.detail);  // the attempt itself decides
    }
  }

  void on(const Prepared& e) {
    if (s_.state != Phase::kPreparing) return;
    s_.recognizer = e.recognizer;
    if (!e.note.empty()) {
      s_.note = e.note;
      tell();
    }
    set(kJoin, s_.spec.start - s_.settings.join.join_before);
  }

  void on(const MediaReport& e) {
    if (e.epoch != s_.epoch) return;
    if (s_.state == Phase::kLeaving) {
      if (e.phase != MediaPhase::kWaitingRoom && e.phase != MediaPhase::kInCall) left();
      return;
    }
    if (!meeting::wants_media(s_.state)) return;
    switch (e.phase) {
      case MediaPhase::kWaitingRoom: go(Trigger::kMustWait, "in the waiting room"); return;
      case MediaPhase::kInCall: return admitted(e);
      case MediaPhase::kLost: return connection_lost(e.reason, e.retry_after);
      case MediaPhase::kEnded:
      case MediaPhase::kLeft: go(Trigger::kLeave, "the meeting has ended"); return;
      case MediaPhase::kRefused: return refused(e);
    }
  }

  void admitted(const MediaReport& e) {
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

  void on(const ParticipantChanged& e) {
    if (s_.state < Phase::kJoining || s_.state > Phase::kReconnecting) return;
    ParticipantState* p = find_or_add(e.id, e.name);
    if (p == nullptr) return;
    const bool same = p->present == e.present && (e.name.empty() || p->name == e.name) && p->bot == e.bot;
    p->stale = false;
    if (same) return;
    if (!e.name.empty()) p->name = e.name;
    p->bot = e.bot;
    change_presence(*p, e.present);
    watch_company();
  }

  /// Cuts off what is answered for already and moves the cursor; false when nothing is left.
  bool advance(ParticipantState& p, MediaTime& start, MediaTime end) {
    start = std::max(start, p.covered_until);
    if (end <= start) return false;
    p.covered_until = end;
    return true;
  }

  bool takes_speech() const {
    return s_.origin.ms != 0 && s_.state >= Phase::kInWaitingRoom && s_.state <= Phase::kProcessing && !s_.drained;
  }

  void on(const SegmentFinal& e) {
    ParticipantState* p = takes_speech() ? find_or_add(e.participant, {}) : nullptr;
    MediaTime start = e.start;
    if (p == nullptr || e.text.empty() || !advance(*p, start, e.end)) return;
    const Utterance u{"u" + std::to_string(++s_.utterances), p->id, p->name, start, e.end, e.text, e.words};
    out_.records.push_back(UtteranceRecord{u});
    out_.records.push_back(CoverageRecord{{p->id, start, e.end, Coverage::kTranscribed, {}}});
    s_.last_speech = std::max(s_.last_speech, s_.origin + Duration{e.end.ms});
    emit(AnalyzeLive{u});
  }

  void on(const SpanHeard& e) {
    ParticipantState* p = takes_speech() ? find_or_add(e.participant, {}) : nullptr;
    MediaTime start = e.start;
    if (p == nullptr || !advance(*p, start, e.end)) return;
    out_.records.push_back(CoverageRecord{{p->id, start, e.end, e.state, e.reason}});
  }

  void on(const GapDetected& e) {
    if (!takes_speech() || e.gap.end <= e.gap.start) return;
    out_.records.push_back(CoverageRecord{e.gap});
  }

  void on(const SpeechDrained& e) {
    if (s_.state != Phase::kProcessing || s_.drained) return;
    if (e.complete) return analyse();
    s_.note = "there is no speech recognizer: the audio is kept and will be transcribed when there is one (see hansard doctor)";
    tell();
    set(kKeepAudio, now_ + s_.settings.keep_audio);
  }

  void on(const RecognizerReady&) {
    s_.recognizer = true;
    if (s_.state == Phase::kProcessing && !s_.drained && s_.timers.contains(kKeepAudio)) drain();
  }

  void on(const ItemsChanged& e) {
    if (s_.origin.ms == 0 || s_.state > Phase::kProcessing || s_.drained) return;
    for (const auto& c : e.changes) out_.records.push_back(ItemRecord{c});
  }

  void on(const AnalysisFinished& e) {
    if (s_.state != Phase::kProcessing || !s_.drained) return;
    for (const auto& c : e.changes) out_.records.push_back(ItemRecord{c});
    out_.records.push_back(SummaryRecord{e.summary});
    s_.tasks.clear();
    for (const auto& item : e.items) {
      if (item.kind == ItemKind::kActionItem) s_.tasks.push_back(item);
    }
    emit(WriteMinutes{});
  }

  void on(const MinutesWritten& e) {
    if (s_.state != Phase::kProcessing) return;
    out_.records.push_back(MinutesRecord{e.files});
    go(Trigger::kProcessed, "the minutes are written");
  }

  void on(const StepFailed& e) {
    if (s_.state != Phase::kProcessing) return;
    go(Trigger::kProcessed, e.what + " failed: " + e.detail + "; nothing recorded is lost");
  }

  void on(const TaskDelivered& e) { out_.records.push_back(TaskRecord{e.task, {}, e.sink, e.state, e.detail}); }

  void on(const CleanedUp&) {
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
    }
  }

  void on(const HostStarted&) {
    if (s_.state == Phase::kLeaving) return left();
    if (s_.state == Phase::kProcessing && !s_.drained) return drain();
    if (!meeting::wants_media(s_.state)) return;
    if (s_.gap_reason.empty()) s_.gap_reason = "daemon";
    if (s_.timers.contains(kEnd) && s_.timers[kEnd] <= now_)
      return static_cast<void>(go(Trigger::kLeave, "the meeting ended while hansard was not running"));
    const int attempts = std::exchange(s_.attempts, 0);
    if (s_.state != Phase::kReconnecting) go(Trigger::kConnectionLost, "hansard was started again");
    // Our own restart is no fault of the connection: at once, and not counted.
    if (s_.state != Phase::kReconnecting) return;
    s_.attempts = attempts;
    clear(kJoinAnswer);
    set(kReconnect, now_);
  }

  void on(const TimerFired& e) {
    const auto it = s_.timers.find(e.name);
    if (it == s_.timers.end() || it->second > now_) return;
    s_.timers.erase(it);
    if (e.name == kValidate) return window_opened();
    if (e.name == kJoin) return static_cast<void>(go(Trigger::kJoinDue));
    if (e.name == kJoinAnswer) return connection_lost("no answer", {});
    if (e.name == kReconnect) return start_media();
    if (e.name == kLobby)
      return give_up(FailureCode::kWaitingRoomTimeout, std::string(meeting::failure_advice(FailureCode::kWaitingRoomTimeout)));
    if (e.name == kSilent) return silence();
    if (e.name == kStable) s_.attempts = 0;
    if (e.name == kRoster) return drop_stale();
    if (e.name == kLeft) return left();
    if (e.name == kKeepAudio) return audio_kept_too_long();
    if (e.name == kEnd) go(Trigger::kLeave, "the planned end is over");
    if (e.name == kAlone) go(Trigger::kLeave, s_.met ? "everybody else has left" : "nobody came");
    if (e.name == kOnlyBots) go(Trigger::kLeave, s_.met ? "only bots are left" : "nobody came");
  }

  void window_opened() {
    if (s_.spec.end > s_.spec.start && s_.spec.end <= now_) {
      s_.code = FailureCode::kMissed;
      go(Trigger::kFail, std::string(meeting::failure_advice(FailureCode::kMissed)));
    } else if (s_.state == Phase::kValidating) {
      enter();  // a retry
    } else {
      go(Trigger::kWindowOpened);
    }
  }

  void silence() {
    const Instant due = s_.last_speech + s_.settings.leave.silent;
    if (due > now_) return set(kSilent, due);
    // Nobody there is no silence, and a pause is meant.
    if (s_.state == Phase::kPaused || !s_.met) return set(kSilent, now_ + s_.settings.leave.silent);
    go(Trigger::kLeave, "nobody spoke for a long time");
  }

  void drop_stale() {
    for (auto& p : s_.participants) {
      if (p.stale) change_presence(p, false);
    }
    watch_company();
  }

  void audio_kept_too_long() {
    if (s_.state != Phase::kProcessing) return;
    s_.note = "no speech recognizer came in time: the audio was not transcribed";
    analyse();
  }

  // Events of other aggregates mean nothing here.
  void on(const CalendarConfigured&) {}
  void on(const CalendarFetched&) {}
  void on(const CalendarFailed&) {}
  void on(const ScanRequested&) {}

  // ---- small things ----

  template <class E>
  void emit(E effect) {
    out_.effects.push_back(std::move(effect));
  }
  void set(const char* timer, Instant at) { s_.timers[timer] = std::max(at, now_); }
  void clear(const char* timer) { s_.timers.erase(timer); }
  std::string context_key() const { return "meeting:" + s_.id + ":context"; }

  MeetingState& s_;
  const Instant now_;
  Batch out_;
};

}  // namespace

Batch step(MeetingState& state, const Event& event, Instant now) { return MeetingStep(state, now).run(event); }

}  // namespace hansard::flow
