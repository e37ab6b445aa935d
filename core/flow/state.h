#pragma once
// The aggregates: small, of constant size over a meeting's length, plain data.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/analysis/item.h"
#include "core/flow/types.h"
#include "core/meeting/lifecycle.h"

namespace hansard::flow {

/// More participants than this are recorded but have no speech of their own followed; a bound, not a feature.
constexpr std::size_t kMaxParticipants = 1000;

struct ParticipantState {
  std::string id;
  std::string name;
  bool present = true;
  bool bot = false;
  bool stale = false;       ///< not confirmed since the connection was lost
  MediaTime covered_until;  ///< everything before is answered for by the recognizer
  MediaTime lost_from;      ///< the latest loss that was reported
  MediaTime lost_until;
  MediaTime left_at;    ///< end of its presence, while it is not there
  std::string left_in;  ///< reason of the hole that it may have left behind at its end; empty: the host told of it all
  static constexpr auto fields =
      std::make_tuple(field("id", &ParticipantState::id), field("name", &ParticipantState::name),
                      field("present", &ParticipantState::present), field("bot", &ParticipantState::bot),
                      field("stale", &ParticipantState::stale), field("covered_until_ms", &ParticipantState::covered_until),
                      field("lost_from_ms", &ParticipantState::lost_from), field("lost_until_ms", &ParticipantState::lost_until),
                      field("left_at_ms", &ParticipantState::left_at), field("left_in", &ParticipantState::left_in));
};

struct MeetingState {
  static constexpr std::string_view kType = "meeting";
  std::string id;
  meeting::State state = meeting::State::kNew;
  MeetingSpec spec;
  MeetingSettings settings;
  std::vector<std::string> sources;  ///< calendars that want it ("manual" for by hand)
  std::vector<MeetingSpec> views;    ///< what each of them says, in the order of `sources`
  std::map<std::string, Instant> timers;
  std::optional<MeetingSpec> next;  ///< it is held now, and was moved to a time after its end: another meeting will follow
  std::string successor;            ///< that meeting's id; what calendars say is passed on to it
  std::string behind;               ///< the meeting at the same place for which the bot goes; empty: for this one itself
  std::uint64_t seed = 0;           ///< of the next random number
  std::uint32_t epoch = 0;          ///< of the current media attempt
  int attempts = 0;                 ///< reconnection attempts since the last stable call
  Instant origin;                   ///< of media time; 0 until capture began
  std::string gap_reason;           ///< of the hole that the next capture will leave
  std::string last_gap;             ///< reason of the hole before the latest capture
  Instant last_speech;
  std::vector<ParticipantState> participants;
  std::uint64_t utterances = 0;
  bool recognizer = true;
  bool drained = false;
  bool paused = false;  ///< a person asked for a pause; holds over reconnections
  bool cancelled = false;
  bool again = false;               ///< moved while joining: after `cleaning` it starts over
  bool met = false;                 ///< somebody else has been there
  std::vector<AnalysisItem> tasks;  ///< final action items, from the end of analysis until they are distributed
  meeting::FailureCode code = meeting::FailureCode::kNone;
  std::string vendor_code;
  std::string note;
  /// The meeting that is meant by this one's id now, empty: this one.
  std::string passes_on_to() const { return behind.empty() ? successor : behind; }
  static constexpr auto fields = std::make_tuple(
      field("id", &MeetingState::id), field("state", &MeetingState::state), field("spec", &MeetingState::spec),
      field("settings", &MeetingState::settings), field("sources", &MeetingState::sources), field("views", &MeetingState::views),
      field("next", &MeetingState::next), field("successor", &MeetingState::successor), field("behind", &MeetingState::behind),
      field("timers", &MeetingState::timers), field("seed", &MeetingState::seed), field("epoch", &MeetingState::epoch),
      field("attempts", &MeetingState::attempts), field("origin_unix_ms", &MeetingState::origin),
      field("gap_reason", &MeetingState::gap_reason), field("last_gap", &MeetingState::last_gap),
      field("last_speech_unix_ms", &MeetingState::last_speech), field("participants", &MeetingState::participants),
      field("utterances", &MeetingState::utterances), field("recognizer", &MeetingState::recognizer),
      field("drained", &MeetingState::drained), field("paused", &MeetingState::paused),
      field("cancelled", &MeetingState::cancelled), field("again", &MeetingState::again), field("met", &MeetingState::met),
      field("tasks", &MeetingState::tasks), field("code", &MeetingState::code), field("vendor_code", &MeetingState::vendor_code),
      field("note", &MeetingState::note));
};

/// An occurrence that the source has shown, and the meeting it became.
struct KnownOccurrence : SeenOccurrence {
  std::string meeting;  ///< empty: not attended
  std::string reason;   ///< why it is attended or not: a name of calendar::AttendReason
  static constexpr auto fields =
      std::tuple_cat(SeenOccurrence::fields,
                     std::make_tuple(field("meeting", &KnownOccurrence::meeting), field("reason", &KnownOccurrence::reason)));
};

/// More occurrences than this are not kept of one calendar (the earliest are); the rest is told in `notes`.
constexpr std::size_t kMaxKnown = 5000;

struct CalendarState {
  static constexpr std::string_view kType = "calendar";
  CalendarSource source;
  MeetingSettings settings;
  std::map<std::string, Instant> timers;
  std::uint64_t seed = 0;
  std::string state;                   ///< as in CalendarRecord; empty: not read yet
  std::string detail;                  ///< of the last failure, empty while all is well: what a person can do
  int failures = 0;                    ///< since the last success
  std::uint64_t scans = 0;             ///< that have ended, well or not
  Instant last_success;                ///< 0: never
  std::vector<std::string> notes;      ///< of the last scan
  std::vector<KnownOccurrence> known;  ///< of the window and what has not ended yet, by key
  static constexpr auto fields = std::make_tuple(
      field("source", &CalendarState::source), field("settings", &CalendarState::settings),
      field("timers", &CalendarState::timers), field("seed", &CalendarState::seed), field("state", &CalendarState::state),
      field("detail", &CalendarState::detail), field("failures", &CalendarState::failures), field("scans", &CalendarState::scans),
      field("last_success_unix_ms", &CalendarState::last_success), field("notes", &CalendarState::notes),
      field("known", &CalendarState::known));
  bool removed() const { return state == "removed"; }
};

enum class DeliveryState : std::uint8_t {
  kWaiting,
  kSending,  ///< an attempt is on record; its answer has not come
  kLooking,  ///< the last attempt's outcome is not known, and the sink is asked
  kDead,     ///< a person must decide
};
constexpr EnumName<DeliveryState> kEnumNames_DeliveryState[] = {{DeliveryState::kWaiting, "waiting"},
                                                                {DeliveryState::kSending, "sending"},
                                                                {DeliveryState::kLooking, "looking"},
                                                                {DeliveryState::kDead, "dead"}};
constexpr auto enum_names(DeliveryState) { return std::span(kEnumNames_DeliveryState); }

/// A task on its way to a sink.
struct Delivery {
  tasks::Task task;
  DeliveryState state = DeliveryState::kWaiting;
  int attempts = 0;
  Instant created;
  Instant not_before;  ///< of the next attempt or look-up; while sending: when no answer counts as none
  std::string detail;  ///< why it is not there yet
  static constexpr auto fields =
      std::make_tuple(field("task", &Delivery::task), field("state", &Delivery::state), field("attempts", &Delivery::attempts),
                      field("created_unix_ms", &Delivery::created), field("not_before_unix_ms", &Delivery::not_before),
                      field("detail", &Delivery::detail));
};

/// What is on its way to one sink. The tasks of one meeting go in order, those of several side by side.
struct SinkState {
  static constexpr std::string_view kType = "sink";
  TaskSinkSettings settings;
  bool configured = false;  ///< else nothing is sent
  std::map<std::string, Instant> timers;
  std::uint64_t seed = 0;
  std::vector<Delivery> deliveries;  ///< in the order in which they came
  Instant paused_until;              ///< the sink asked for it
  Instant window_start;              ///< of the budget's minute
  int sent_in_window = 0;
  static constexpr auto fields = std::make_tuple(
      field("settings", &SinkState::settings), field("configured", &SinkState::configured), field("timers", &SinkState::timers),
      field("seed", &SinkState::seed), field("deliveries", &SinkState::deliveries),
      field("paused_until_unix_ms", &SinkState::paused_until), field("window_start_unix_ms", &SinkState::window_start),
      field("sent_in_window", &SinkState::sent_in_window));
};

using State = std::variant<MeetingState, CalendarState, SinkState>;

}  // namespace hansard::flow

namespace hansard {
// Compiled in json.cc alone: it takes longer than most sources that need it.
extern template Result<flow::State> from_json<flow::State>(const Json&);
extern template std::string json_text<flow::State>(const flow::State&);
}  // namespace hansard
