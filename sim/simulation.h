#pragma once
// Runs one scenario with the unmodified core and host, and checks what must always hold.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario.h"

namespace hansard::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  bool verbose = false;
  bool judge = true;  ///< else the outcome has the digest only: the second run of a pair
  // One thing that goes wrong at the n-th commit call (from 0) or the n-th released effect.
  std::optional<std::uint64_t> kill_before_commit = std::nullopt;
  std::optional<std::uint64_t> kill_after_commit = std::nullopt;
  std::optional<std::uint64_t> fail_commit = std::nullopt;
  std::optional<std::uint64_t> kill_at_effect = std::nullopt;
  /// One load, request, join, or access to audio or minutes.
  std::optional<std::uint64_t> fail_operation = std::nullopt;
};

struct Outcome {
  std::string digest;                   ///< SHA-256 of journal, records, outbox, files and what the media was told
  std::vector<std::string> violations;  ///< empty: everything held
  FaultCounts faults;
  std::uint64_t troubles = 0;    ///< planned: what people and machines get up to, and changes of the calendar
  std::uint64_t commits = 0;     ///< calls that were tried
  std::uint64_t effects = 0;     ///< released
  std::uint64_t operations = 0;  ///< on store, disk and network, outside of commits
  std::uint64_t meetings = 0;
  std::uint64_t recorded = 0;  ///< meetings of which something was recorded
  std::uint64_t finals = 0;
  std::uint64_t long_meetings = 0;  ///< with at least 200 finals
  std::uint64_t tasks = 0;
  std::uint64_t reconnects = 0;
};

Outcome simulate(const Scenario& scenario, const RunOptions& options);

}  // namespace hansard::sim
