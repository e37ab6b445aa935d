#pragma once
// The aggregates: small, of constant size over a meeting's length, plain data.
#include <cstdint>
#include <map>
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
  static constexpr auto fields =
      std::make_tuple(field("id", &ParticipantState::id), field("name", &ParticipantState::name),
                      field("present", &ParticipantState::present), field("bot", &ParticipantState::bot),
                      field("stale", &ParticipantState::stale), field("covered_until_ms", &ParticipantState::covered_until));
};

struct MeetingState {
  static constexpr std::string_view kType = "meeting";
  std::string id;
  meeting::State state = meeting::State::kNew;
  MeetingSpec spec;
  MeetingSettings settings;
  std::vector<std::string> sources;  ///< calendars that want it ("manual" for by hand)
  std::map<std::string, Instant> timers;
  std::uint64_t seed = 0;   ///< of the next random number
  std::uint32_t epoch = 0;  ///< of the current media attempt
  int attempts = 0;         ///< reconnection attempts since the last stable call
  Instant origin;           ///< of media time; 0 until capture began
  std::string gap_reason;   ///< of the hole that the next capture will leave
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
  static constexpr auto fields = std::make_tuple(
      field("id", &MeetingState::id), field("state", &MeetingState::state), field("spec", &MeetingState::spec),
      field("settings", &MeetingState::settings), field("sources", &MeetingState::sources),
      field("timers", &MeetingState::timers), field("seed", &MeetingState::seed), field("epoch", &MeetingState::epoch),
      field("attempts", &MeetingState::attempts), field("origin_unix_ms", &MeetingState::origin),
      field("gap_reason", &MeetingState::gap_reason), field("last_speech_unix_ms", &MeetingState::last_speech),
      field("participants", &MeetingState::participants), field("utterances", &MeetingState::utterances),
      field("recognizer", &MeetingState::recognizer), field("drained", &MeetingState::drained),
      field("paused", &MeetingState::paused), field("cancelled", &MeetingState::cancelled), field("again", &MeetingState::again),
      field("met", &MeetingState::met), field("tasks", &MeetingState::tasks), field("code", &MeetingState::code),
      field("vendor_code", &MeetingState::vendor_code), field("note", &MeetingState::note));
};

/// An occurrence that the source has shown and the meeting it became.
struct KnownOccurrence {
  std::string key;
  std::string meeting;  ///< empty: not joined, `reason` says why
  std::string reason;
  MeetingSpec spec;  ///< as last told to the meeting
  static constexpr auto fields =
      std::make_tuple(field("key", &KnownOccurrence::key), field("meeting", &KnownOccurrence::meeting),
                      field("reason", &KnownOccurrence::reason), field("spec", &KnownOccurrence::spec));
};

struct CalendarState {
  static constexpr std::string_view kType = "calendar";
  CalendarSource source;
  MeetingSettings settings;
  std::map<std::string, Instant> timers;
  std::uint64_t seed = 0;
  int failures = 0;
  bool failing = false;                ///< the last record said so
  std::vector<KnownOccurrence> known;  ///< of the window and what has not ended yet
  static constexpr auto fields = std::make_tuple(
      field("source", &CalendarState::source), field("settings", &CalendarState::settings),
      field("timers", &CalendarState::timers), field("seed", &CalendarState::seed), field("failures", &CalendarState::failures),
      field("failing", &CalendarState::failing), field("known", &CalendarState::known));
};

using State = std::variant<MeetingState, CalendarState>;

}  // namespace hansard::flow
