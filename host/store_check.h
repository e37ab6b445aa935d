#pragma once
// Whether what a store holds can be read and fits together. No line that comes out of here holds meeting content.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/audit/verify.h"
#include "core/base/reflect.h"
#include "ports/store.h"

namespace hansard::host {

/// Something that is not as it must be.
struct Fault {
  std::string where;   ///< "store", a meeting's or calendar's id, a file
  std::string what;    ///< what it means for a person
  std::string advice;  ///< what to do
  static constexpr auto fields =
      std::make_tuple(field("where", &Fault::where), field("what", &Fault::what), field("advice", &Fault::advice));
};

struct StoreCheck {
  std::vector<Fault> faults;  ///< at most kMaxFaults of one meeting or calendar
  std::uint64_t meetings = 0;
  std::uint64_t records = 0;
  std::uint64_t utterances = 0;
  /// Meetings whose audio may still wait in the spool.
  std::vector<std::string> living;
  /// Files of the minutes that were written, as the records name them.
  std::vector<std::string> minutes;
  audit::Verdict audit;  ///< of the audit log; what is wrong with it is among the faults
};
constexpr std::size_t kMaxFaults = 20;

/// Reads everything: each state, journal event, record, effect and join context unseals and parses; sequence numbers ascend;
/// effects belong to their aggregate and to a version of it; and for each meeting: utterances are numbered in order, each has
/// its interval in the ledger, what the recognizer answered does not overlap, the cursors in the state are the ends of
/// what it answered, findings cite utterances that exist, and the intervals of each participant add up to the time
/// between its first and last. The rows of the audit log follow each other, and agree with `anchors`. `progress` is called with
/// (aggregates done, of how many) and says whether to go on. Errors: those of the store (kCorrupt for damage below the rows),
/// kCancelled.
Result<StoreCheck> check_store(Store& store, const std::function<bool(std::uint64_t, std::uint64_t)>& progress,
                               std::vector<audit::Anchor> anchors = {});

/// Reads the audit log to its end, a page at a time. Errors: those of the store.
Result<audit::Verdict> verify_audit(Store& store, std::vector<audit::Anchor> anchors = {});

}  // namespace hansard::host
