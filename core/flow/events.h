#pragma once
// What can happen to an aggregate. Hosts turn everything outside into these; journals hold them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/analysis/item.h"
#include "core/flow/types.h"
#include "core/meeting/lifecycle.h"
#include "core/transcript/utterance.h"

namespace hansard::flow {

// ---- any aggregate ---------------------------------------------------------------------------------------------

/// A timer of the state is due.
struct TimerFired {
  static constexpr std::string_view kType = "timer_fired";
  std::string name;
  static constexpr auto fields = std::make_tuple(field("name", &TimerFired::name));
};

/// The host has started again; children and connections of the run before are gone.
struct HostStarted {
  static constexpr std::string_view kType = "host_started";
  /// So has the machine: how long that took is what the wall clock says, right or wrong. Else it was measured.
  bool machine = false;
  static constexpr auto fields = std::make_tuple(field("machine", &HostStarted::machine));
};

/// The wall clock was set, while the host ran or between two of its runs: it is now `by` further than the time that has passed
/// says. What counts from a moment before moves along; what stands in a calendar does not.
struct ClockMoved {
  static constexpr std::string_view kType = "clock_moved";
  Duration by;
  static constexpr auto fields = std::make_tuple(field("by_ms", &ClockMoved::by));
};

// ---- meeting ---------------------------------------------------------------------------------------------------

/// A calendar shows the meeting (again), or a person asked for it.
struct MeetingSeen {
  static constexpr std::string_view kType = "meeting_seen";
  std::string id;
  MeetingSpec spec;
  MeetingSettings settings;
  std::uint64_t seed = 0;
  static constexpr auto fields = std::make_tuple(field("id", &MeetingSeen::id), field("spec", &MeetingSeen::spec),
                                                 field("settings", &MeetingSeen::settings), field("seed", &MeetingSeen::seed));
};

/// A calendar shows it no longer, or as cancelled or declined. Another source may still want it.
struct MeetingGone {
  static constexpr std::string_view kType = "meeting_gone";
  std::string source;
  /// "removed" (taken out of the calendar), "relinked", "calendar removed", or why it is not attended (AttendReason).
  std::string reason;
  static constexpr auto fields = std::make_tuple(field("source", &MeetingGone::source), field("reason", &MeetingGone::reason));
};

/// Another meeting is at the same place: same platform, same meeting there, same start, whatever the calendars call it. The
/// host says so when the second of the two comes to that place; this one then stands behind `by`, and one bot goes for both.
struct PlaceTaken {
  static constexpr std::string_view kType = "place_taken";
  std::string by;
  static constexpr auto fields = std::make_tuple(field("by", &PlaceTaken::by));
};
/// The meeting that this one stands behind is elsewhere now.
struct PlaceFree {
  static constexpr std::string_view kType = "place_free";
  std::string by;
  static constexpr auto fields = std::make_tuple(field("by", &PlaceFree::by));
};

/// A person, a chat command or the operator asks the bot to go.
struct StopRequested {
  static constexpr std::string_view kType = "stop_requested";
  std::string by;
  static constexpr auto fields = std::make_tuple(field("by", &StopRequested::by));
};

struct PauseRequested {
  static constexpr std::string_view kType = "pause_requested";
  bool paused = true;  ///< false: resume
  std::string by;
  static constexpr auto fields = std::make_tuple(field("paused", &PauseRequested::paused), field("by", &PauseRequested::by));
};

struct Validated {
  static constexpr std::string_view kType = "validated";
  static constexpr auto fields = std::make_tuple();
};
/// `retry`: not final, ask again later (until the join is due, when the attempt itself decides).
struct ValidationFailed {
  static constexpr std::string_view kType = "validation_failed";
  meeting::FailureCode code = meeting::FailureCode::kInternal;
  bool retry = false;
  std::string detail;
  static constexpr auto fields = std::make_tuple(field("code", &ValidationFailed::code), field("retry", &ValidationFailed::retry),
                                                 field("detail", &ValidationFailed::detail));
};
/// Models warm, disk checked. `recognizer` false: the meeting will be captured and transcribed later. `room` false: the disk
/// has too little room to begin a recording; asked again.
struct Prepared {
  static constexpr std::string_view kType = "prepared";
  bool recognizer = true;
  std::string note;
  bool room = true;
  static constexpr auto fields =
      std::make_tuple(field("recognizer", &Prepared::recognizer), field("note", &Prepared::note), field("room", &Prepared::room));
};
/// Something about the recording that its owner should know now (a full disk, a recognizer that is far behind) or that is over.
struct HostNotice {
  static constexpr std::string_view kType = "host_notice";
  std::string note;
  static constexpr auto fields = std::make_tuple(field("note", &HostNotice::note));
};

/// What the media of attempt `epoch` says. Reports of older epochs are ignored.
enum class MediaPhase : std::uint8_t { kWaitingRoom, kInCall, kLost, kEnded, kRefused, kLeft };
constexpr EnumName<MediaPhase> kEnumNames_MediaPhase[] = {{MediaPhase::kWaitingRoom, "waiting_room"},
                                                          {MediaPhase::kInCall, "in_call"},
                                                          {MediaPhase::kLost, "lost"},
                                                          {MediaPhase::kEnded, "ended"},
                                                          {MediaPhase::kRefused, "refused"},
                                                          {MediaPhase::kLeft, "left"}};
constexpr auto enum_names(MediaPhase) { return std::span(kEnumNames_MediaPhase); }
struct MediaReport {
  static constexpr std::string_view kType = "media_report";
  std::uint32_t epoch = 0;
  MediaPhase phase = MediaPhase::kLost;
  meeting::FailureCode code = meeting::FailureCode::kNone;  ///< for kRefused
  std::string vendor_code;                                  ///< the other side's words, verbatim
  std::string announced;                                    ///< for kInCall: how people see that it records, or ""
  std::string reason;                                       ///< for kLost: "network", "media_process", ...
  Duration retry_after;
  static constexpr auto fields =
      std::make_tuple(field("epoch", &MediaReport::epoch), field("phase", &MediaReport::phase), field("code", &MediaReport::code),
                      field("vendor_code", &MediaReport::vendor_code), field("announced", &MediaReport::announced),
                      field("reason", &MediaReport::reason), field("retry_after_ms", &MediaReport::retry_after));
};

struct ParticipantChanged {
  static constexpr std::string_view kType = "participant_changed";
  std::string id;
  std::string name;
  bool present = true;
  bool bot = false;
  std::optional<MediaTime> at;  ///< when; the event may be applied later. None: now
  static constexpr auto fields = std::make_tuple(field("id", &ParticipantChanged::id), field("name", &ParticipantChanged::name),
                                                 field("present", &ParticipantChanged::present),
                                                 field("bot", &ParticipantChanged::bot), field("at_ms", &ParticipantChanged::at));
};

/// The final text of [start, end) of a participant; covers that span as transcribed and moves the participant's cursor
/// to its end. One that ends at or before the cursor is a repeat and is dropped.
struct SegmentFinal {
  static constexpr std::string_view kType = "segment_final";
  std::string participant;
  MediaTime start;
  MediaTime end;
  std::string text;
  std::vector<Word> words;
  static constexpr auto fields = std::make_tuple(field("participant", &SegmentFinal::participant),
                                                 field("start_ms", &SegmentFinal::start), field("end_ms", &SegmentFinal::end),
                                                 field("text", &SegmentFinal::text), field("words", &SegmentFinal::words));
};

/// Heard, but not speech with text: silent or unrecognized. Moves the participant's cursor as SegmentFinal does.
struct SpanHeard {
  static constexpr std::string_view kType = "span_heard";
  std::string participant;
  MediaTime start;
  MediaTime end;
  Coverage state = Coverage::kSilent;
  std::string reason;
  static constexpr auto fields =
      std::make_tuple(field("participant", &SpanHeard::participant), field("start_ms", &SpanHeard::start),
                      field("end_ms", &SpanHeard::end), field("state", &SpanHeard::state), field("reason", &SpanHeard::reason));
};

/// A stretch that was not received (lost) or not taken (withheld). Does not move the cursor.
struct GapDetected {
  static constexpr std::string_view kType = "gap_detected";
  CoverageInterval gap;
  static constexpr auto fields = std::make_tuple(field("gap", &GapDetected::gap));
};

/// The recognizer has answered for everything captured so far. `complete` false: there is none, and audio waits.
struct SpeechDrained {
  static constexpr std::string_view kType = "speech_drained";
  bool complete = true;
  static constexpr auto fields = std::make_tuple(field("complete", &SpeechDrained::complete));
};

/// A recognizer has become available.
struct RecognizerReady {
  static constexpr std::string_view kType = "recognizer_ready";
  static constexpr auto fields = std::make_tuple();
};

/// Changes of the extracted items while the meeting runs.
struct ItemsChanged {
  static constexpr std::string_view kType = "items_changed";
  std::vector<ItemChange> changes;
  static constexpr auto fields = std::make_tuple(field("changes", &ItemsChanged::changes));
};

/// The final pass: changes against what was known, all final items, and the summary.
struct AnalysisFinished {
  static constexpr std::string_view kType = "analysis_finished";
  std::vector<ItemChange> changes;
  std::vector<AnalysisItem> items;
  std::string summary;
  static constexpr auto fields =
      std::make_tuple(field("changes", &AnalysisFinished::changes), field("items", &AnalysisFinished::items),
                      field("summary", &AnalysisFinished::summary));
};

struct MinutesWritten {
  static constexpr std::string_view kType = "minutes_written";
  std::vector<std::string> files;
  static constexpr auto fields = std::make_tuple(field("files", &MinutesWritten::files));
};
/// An effect of `processing` failed for good (disk full, ...). The meeting goes on and says so.
struct StepFailed {
  static constexpr std::string_view kType = "step_failed";
  std::string what;
  std::string detail;
  static constexpr auto fields = std::make_tuple(field("what", &StepFailed::what), field("detail", &StepFailed::detail));
};
/// What became of a task at its sink, told to its meeting (which may be over for long).
struct TaskDelivered {
  static constexpr std::string_view kType = "task_delivered";
  std::string task;
  std::string item;
  std::string sink;
  std::string state;  ///< as in TaskRecord
  std::string detail;
  static constexpr auto fields = std::make_tuple(field("task", &TaskDelivered::task), field("item", &TaskDelivered::item),
                                                 field("sink", &TaskDelivered::sink), field("state", &TaskDelivered::state),
                                                 field("detail", &TaskDelivered::detail));
};
struct CleanedUp {
  static constexpr std::string_view kType = "cleaned_up";
  static constexpr auto fields = std::make_tuple();
};

// ---- task sink -------------------------------------------------------------------------------------------------

/// What the configuration says of a sink. Not `active`: it is not configured any more; its tasks wait.
struct SinkConfigured {
  static constexpr std::string_view kType = "sink_configured";
  TaskSinkSettings settings;
  bool active = true;
  std::uint64_t seed = 0;
  static constexpr auto fields = std::make_tuple(field("settings", &SinkConfigured::settings),
                                                 field("active", &SinkConfigured::active), field("seed", &SinkConfigured::seed));
};
/// A meeting hands a task over.
struct TaskWanted {
  static constexpr std::string_view kType = "task_wanted";
  std::string sink;
  tasks::Task task;
  static constexpr auto fields = std::make_tuple(field("sink", &TaskWanted::sink), field("task", &TaskWanted::task));
};
/// The answer to SendTask.
struct TaskAnswered {
  static constexpr std::string_view kType = "task_answered";
  std::string key;
  int attempt = 0;
  tasks::Answer answer;
  static constexpr auto fields = std::make_tuple(field("key", &TaskAnswered::key), field("attempt", &TaskAnswered::attempt),
                                                 field("answer", &TaskAnswered::answer));
};
/// The answer to FindTask: with `answer` accepted, `found` says whether the task is there.
struct TaskFound {
  static constexpr std::string_view kType = "task_found";
  std::string key;
  int attempt = 0;
  tasks::Answer answer;
  bool found = false;
  static constexpr auto fields = std::make_tuple(field("key", &TaskFound::key), field("attempt", &TaskFound::attempt),
                                                 field("answer", &TaskFound::answer), field("found", &TaskFound::found));
};
/// A person has looked at a dead letter: send it again, or drop it.
struct TaskDecided {
  static constexpr std::string_view kType = "task_decided";
  std::string key;
  bool retry = true;
  static constexpr auto fields = std::make_tuple(field("key", &TaskDecided::key), field("retry", &TaskDecided::retry));
};

// ---- calendar source -------------------------------------------------------------------------------------------

struct CalendarConfigured {
  static constexpr std::string_view kType = "calendar_configured";
  CalendarSource source;
  MeetingSettings settings;
  std::uint64_t seed = 0;
  static constexpr auto fields =
      std::make_tuple(field("source", &CalendarConfigured::source), field("settings", &CalendarConfigured::settings),
                      field("seed", &CalendarConfigured::seed));
};
struct CalendarFetched {
  static constexpr std::string_view kType = "calendar_fetched";
  Instant from;  ///< the window that was expanded
  Instant to;
  std::vector<SeenOccurrence> occurrences;  ///< all of that window
  std::vector<std::string> notes{};         ///< what could not be read or works less well; no content of the calendar. At most 10
  static constexpr auto fields =
      std::make_tuple(field("from_unix_ms", &CalendarFetched::from), field("to_unix_ms", &CalendarFetched::to),
                      field("occurrences", &CalendarFetched::occurrences), field("notes", &CalendarFetched::notes));
};
/// The source could not be read. Nothing of what is known is dropped.
struct CalendarFailed {
  static constexpr std::string_view kType = "calendar_failed";
  std::string detail;
  Duration retry_after;
  bool reconnect = false;  ///< the right to read it is gone: a person must connect it again
  static constexpr auto fields =
      std::make_tuple(field("detail", &CalendarFailed::detail), field("retry_after_ms", &CalendarFailed::retry_after),
                      field("reconnect", &CalendarFailed::reconnect));
};
/// Somebody asks for a scan now (a push, or `hansard calendar sync`).
struct ScanRequested {
  static constexpr std::string_view kType = "scan_requested";
  static constexpr auto fields = std::make_tuple();
};

/// The calendar was disconnected or taken out of the configuration. What it showed is not wanted on its account any more.
struct CalendarRemoved {
  static constexpr std::string_view kType = "calendar_removed";
  static constexpr auto fields = std::make_tuple();
};

using Event =
    std::variant<TimerFired, HostStarted, MeetingSeen, MeetingGone, PlaceTaken, PlaceFree, StopRequested, PauseRequested,
                 Validated, ValidationFailed, Prepared, MediaReport, ParticipantChanged, SegmentFinal, SpanHeard, GapDetected,
                 SpeechDrained, RecognizerReady, ItemsChanged, AnalysisFinished, MinutesWritten, StepFailed, TaskDelivered,
                 CleanedUp, CalendarConfigured, CalendarFetched, CalendarFailed, ScanRequested, CalendarRemoved, SinkConfigured,
                 TaskWanted, TaskAnswered, TaskFound, TaskDecided, ClockMoved, HostNotice>;

}  // namespace hansard::flow

namespace hansard {
// Compiled in json.cc alone: it takes longer than most sources that need it.
extern template Result<flow::Event> from_json<flow::Event>(const Json&);
extern template std::string json_text<flow::Event>(const flow::Event&);
}  // namespace hansard
