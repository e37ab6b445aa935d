#pragma once
// What can go wrong in the simulated world, and how often it did.
#include <array>
#include <cstdint>
#include <span>

#include "core/base/reflect.h"

namespace hansard::sim {

enum class Fault : std::uint8_t {
  kDaemonKilled,  ///< between two turns of its loop
  kKilledBeforeCommit,
  kKilledAfterCommit,  ///< durable, but nothing was released
  kKilledInRelease,    ///< some effects of a commit were released, others not
  kStoreUnavailable,
  kStoreFull,
  kStoreLoadFailed,
  kHttpUnreachable,
  kHttpServerError,
  kHttpRetryAfter,
  kHttpSlow,
  kFeedBroken,   ///< an answer that is no calendar
  kNetworkLost,  ///< the bot's connection to a room
  kMediaKilled,  ///< the media process
  kPacketLoss,
  kMediaHangs,  ///< no answer of any kind to an attempt to join
  kRecognizerKilled,
  kRecognizerMissing,
  kRecognizerBusy,  ///< takes no audio for a while
  kSpoolFull,
  kSpoolNotRemoved,
  kMinutesFailed,
  kLobby,
  kLobbyTimeout,
  kDenied,
  kRoomLate,    ///< opens after its planned start
  kRoomCloses,  ///< for everybody at once
  kMeetingMoved,
  kMeetingCancelled,
  kMeetingRenamed,
  kMeetingRelinked,
  kMeetingRemoved,
  kPauseRequested,
  kStopRequested,
  kHttpNoName,     ///< the name server knows no such host
  kHttpReset,      ///< the connection breaks inside the answer
  kHttpTruncated,  ///< a body that ends too early and looks whole
  kSinkDown,
  kSinkAnswerLost,   ///< the task was taken
  kSinkRequestLost,  ///< it was not, and nobody knows
  kSinkBusy,
  kSinkRefuses,
  kSinkSlow,            ///< answers after the flow has stopped waiting
  kKilledWhileSending,  ///< a task
  kSpoolTorn,           ///< the last record of a track is half there when the daemon dies
  kSpoolReadFails,
  kClockForward,  ///< the wall clock of the host, until it is put right
  kClockBack,
  kSecondOwner,  ///< another daemon starts on the same store
  kClockSetWhileDown,
  kMachineRestarted,
  kClockSetOverRestart,  ///< of the machine: nobody can tell
  kMachineSlow,          ///< time passes between two readings of the clock
  kCount,
};
constexpr EnumName<Fault> kEnumNames_Fault[] = {{Fault::kDaemonKilled, "daemon killed"},
                                                {Fault::kKilledBeforeCommit, "killed before a commit"},
                                                {Fault::kKilledAfterCommit, "killed after a commit"},
                                                {Fault::kKilledInRelease, "killed between two effects"},
                                                {Fault::kStoreUnavailable, "store unavailable"},
                                                {Fault::kStoreFull, "store's disk full"},
                                                {Fault::kStoreLoadFailed, "store not readable"},
                                                {Fault::kHttpUnreachable, "http unreachable"},
                                                {Fault::kHttpServerError, "http server error"},
                                                {Fault::kHttpRetryAfter, "http retry-after"},
                                                {Fault::kHttpSlow, "http slow"},
                                                {Fault::kFeedBroken, "feed broken"},
                                                {Fault::kNetworkLost, "network lost"},
                                                {Fault::kMediaKilled, "media process killed"},
                                                {Fault::kPacketLoss, "packet loss"},
                                                {Fault::kMediaHangs, "join without an answer"},
                                                {Fault::kRecognizerKilled, "recognizer killed"},
                                                {Fault::kRecognizerMissing, "recognizer missing"},
                                                {Fault::kRecognizerBusy, "recognizer busy"},
                                                {Fault::kSpoolFull, "audio spool full"},
                                                {Fault::kSpoolNotRemoved, "audio not removable"},
                                                {Fault::kMinutesFailed, "minutes not writable"},
                                                {Fault::kLobby, "waiting room"},
                                                {Fault::kLobbyTimeout, "never admitted"},
                                                {Fault::kDenied, "denied"},
                                                {Fault::kRoomLate, "room opens late"},
                                                {Fault::kRoomCloses, "room closes"},
                                                {Fault::kMeetingMoved, "meeting moved"},
                                                {Fault::kMeetingCancelled, "meeting cancelled"},
                                                {Fault::kMeetingRenamed, "meeting renamed"},
                                                {Fault::kMeetingRelinked, "meeting relinked"},
                                                {Fault::kMeetingRemoved, "meeting removed"},
                                                {Fault::kPauseRequested, "recording paused"},
                                                {Fault::kStopRequested, "stopped by a person"},
                                                {Fault::kHttpNoName, "name not resolved"},
                                                {Fault::kHttpReset, "http reset in an answer"},
                                                {Fault::kHttpTruncated, "http body truncated"},
                                                {Fault::kSinkDown, "sink down"},
                                                {Fault::kSinkAnswerLost, "sink's answer lost"},
                                                {Fault::kSinkRequestLost, "request to sink lost"},
                                                {Fault::kSinkBusy, "sink busy"},
                                                {Fault::kSinkRefuses, "sink refuses"},
                                                {Fault::kSinkSlow, "sink slow"},
                                                {Fault::kKilledWhileSending, "killed while sending"},
                                                {Fault::kSpoolTorn, "audio record torn"},
                                                {Fault::kSpoolReadFails, "audio not readable"},
                                                {Fault::kClockForward, "clock jumps forward"},
                                                {Fault::kClockBack, "clock jumps back"},
                                                {Fault::kSecondOwner, "second owner"},
                                                {Fault::kClockSetWhileDown, "clock set while down"},
                                                {Fault::kMachineRestarted, "machine restarted"},
                                                {Fault::kClockSetOverRestart, "clock set over a restart"},
                                                {Fault::kMachineSlow, "machine slow"}};
constexpr auto enum_names(Fault) { return std::span(kEnumNames_Fault); }

/// How often each fault took effect (not: was planned).
struct FaultCounts {
  std::array<std::uint64_t, static_cast<std::size_t>(Fault::kCount)> n{};
  std::uint64_t& operator[](Fault f) { return n[static_cast<std::size_t>(f)]; }
  std::uint64_t operator[](Fault f) const { return n[static_cast<std::size_t>(f)]; }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto v : n) sum += v;
    return sum;
  }
  FaultCounts& operator+=(const FaultCounts& o) {
    for (std::size_t i = 0; i < n.size(); ++i) n[i] += o.n[i];
    return *this;
  }
};

}  // namespace hansard::sim
