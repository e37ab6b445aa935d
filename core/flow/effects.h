#pragma once
// What the flow wants done outside, as data. A host commits durable effects with the state that caused them (the
// outbox) and releases every effect only after that commit. Durable effects are at-least-once: after a crash they are
// released again under the same key; their answer removes them. The others are not kept: HostStarted makes the state
// ask again for what is still wanted.
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#include "core/flow/events.h"

namespace hansard::flow {

/// Ask the platform whether the meeting can be joined -> Validated | ValidationFailed.
struct ValidateMeeting {
  static constexpr std::string_view kType = "validate_meeting";
  static constexpr bool kDurable = true;
  std::string platform;
  std::string url;
  std::string token;
  static constexpr auto fields = std::make_tuple(field("platform", &ValidateMeeting::platform),
                                                 field("url", &ValidateMeeting::url), field("token", &ValidateMeeting::token));
};

/// Warm the recognizer, check disk space -> Prepared.
struct PrepareMeeting {
  static constexpr std::string_view kType = "prepare_meeting";
  static constexpr bool kDurable = true;
  static constexpr auto fields = std::make_tuple();
};

/// Start a media process and join -> MediaReport{epoch}, ParticipantChanged.
struct StartMedia {
  static constexpr std::string_view kType = "start_media";
  static constexpr bool kDurable = false;
  std::uint32_t epoch = 0;
  std::string platform;
  std::string url;
  std::string token;
  std::string display_name;
  static constexpr auto fields = std::make_tuple(field("epoch", &StartMedia::epoch), field("platform", &StartMedia::platform),
                                                 field("url", &StartMedia::url), field("token", &StartMedia::token),
                                                 field("display_name", &StartMedia::display_name));
};

/// Where recognition of a participant's audio goes on: everything before is covered.
struct TrackCursor {
  std::string participant;
  MediaTime covered_until;
  static constexpr auto fields =
      std::make_tuple(field("participant", &TrackCursor::participant), field("covered_until_ms", &TrackCursor::covered_until));
};

/// Deliver audio from now on, media time zero being `origin` -> SegmentFinal, SpanHeard, GapDetected. Audio that was
/// captured before and lies behind the cursors is recognized too. `gap_reason` names what a hole before the first new
/// audio is put down to.
struct StartCapture {
  static constexpr std::string_view kType = "start_capture";
  static constexpr bool kDurable = false;
  std::uint32_t epoch = 0;
  Instant origin;
  std::string language;
  std::string gap_reason;
  std::vector<TrackCursor> cursors;
  static constexpr auto fields =
      std::make_tuple(field("epoch", &StartCapture::epoch), field("origin_unix_ms", &StartCapture::origin),
                      field("language", &StartCapture::language), field("gap_reason", &StartCapture::gap_reason),
                      field("cursors", &StartCapture::cursors));
};

/// Stop taking audio, stay in the call. The time until the next StartCapture is withheld.
struct PauseCapture {
  static constexpr std::string_view kType = "pause_capture";
  static constexpr bool kDurable = false;
  std::uint32_t epoch = 0;
  static constexpr auto fields = std::make_tuple(field("epoch", &PauseCapture::epoch));
};

/// Leave and end the media process -> MediaReport{kLeft}.
struct StopMedia {
  static constexpr std::string_view kType = "stop_media";
  static constexpr bool kDurable = false;
  std::uint32_t epoch = 0;
  static constexpr auto fields = std::make_tuple(field("epoch", &StopMedia::epoch));
};

/// Recognize everything captured behind the cursors -> SegmentFinal..., then SpeechDrained.
struct DrainSpeech {
  static constexpr std::string_view kType = "drain_speech";
  static constexpr bool kDurable = false;
  std::string language;
  std::vector<TrackCursor> cursors;
  static constexpr auto fields =
      std::make_tuple(field("language", &DrainSpeech::language), field("cursors", &DrainSpeech::cursors));
};

/// Look at a new utterance with the live analysis -> ItemsChanged (only when something changed).
struct AnalyzeLive {
  static constexpr std::string_view kType = "analyze_live";
  static constexpr bool kDurable = false;
  Utterance utterance;
  static constexpr auto fields = std::make_tuple(field("utterance", &AnalyzeLive::utterance));
};

/// The final pass over all stored utterances -> AnalysisFinished.
struct AnalyzeFinal {
  static constexpr std::string_view kType = "analyze_final";
  static constexpr bool kDurable = true;
  static constexpr auto fields = std::make_tuple();
};

/// Write the minutes from the stored rows -> MinutesWritten | StepFailed.
struct WriteMinutes {
  static constexpr std::string_view kType = "write_minutes";
  static constexpr bool kDurable = true;
  static constexpr auto fields = std::make_tuple();
};

/// Keep a task of a meeting for which no sink is configured in the outbox. Never released.
struct HoldTask {
  static constexpr std::string_view kType = "deliver_task";
  static constexpr bool kDurable = true;
  std::string key;
  AnalysisItem item;
  static constexpr auto fields = std::make_tuple(field("key", &HoldTask::key), field("item", &HoldTask::item));
};

/// Send a task -> TaskAnswered with the same key and attempt. Not durable by itself: the attempt is on record in the sink's
/// state, and HostStarted makes that ask what became of it.
struct SendTask {
  static constexpr std::string_view kType = "send_task";
  static constexpr bool kDurable = false;
  std::string sink;
  int attempt = 0;
  Instant created;  ///< of the task, the same at every attempt
  tasks::Task task;
  static constexpr auto fields = std::make_tuple(field("sink", &SendTask::sink), field("attempt", &SendTask::attempt),
                                                 field("created_unix_ms", &SendTask::created), field("task", &SendTask::task));
};

/// Look whether an earlier attempt has arrived -> TaskFound.
struct FindTask {
  static constexpr std::string_view kType = "find_task";
  static constexpr bool kDurable = false;
  std::string sink;
  int attempt = 0;
  tasks::Task task;
  static constexpr auto fields =
      std::make_tuple(field("sink", &FindTask::sink), field("attempt", &FindTask::attempt), field("task", &FindTask::task));
};

/// Remove the meeting's audio and whatever else is short-lived -> CleanedUp. (Its context goes in the commit itself.)
struct CleanUp {
  static constexpr std::string_view kType = "clean_up";
  static constexpr bool kDurable = true;
  static constexpr auto fields = std::make_tuple();
};

/// Read the calendar and expand [from, to) -> CalendarFetched | CalendarFailed.
struct FetchCalendar {
  static constexpr std::string_view kType = "fetch_calendar";
  static constexpr bool kDurable = false;
  CalendarSource source;
  Instant from;
  Instant to;
  static constexpr auto fields =
      std::make_tuple(field("source", &FetchCalendar::source), field("from_unix_ms", &FetchCalendar::from),
                      field("to_unix_ms", &FetchCalendar::to));
};

/// An event for another aggregate: the host posts it there; its commit removes this effect.
struct ToAggregate {
  static constexpr std::string_view kType = "to_aggregate";
  static constexpr bool kDurable = true;
  std::string aggregate;
  Event event;
  static constexpr auto fields =
      std::make_tuple(field("aggregate", &ToAggregate::aggregate), field("event", &ToAggregate::event));
};

using Effect =
    std::variant<ValidateMeeting, PrepareMeeting, StartMedia, StartCapture, PauseCapture, StopMedia, DrainSpeech, AnalyzeLive,
                 AnalyzeFinal, WriteMinutes, HoldTask, SendTask, FindTask, CleanUp, FetchCalendar, ToAggregate>;

inline bool durable(const Effect& effect) {
  return std::visit([](const auto& e) { return std::remove_cvref_t<decltype(e)>::kDurable; }, effect);
}

}  // namespace hansard::flow

namespace hansard {
// Compiled in json.cc alone: it takes longer than most sources that need it.
extern template Result<flow::Effect> from_json<flow::Effect>(const Json&);
extern template std::string json_text<flow::Effect>(const flow::Effect&);
}  // namespace hansard
