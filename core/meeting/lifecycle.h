#pragma once
// The lifecycle of a meeting as one table. The diagram in ARCHITECTURE.md is generated from it
// (`hansard lifecycle`), and nothing else in the program decides which state may follow which.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/reflect.h"

namespace hansard::meeting {

enum class State : std::uint8_t {
  kNew,  ///< the aggregate exists but has seen no event
  kScheduled,
  kValidating,
  kPreparing,
  kJoining,
  kInWaitingRoom,
  kInCall,
  kRecording,
  kPaused,
  kReconnecting,
  kLeaving,
  kProcessing,
  kDistributing,
  kCleaning,
  kDone,
  kFailed,
  kCancelled,
};
constexpr EnumName<State> kEnumNames_State[] = {{State::kNew, "new"},
                                                {State::kScheduled, "scheduled"},
                                                {State::kValidating, "validating"},
                                                {State::kPreparing, "preparing"},
                                                {State::kJoining, "joining"},
                                                {State::kInWaitingRoom, "in_waiting_room"},
                                                {State::kInCall, "in_call"},
                                                {State::kRecording, "recording"},
                                                {State::kPaused, "paused"},
                                                {State::kReconnecting, "reconnecting"},
                                                {State::kLeaving, "leaving"},
                                                {State::kProcessing, "processing"},
                                                {State::kDistributing, "distributing"},
                                                {State::kCleaning, "cleaning"},
                                                {State::kDone, "done"},
                                                {State::kFailed, "failed"},
                                                {State::kCancelled, "cancelled"}};
constexpr auto enum_names(State) { return std::span(kEnumNames_State); }

/// What moves a meeting. Several events can amount to the same trigger.
enum class Trigger : std::uint8_t {
  kSeen,            ///< found in a calendar, or asked for by hand
  kWindowOpened,    ///< time to validate
  kValid,           ///< the platform knows it, or it cannot be known before joining
  kJoinDue,         ///< prepared, and time to join
  kMustWait,        ///< in the lobby
  kAdmitted,        ///< in the call
  kAnnounced,       ///< people can see that it records
  kPause,           ///< somebody asked to stop recording
  kResume,          ///< and to go on
  kConnectionLost,  ///< worth another attempt
  kLeave,           ///< a leave rule, a request, or a failure after something was recorded
  kLeft,            ///< out, and something was recorded
  kLeftEmpty,       ///< out, and nothing was recorded
  kProcessed,       ///< recognized, analysed, written
  kDistributed,     ///< tasks are in the outbox
  kCleaned,         ///< resources released, outcome good
  kFail,            ///< a failure before anything was recorded
  kCleanedFailed,   ///< resources released after a failure
  kCancel,          ///< cancelled before the call
  kCleanedCancelled,
  kRescheduled,  ///< a cancelled or failed meeting got a new time
};
constexpr EnumName<Trigger> kEnumNames_Trigger[] = {
    {Trigger::kSeen, "seen"},
    {Trigger::kWindowOpened, "window opened"},
    {Trigger::kValid, "valid"},
    {Trigger::kJoinDue, "join due"},
    {Trigger::kMustWait, "must wait"},
    {Trigger::kAdmitted, "admitted"},
    {Trigger::kAnnounced, "announced"},
    {Trigger::kPause, "pause"},
    {Trigger::kResume, "resume"},
    {Trigger::kConnectionLost, "connection lost"},
    {Trigger::kLeave, "leave"},
    {Trigger::kLeft, "left"},
    {Trigger::kLeftEmpty, "left, nothing recorded"},
    {Trigger::kProcessed, "processed"},
    {Trigger::kDistributed, "distributed"},
    {Trigger::kCleaned, "cleaned"},
    {Trigger::kFail, "fail"},
    {Trigger::kCleanedFailed, "cleaned after failure"},
    {Trigger::kCancel, "cancel"},
    {Trigger::kCleanedCancelled, "cleaned after cancel"},
    {Trigger::kRescheduled, "rescheduled"},
};
constexpr auto enum_names(Trigger) { return std::span(kEnumNames_Trigger); }

struct Transition {
  State from;
  Trigger trigger;
  State to;
};

/// The whole table, at most one row for each (state, trigger).
std::span<const Transition> transitions();

/// The state that follows, or nullopt when the trigger means nothing in this state.
std::optional<State> next(State from, Trigger trigger);

constexpr bool is_final(State s) { return s == State::kDone || s == State::kFailed || s == State::kCancelled; }
/// A media process should exist for the meeting.
constexpr bool wants_media(State s) { return s >= State::kJoining && s <= State::kReconnecting; }
/// The bot is in the call.
constexpr bool in_call(State s) { return s == State::kInCall || s == State::kRecording || s == State::kPaused; }

/// The table as a Mermaid state diagram.
std::string lifecycle_diagram();

/// Why a meeting failed or ended early; each says what a person can do about it (failure_advice).
enum class FailureCode : std::uint8_t {
  kNone,
  kWaitingRoomTimeout,
  kDenied,
  kRemoved,
  kMeetingNotFound,
  kNotStarted,
  kLoginRequired,
  kBadPasscode,
  kBlockedByBotWall,
  kPlatformUnauthorized,
  kMediaLost,
  kRecordingNotAllowed,
  kUnsupportedPlatform,
  kMissed,
  kDiskFull,
  kInternal,
};
constexpr EnumName<FailureCode> kEnumNames_FailureCode[] = {
    {FailureCode::kNone, ""},
    {FailureCode::kWaitingRoomTimeout, "waiting_room_timeout"},
    {FailureCode::kDenied, "denied"},
    {FailureCode::kRemoved, "removed"},
    {FailureCode::kMeetingNotFound, "meeting_not_found"},
    {FailureCode::kNotStarted, "not_started"},
    {FailureCode::kLoginRequired, "login_required"},
    {FailureCode::kBadPasscode, "bad_passcode"},
    {FailureCode::kBlockedByBotWall, "blocked_by_bot_wall"},
    {FailureCode::kPlatformUnauthorized, "platform_unauthorized"},
    {FailureCode::kMediaLost, "media_lost"},
    {FailureCode::kRecordingNotAllowed, "recording_not_allowed"},
    {FailureCode::kUnsupportedPlatform, "unsupported_platform"},
    {FailureCode::kMissed, "missed"},
    {FailureCode::kDiskFull, "disk_full"},
    {FailureCode::kInternal, "internal"},
};
constexpr auto enum_names(FailureCode) { return std::span(kEnumNames_FailureCode); }

/// One sentence that tells a person what to do.
std::string_view failure_advice(FailureCode code);

}  // namespace hansard::meeting
