#pragma once
// What a meeting and a calendar source are to the flow.
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/reflect.h"
#include "core/base/time.h"
#include "core/calendar/attend.h"
#include "core/meeting/policy.h"
#include "core/tasks/task.h"

namespace hansard::flow {

/// Settings that a meeting carries along from its first event, so that a replay needs no configuration.
struct MeetingSettings {
  meeting::JoinRules join;
  meeting::LeaveRules leave;
  std::string display_name = "hansard (recording)";
  std::string language;             ///< BCP 47, empty: the model's own
  Duration keep_audio = hours(72);  ///< longest time that audio waits for a recognizer
  std::vector<std::string> sinks;   ///< where tasks go; empty: they stay in the outbox
  static constexpr auto fields =
      std::make_tuple(field("join", &MeetingSettings::join), field("leave", &MeetingSettings::leave),
                      field("display_name", &MeetingSettings::display_name), field("language", &MeetingSettings::language),
                      field("keep_audio_ms", &MeetingSettings::keep_audio), field("sinks", &MeetingSettings::sinks));
};

/// A meeting as a calendar or a person names it.
struct MeetingSpec {
  std::string platform;     ///< "generic", "zoom", "teams", "meet", ...
  std::string meeting_key;  ///< the platform's id of it; with platform and occurrence the identity
  std::string url;          ///< the join link: a secret, never logged
  std::string passcode;
  std::string token;  ///< bearer token for the endpoint, may be empty
  std::string title;
  Instant start;
  Instant end;
  std::string source;         ///< calendar source id, or "manual"
  bool by_hand = false;       ///< a person asked for this meeting and answers for telling the others
  std::int64_t sequence = 0;  ///< SEQUENCE of the event (RFC 5546): of two different versions the higher is newer. 0: not told
  static constexpr auto fields = std::make_tuple(
      field("platform", &MeetingSpec::platform), field("meeting_key", &MeetingSpec::meeting_key), field("url", &MeetingSpec::url),
      field("passcode", &MeetingSpec::passcode), field("token", &MeetingSpec::token), field("title", &MeetingSpec::title),
      field("start_unix_ms", &MeetingSpec::start), field("end_unix_ms", &MeetingSpec::end), field("source", &MeetingSpec::source),
      field("by_hand", &MeetingSpec::by_hand), field("sequence", &MeetingSpec::sequence));
  bool operator==(const MeetingSpec&) const = default;
};

/// Where and when: of all that is the same here, whatever calendars call it, one bot goes to one. Meetings one after the other
/// in the same room, or on other days, differ in their start.
inline bool same_place(const MeetingSpec& a, const MeetingSpec& b) {
  return a.start == b.start && a.meeting_key == b.meeting_key && a.platform == b.platform;
}

/// One occurrence that a scan of a calendar found inside its window.
struct SeenOccurrence {
  std::string
      key;  ///< stable over changes of time, in this calendar: the UID, for an instance of a series with its original start
  /// What tells this occurrence from others behind the same link, the same in every calendar: the UID of an event that
  /// stands alone (it may be moved before another calendar first shows it). Empty: the original start.
  std::string identity;
  Instant original_start;
  bool cancelled = false;
  bool all_day = false;
  calendar::AttendFacts facts;
  MeetingSpec spec;  ///< platform empty: nothing to join was found
  static constexpr auto fields = std::make_tuple(
      field("key", &SeenOccurrence::key), field("identity", &SeenOccurrence::identity),
      field("original_start_unix_ms", &SeenOccurrence::original_start), field("cancelled", &SeenOccurrence::cancelled),
      field("all_day", &SeenOccurrence::all_day), field("facts", &SeenOccurrence::facts), field("spec", &SeenOccurrence::spec));
  bool operator==(const SeenOccurrence&) const = default;
};

struct CalendarSource {
  std::string id;    ///< name in the configuration or of the connection
  std::string kind;  ///< "ics", "google", "microsoft", "caldav"
  std::string url;   ///< http(s)/webcal address or file path: a secret, never logged. Empty: a connection of that id
  Duration interval = minutes(5);
  Duration look_ahead = hours(24);
  calendar::AttendRules attend{};
  std::string account{};  ///< whose calendar it is, usually a mail address; may be empty
  static constexpr auto fields =
      std::make_tuple(field("id", &CalendarSource::id), field("kind", &CalendarSource::kind), field("url", &CalendarSource::url),
                      field("account", &CalendarSource::account), field("interval_ms", &CalendarSource::interval),
                      field("look_ahead_ms", &CalendarSource::look_ahead), field("attend", &CalendarSource::attend));
  bool operator==(const CalendarSource&) const = default;
};

/// A place that tasks are handed to, as the configuration says.
struct TaskSinkSettings {
  std::string id;  ///< name in the configuration
  tasks::SinkClass sink_class = tasks::SinkClass::kOpaque;
  int per_minute = 30;    ///< attempts that it is asked to take at most
  int max_attempts = 12;  ///< then a person decides: with the backoff of four hours at most this is about a day
  static constexpr auto fields =
      std::make_tuple(field("id", &TaskSinkSettings::id), field("class", &TaskSinkSettings::sink_class),
                      field("per_minute", &TaskSinkSettings::per_minute), field("max_attempts", &TaskSinkSettings::max_attempts));
  bool operator==(const TaskSinkSettings&) const = default;
};

/// Id of the aggregate of a sink.
inline std::string sink_id(const std::string& sink) { return "sink:" + sink; }

/// Identity of a meeting: the same platform, meeting and occurrence give the same id in every calendar.
std::string meeting_id(std::string_view platform, std::string_view meeting_key, Instant original_start);
std::string meeting_id(const SeenOccurrence& occurrence);

}  // namespace hansard::flow
