#pragma once
// A simulated year of calendars: five people who share meetings and change their minds, feeds that fail in every way, a
// daemon that dies. The meetings themselves are short and silent; what is looked at is which of them the bot joins.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/reflect.h"

namespace hansard::sim {

/// What happens to calendars, feeds and the daemon. Each is counted when it takes effect.
enum class YearEvent : std::uint8_t {
  // People's changes.
  kMoved,
  kCancelled,
  kRenamed,
  kRelinked,
  kDeclined,
  kRecreated,  ///< deleted, and made again under another UID
  kRemoved,
  kSeriesMoved,  ///< all of a series to another time of day
  kAddedLate,    ///< less than an hour before its start
  kUninvited,
  kPush,
  // What the days bring.
  kClockChange,  ///< a meeting on the first day of another offset from UTC
  kMidnight,     ///< a meeting within five minutes of midnight
  // Feeds.
  kFeedDown,
  kFeedServerError,
  kFeedRetryAfter,
  kFeedHtml,
  kFeedTruncated,
  kFeedSlow,
  kFeedGone,
  // The machine.
  kKilled,
  kKilledAtMidnight,
  kKilledBeforeCommit,
  kKilledAfterCommit,
  kKilledInRelease,
  kDownForLong,
  kStoreUnavailable,
  kStoreFull,
  kStoreLoadFailed,
  kConnectionLost,
  kCount,
};
constexpr EnumName<YearEvent> kEnumNames_YearEvent[] = {
    {YearEvent::kMoved, "meeting moved"},
    {YearEvent::kCancelled, "meeting cancelled"},
    {YearEvent::kRenamed, "meeting renamed"},
    {YearEvent::kRelinked, "meeting relinked"},
    {YearEvent::kDeclined, "meeting declined"},
    {YearEvent::kRecreated, "deleted and made again"},
    {YearEvent::kRemoved, "meeting removed"},
    {YearEvent::kSeriesMoved, "series moved"},
    {YearEvent::kAddedLate, "added shortly before"},
    {YearEvent::kUninvited, "somebody uninvited"},
    {YearEvent::kPush, "scan asked for"},
    {YearEvent::kClockChange, "day of a clock change"},
    {YearEvent::kMidnight, "meeting at midnight"},
    {YearEvent::kFeedDown, "feed unreachable"},
    {YearEvent::kFeedServerError, "feed: server error"},
    {YearEvent::kFeedRetryAfter, "feed: 429, retry-after"},
    {YearEvent::kFeedHtml, "feed: a web page"},
    {YearEvent::kFeedTruncated, "feed: cut in the middle"},
    {YearEvent::kFeedSlow, "feed slow"},
    {YearEvent::kFeedGone, "feed: not found"},
    {YearEvent::kKilled, "daemon killed"},
    {YearEvent::kKilledAtMidnight, "daemon killed at midnight"},
    {YearEvent::kKilledBeforeCommit, "killed before a commit"},
    {YearEvent::kKilledAfterCommit, "killed after a commit"},
    {YearEvent::kKilledInRelease, "killed between two effects"},
    {YearEvent::kDownForLong, "daemon down for long"},
    {YearEvent::kStoreUnavailable, "store unavailable"},
    {YearEvent::kStoreFull, "store's disk full"},
    {YearEvent::kStoreLoadFailed, "store not readable"},
    {YearEvent::kConnectionLost, "connection lost"},
};
constexpr auto enum_names(YearEvent) { return std::span(kEnumNames_YearEvent); }

using YearCounts = std::array<std::uint64_t, static_cast<std::size_t>(YearEvent::kCount)>;

/// Deliberate lies of the simulator's own fakes, to show that the checks notice.
enum class Canary : std::uint8_t {
  kNone,
  kStaleFeed,   ///< a feed says "not modified" although it was
  kLostOutbox,  ///< the store forgets effects when the daemon dies
  kDeafToEnds,  ///< feeds do not tell of cancellations
};
constexpr EnumName<Canary> kEnumNames_Canary[] = {{Canary::kNone, "none"},
                                                  {Canary::kStaleFeed, "stale-feed"},
                                                  {Canary::kLostOutbox, "lost-outbox"},
                                                  {Canary::kDeafToEnds, "deaf"}};
constexpr auto enum_names(Canary) { return std::span(kEnumNames_Canary); }

struct YearOptions {
  std::uint64_t seed = 1;
  int days = 365;
  bool verbose = false;
  Canary canary = Canary::kNone;
};

struct YearOutcome {
  std::string digest;                   ///< SHA-256 of what happened and what the store holds at the end
  std::vector<std::string> violations;  ///< empty: everything held; at most 50
  YearCounts events{};
  std::uint64_t scans = 0;      ///< that ended well
  std::uint64_t meetings = 0;   ///< that took place and had to be joined
  std::uint64_t joined = 0;     ///< of those
  std::uint64_t cancelled = 0;  ///< known in time not to take place there, and looked at
  std::uint64_t skipped = 0;    ///< occurrences seen with a reason not to attend
  std::uint64_t excused = 0;    ///< not decidable: seen too late, calendars disagreed, the daemon was down
  std::uint64_t commits = 0;
};

YearOutcome simulate_year(const YearOptions& options);

}  // namespace hansard::sim
