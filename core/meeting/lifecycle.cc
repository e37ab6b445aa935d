#include "core/meeting/lifecycle.h"

namespace hansard::meeting {
namespace {

using enum State;
using enum Trigger;

constexpr Transition kTable[] = {
    {kNew, kSeen, kScheduled},
    {kScheduled, kWindowOpened, kValidating},
    {kScheduled, kFail, kCleaning},
    {kScheduled, kCancel, kCleaning},
    {kValidating, kValid, kPreparing},
    {kValidating, kFail, kCleaning},
    {kValidating, kCancel, kCleaning},
    {kValidating, kRescheduled, kScheduled},
    {kPreparing, kJoinDue, kJoining},
    {kPreparing, kFail, kCleaning},
    {kPreparing, kCancel, kCleaning},
    {kPreparing, kRescheduled, kScheduled},
    {kJoining, kMustWait, kInWaitingRoom},
    {kJoining, kAdmitted, kInCall},
    {kJoining, kConnectionLost, kReconnecting},
    {kJoining, kLeave, kLeaving},
    {kInWaitingRoom, kAdmitted, kInCall},
    {kInWaitingRoom, kConnectionLost, kReconnecting},
    {kInWaitingRoom, kLeave, kLeaving},
    {kInCall, kAnnounced, kRecording},
    {kInCall, kConnectionLost, kReconnecting},
    {kInCall, kLeave, kLeaving},
    {kRecording, kPause, kPaused},
    {kRecording, kConnectionLost, kReconnecting},
    {kRecording, kLeave, kLeaving},
    {kPaused, kResume, kRecording},
    {kPaused, kConnectionLost, kReconnecting},
    {kPaused, kLeave, kLeaving},
    {kReconnecting, kMustWait, kInWaitingRoom},
    {kReconnecting, kAdmitted, kInCall},
    {kReconnecting, kLeave, kLeaving},
    {kLeaving, kLeft, kProcessing},
    {kLeaving, kLeftEmpty, kCleaning},
    {kProcessing, kProcessed, kDistributing},
    {kDistributing, kDistributed, kCleaning},
    {kCleaning, kCleaned, kDone},
    {kCleaning, kCleanedFailed, kFailed},
    {kCleaning, kCleanedCancelled, kCancelled},
    {kFailed, kRescheduled, kScheduled},
    {kCancelled, kRescheduled, kScheduled},
};

}  // namespace

std::span<const Transition> transitions() { return kTable; }

std::optional<State> next(State from, Trigger trigger) {
  for (const Transition& t : kTable) {
    if (t.from == from && t.trigger == trigger) return t.to;
  }
  return std::nullopt;
}

std::string lifecycle_diagram() {
  std::string out = "stateDiagram-v2\n";
  for (const Transition& t : kTable) {
    out += "    ";
    out += t.from == kNew ? "[*]" : std::string(enum_name(t.from));
    out += " --> " + std::string(enum_name(t.to)) + ": " + std::string(enum_name(t.trigger)) + "\n";
  }
  for (const State s : {kDone, kFailed, kCancelled}) out += "    " + std::string(enum_name(s)) + " --> [*]\n";
  return out;
}

std::string_view failure_advice(FailureCode code) {
  switch (code) {
    case FailureCode::kNone: return "";
    case FailureCode::kWaitingRoomTimeout:
      return "nobody admitted the bot from the waiting room; admit it, or let it bypass the waiting room";
    case FailureCode::kDenied: return "the host refused the bot; ask the host to admit it";
    case FailureCode::kRemoved: return "somebody removed the bot from the meeting";
    case FailureCode::kMeetingNotFound: return "the link leads to no meeting; check the invitation";
    case FailureCode::kNotStarted: return "the meeting had not been started when waiting ended; start it, then use hansard join";
    case FailureCode::kLoginRequired: return "the meeting only lets signed-in people in; connect an account or give a token";
    case FailureCode::kBadPasscode: return "the passcode was refused; check the invitation";
    case FailureCode::kBlockedByBotWall:
      return "the platform stopped the bot with a robot check; use the platform's own interface";
    case FailureCode::kPlatformUnauthorized: return "the platform refused our credentials; connect the account again";
    case FailureCode::kMediaLost: return "the connection was lost and did not come back; what was received until then is kept";
    case FailureCode::kRecordingNotAllowed: return "recording is not allowed here, or nobody could be told of it";
    case FailureCode::kUnsupportedPlatform: return "this version cannot join that platform yet";
    case FailureCode::kMissed: return "hansard was not running while the meeting took place";
    case FailureCode::kDiskFull:
      return "the disk had too little room to begin a recording; free some space, then use hansard join";
    case FailureCode::kInternal: return "a fault of hansard; please report it with the log";
  }
  return "";
}

}  // namespace hansard::meeting
