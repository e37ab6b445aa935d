#pragma once
// What the daemon itself has to do with the audit log: refused requests in few rows, and the head kept elsewhere.
#include <cstdint>
#include <optional>
#include <string>

#include "core/audit/verify.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace hansard {

/// At most one row in this time, however many requests are refused.
constexpr Duration kRefusalGap = hours(1);
/// A file of anchors beyond this is not read: at one an hour it is reached after two decades.
constexpr std::size_t kMaxAnchorFile = 16u << 20;

/// Requests without the right token: the first one is told at once, those of the next kRefusalGap together after it.
class Refusals {
 public:
  void count() { ++count_; }
  /// The row that is due, if one is. `at`: on the wall clock; `since`: on the monotonic one.
  std::optional<audit::Act> due(Instant at, Duration since);
  /// What has not been told yet, when the daemon ends.
  std::optional<audit::Act> rest(Instant at);

 private:
  std::uint64_t count_ = 0;
  std::optional<Duration> told_;
};

/// Appends the head of the log to a file that the operator has put where this program can only add to it.
class AnchorFile {
 public:
  /// `path` empty: does nothing.
  AnchorFile(std::string path, Duration every) : path_(std::move(path)), every_(every) {}

  /// Writes the head when one is due, or with `now` at once; one that has been written is not written again. A line that could
  /// not be written is tried again after a minute. Errors: those of the store and the file, at each attempt.
  Result<void> keep(Store& store, const Clock& clock, bool now = false);
  bool failing() const { return failing_; }

 private:
  Result<void> add(const std::string& line);

  std::string path_;
  Duration every_;
  std::optional<Duration> next_;  ///< on the monotonic clock
  std::uint64_t written_ = 0;     ///< sequence of the last line
  bool torn_ = false;             ///< a line was not written to its end
  bool failing_ = false;
};

/// Errors: kNotFound, kDenied, kExhausted (too large), kInvalid (without a single anchor).
Result<audit::AnchorFile> read_anchor_file(const std::string& path);

}  // namespace hansard
