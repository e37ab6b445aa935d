#pragma once
// The durable store behind a host. One conformance suite (ports/store_conformance.h) runs against every implementation.
//
// Bodies (states, journal events, records, outbox entries, contexts) reach the store as bytes that have already passed
// seal() (host/seal.h); a store never looks into them.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/audit/chain.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard {

struct StoredAggregate {
  std::string id;
  std::string kind;           ///< "meeting", "calendar"
  std::uint64_t version = 0;  ///< number of commits so far
  bool finished = false;
  std::string state;  ///< sealed
};

struct StoredRecord {
  std::uint64_t seq = 0;  ///< over all aggregates, gapless per aggregate order, given by the store
  std::string aggregate;
  std::string kind;  ///< "utterance.final", ...
  Instant at;
  std::string body;  ///< sealed
};

/// `held`: kept for a person or a later configuration, not released by a start.
struct StoredEffect {
  std::string key;  ///< unique; the idempotency key
  std::string aggregate;
  bool held = false;
  std::string body;  ///< sealed
};

struct StoredContext {
  std::string key;
  std::string value;  ///< sealed; empty: remove
  Instant expires;
};

/// Everything one event changed in one aggregate. With an empty `aggregate` only `done`, `context` and `audit` count: an answer
/// that reached nobody, or an act that changed no aggregate.
struct Commit {
  std::string aggregate;
  std::string kind;
  std::uint64_t expected_version = 0;  ///< 0: the aggregate must not exist yet
  bool finished = false;
  Instant at;
  std::string state;
  std::string journal;                ///< the event, sealed
  std::vector<StoredRecord> records;  ///< seq and aggregate are filled in by the store
  std::vector<StoredEffect> effects;  ///< durable ones
  std::vector<std::string> done;      ///< keys of effects that this event answers
  std::vector<StoredContext> context;
  std::vector<audit::Act> audit;  ///< follow the newest row of the audit log, in the order of the commits
};

struct RecordQuery {
  std::string aggregate;  ///< empty: all
  std::uint64_t after_seq = 0;
  std::size_t limit = 1000;
  std::vector<std::string> kinds;  ///< empty: all
};

class Store {
 public:
  virtual ~Store() = default;

  /// Becomes the owner of this store: returns a fencing number greater than any before. Commits under an older number
  /// are refused with kConflict from then on. The same transaction adds the row "store.open" of the actor `owner` at `at` to the
  /// audit log, with the object "epoch:NUMBER".
  virtual Result<std::uint64_t> acquire(std::string_view owner, Instant at) = 0;

  /// All or nothing, durable when it returns. The answer holds the seq of each record in order. After kExhausted (disk
  /// full) and kUnavailable certainly nothing was committed and the same call may be tried again. After any other error
  /// (kConflict: fence or version; kCorrupt; kInternal: the disk failed) the caller must stop or load again.
  virtual Result<std::vector<std::uint64_t>> commit(std::uint64_t fence, std::span<const Commit> commits) = 0;

  virtual Result<std::optional<StoredAggregate>> load(std::string_view aggregate) = 0;
  /// Aggregates, in order of creation. `kind` empty: all. `living_only`: those not finished.
  virtual Result<std::vector<StoredAggregate>> aggregates(std::string_view kind, bool living_only) = 0;
  virtual Result<std::vector<StoredRecord>> records(const RecordQuery& query) = 0;
  /// The newest record's seq, 0 when there is none.
  virtual Result<std::uint64_t> last_seq() = 0;
  /// Effects not answered yet, in the order of their commits.
  virtual Result<std::vector<StoredEffect>> effects() = 0;
  /// Journal of an aggregate: sealed events in order with their instants (for replay tests and support).
  virtual Result<std::vector<std::pair<Instant, std::string>>> journal(std::string_view aggregate) = 0;

  virtual Result<std::optional<std::string>> context(std::string_view key) = 0;
  /// Removes contexts that expired before `now`; how many.
  virtual Result<std::size_t> expire_contexts(Instant now) = 0;

  /// The newest row of the audit log. Numbers and hashes are given inside the transaction that adds a row, from what is stored
  /// then, so that two writers never continue the same row.
  virtual Result<audit::Head> audit_head() = 0;
  /// At most `limit` rows after `after`, by their number, as they are stored.
  virtual Result<std::vector<audit::Row>> audit_rows(std::uint64_t after, std::size_t limit) = 0;
};

}  // namespace hansard
