#pragma once
// The audit log: rows that are only ever added, each bound to the one before by a hash. Pure: a store keeps the rows and computes
// the next one inside the transaction of what it is about. docs/audit.md describes the encoding to the byte, and what the chain
// shows and does not show.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"

namespace hansard::audit {

/// SHA-256 (FIPS 180-4).
using Hash = std::array<std::uint8_t, 32>;

/// The first byte of what is hashed.
constexpr char kEncodingVersion = 1;
/// Bytes of actor, action, object and outcome; what is longer is cut at a character's end.
constexpr std::size_t kMaxField = 128;

// What is recorded. docs/audit.md has a line for each.
inline constexpr std::string_view kLogBegin = "log.begin";
inline constexpr std::string_view kStoreOpen = "store.open";
inline constexpr std::string_view kDaemonStop = "daemon.stop";
inline constexpr std::string_view kRequestRefuse = "request.refuse";
inline constexpr std::string_view kBackupMake = "backup.make";
inline constexpr std::string_view kBackupRestore = "backup.restore";
inline constexpr std::string_view kMeetingJoin = "meeting.join";
inline constexpr std::string_view kMeetingStop = "meeting.stop";
inline constexpr std::string_view kMeetingPause = "meeting.pause";
inline constexpr std::string_view kMeetingResume = "meeting.resume";
inline constexpr std::string_view kMeetingClean = "meeting.clean";
inline constexpr std::string_view kConsentAnnounce = "consent.announce";
inline constexpr std::string_view kAudioExpire = "audio.expire";
inline constexpr std::string_view kMinutesWrite = "minutes.write";
inline constexpr std::string_view kTaskDeliver = "task.deliver";
inline constexpr std::string_view kTaskRetry = "task.retry";
inline constexpr std::string_view kTaskDiscard = "task.discard";
inline constexpr std::string_view kCalendarConnect = "calendar.connect";
inline constexpr std::string_view kCalendarChange = "calendar.change";
inline constexpr std::string_view kCalendarDisconnect = "calendar.disconnect";
inline constexpr std::array kActions = {kLogBegin,      kStoreOpen,   kDaemonStop,      kRequestRefuse,   kBackupMake,
                                        kBackupRestore, kMeetingJoin, kMeetingStop,     kMeetingPause,    kMeetingResume,
                                        kMeetingClean,  kAudioExpire, kMinutesWrite,    kConsentAnnounce, kTaskDeliver,
                                        kTaskRetry,     kTaskDiscard, kCalendarConnect, kCalendarChange,  kCalendarDisconnect};

// Who did it, as a kind and never as a person.
inline constexpr std::string_view kByDaemon = "daemon";  ///< of its own accord, or as its configuration says
inline constexpr std::string_view kByApi = "api";  ///< whoever holds the API token: the page, or a command that asks the daemon
inline constexpr std::string_view kByCli = "cli";  ///< a command that works without the daemon
inline constexpr std::string_view kBySignal = "signal";  ///< SIGTERM or SIGINT

inline constexpr std::string_view kOk = "ok";

/// Who did what to what, and what came of it. Without names, titles, addresses and words of people: ids that are pseudonyms, so
/// that erasing a meeting leaves the log whole.
struct Act {
  Instant at;
  std::string actor;
  std::string action;
  std::string object;
  std::string outcome;
  bool operator==(const Act&) const = default;
};

struct Row {
  std::uint64_t seq = 0;  ///< from 1, without gaps
  Act act;
  Hash previous{};  ///< of the row before; zeros in the first
  Hash hash{};      ///< hash_of() this row
  bool operator==(const Row&) const = default;
};

/// The newest row. Whoever keeps it elsewhere can tell later that everything up to it is as it was.
struct Head {
  std::uint64_t seq = 0;  ///< 0: there is no row
  Hash hash{};
  bool operator==(const Head&) const = default;
};

/// The bytes that are hashed: all of the row but its own hash. No two different rows give the same bytes.
std::string encode(const Row& row);
Hash hash_of(const Row& row);

/// The rows that follow `head`, which becomes the last of them. The first row of all says that the log begins.
std::vector<Row> append(Head& head, std::span<const Act> acts);

/// The pseudonym of what has a name that people chose: `kind` and the first 15 digits of the SHA-256 of "KIND\nNAME".
std::string pseudonym(std::string_view kind, std::string_view name);

/// 64 lower-case hexadecimal digits.
std::string hex(const Hash& hash);
/// Exactly 64 hexadecimal digits, else nullopt.
std::optional<Hash> parse_hash(std::string_view text);

}  // namespace hansard::audit
