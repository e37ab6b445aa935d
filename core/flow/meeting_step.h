#pragma once
// Internal to core/flow: one event's work on one meeting. meeting_step.cc says what events mean, meeting_calendars.cc
// what calendars say about it, meeting_places.cc what comes of two at one place, meeting_states.cc what entering a state does.
#include <string>
#include <utility>
#include <vector>

#include "core/flow/step.h"

namespace hansard::flow {

using meeting::FailureCode;
using meeting::Trigger;
using Phase = meeting::State;

namespace timer {

// Names of the timers in MeetingState::timers.
inline constexpr const char* kValidate = "validate";
inline constexpr const char* kPrepare = "prepare";
inline constexpr const char* kJoin = "join";
inline constexpr const char* kJoinAnswer = "join_answer";
inline constexpr const char* kReconnect = "reconnect";
inline constexpr const char* kLobby = "lobby";
inline constexpr const char* kAlone = "alone";
inline constexpr const char* kOnlyBots = "only_bots";
inline constexpr const char* kSilent = "silent";
inline constexpr const char* kEnd = "end";
inline constexpr const char* kStable = "stable";
inline constexpr const char* kRoster = "roster";
inline constexpr const char* kLeft = "left";
inline constexpr const char* kKeepAudio = "keep_audio";
inline constexpr const char* kPlace = "place";

}  // namespace timer

/// True for the word of a meeting that stands behind another, in MeetingSpec::source and MeetingGone::source.
bool of_meeting(std::string_view source);

class MeetingStep {
 public:
  MeetingStep(MeetingState& state, Instant now) : s_(state), now_(now) {}

  Batch run(const Event& event);

 private:
  // ---- moving through the table ----

  bool go(Trigger trigger, std::string note = {});
  void tell();
  void enter();
  void enter_scheduled();
  void enter_preparing();
  void enter_waiting_room();
  void enter_call();
  void enter_recording();
  void enter_reconnecting();
  void enter_leaving();
  void enter_processing();
  void enter_distributing();
  void enter_cleaning();

  // ---- attempts to be in the meeting ----

  void start_media();
  /// The next of the five attempts, or the end of them.
  void schedule_attempt(Duration retry_after);
  void connection_lost(const std::string& why, Duration retry_after);
  /// The capture has a hole from here on. What happens first names it, but nothing is lost of a pause.
  void interrupted(const std::string& reason);
  /// A failure while media is wanted: leave, and keep what there is.
  void give_up(FailureCode code, std::string note);
  void refused(const MediaReport& report);
  /// The meeting is not there yet. That is not a lost connection and uses up no attempt.
  void ask_again();
  void left() { go(s_.origin.ms != 0 ? Trigger::kLeft : Trigger::kLeftEmpty); }

  // ---- people ----

  ParticipantState* find(const std::string& id);
  ParticipantState* find_or_add(const std::string& id, const std::string& name);
  /// `at` none: now.
  void change_presence(ParticipantState& p, bool present, std::optional<MediaTime> at = {});
  /// Nobody saw when: in the hole of the capture that there is, or since which it was not seen again.
  void left_unseen(ParticipantState& p, std::optional<MediaTime> at = {});
  MediaTime media_now() const { return {s_.origin.ms == 0 ? 0 : (now_ - s_.origin).ms}; }
  /// Arms and clears the leave rules that depend on who is there.
  void watch_company();
  std::vector<TrackCursor> cursors() const;

  // ---- after the meeting ----

  void drain();
  void answer_for_rest();
  void analyse();

  // ---- events ----

  void on(const MeetingSeen& e);
  bool keep_view(const MeetingSpec& spec);
  void adopt(const MeetingSpec& spec);
  void revive(const MeetingSeen& e, bool wanted);
  void start_over();
  void word_passed_on(const std::string& from);
  bool held() const { return s_.origin.ms != 0; }
  void follow_on(const MeetingSpec& spec, const MeetingSettings& settings);
  void on(const MeetingGone& e);
  // meeting_places.cc
  void on(const PlaceTaken& e);
  void on(const PlaceFree& e);
  bool told_by_one_behind(const MeetingSeen& e);
  void seen_behind(const MeetingSeen& e);
  void gone_behind(const MeetingGone& e);
  void tell_front();
  void part();
  void begin_alone();
  void free_place();
  void keep_place();
  void cancel(std::string note);
  void on(const StopRequested& e);
  void on(const PauseRequested& e);
  void on(const Validated&);
  void on(const ValidationFailed& e);
  void on(const Prepared& e);
  void prepare_again();
  void on(const HostNotice& e);
  void on(const ClockMoved& e);
  void on(const MediaReport& e);
  void admitted(const MediaReport& e);
  void on(const ParticipantChanged& e);
  /// Cuts off what is answered for already and moves the cursor; false when nothing is left.
  bool advance(ParticipantState& p, MediaTime& start, MediaTime end);
  bool takes_speech() const;
  void on(const SegmentFinal& e);
  void on(const SpanHeard& e);
  void on(const GapDetected& e);
  void on(const SpeechDrained& e);
  void on(const RecognizerReady&);
  void on(const ItemsChanged& e);
  void on(const AnalysisFinished& e);
  void on(const MinutesWritten& e);
  void on(const StepFailed& e);
  void on(const TaskDelivered& e) { out_.records.push_back(TaskRecord{e.task, e.item, e.sink, e.state, e.detail}); }
  void on(const CleanedUp&);
  void on(const HostStarted& e);
  void on(const TimerFired& e);
  void window_opened();
  void silence();
  void drop_stale();
  void audio_kept_too_long();
  // Events of other aggregates mean nothing here.
  void on(const CalendarConfigured&) {}
  void on(const CalendarFetched&) {}
  void on(const CalendarFailed&) {}
  void on(const ScanRequested&) {}
  void on(const CalendarRemoved&) {}
  void on(const SinkConfigured&) {}
  void on(const TaskWanted&) {}
  void on(const TaskAnswered&) {}
  void on(const TaskFound&) {}
  void on(const TaskDecided&) {}

  // ---- small things ----

  template <class E>
  void emit(E effect) {
    out_.effects.push_back(std::move(effect));
  }
  void set(const char* timer, Instant at) { s_.timers[timer] = std::max(at, now_); }
  bool clear(const char* timer) { return s_.timers.erase(timer) != 0; }
  std::string context_key() const { return "meeting:" + s_.id + ":context"; }

  MeetingState& s_;
  const Instant now_;
  Batch out_;
};

}  // namespace hansard::flow
