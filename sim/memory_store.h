#pragma once
// A Store in memory, as durable as the simulation says: it outlives the daemon that uses it.
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "ports/store.h"

namespace hansard::sim {

/// The value of an answer of a store that cannot fail now, by value: safe in a range-for.
template <class T>
T got(Result<T> r) {
  return std::move(*r);
}

class MemoryStore final : public Store {
 public:
  /// Called around each commit, with its number from 0: may throw (the daemon dies) or return an error.
  std::function<Result<void>(std::uint64_t number)> before_commit;
  std::function<void(std::uint64_t number)> after_commit;
  std::function<Result<void>()> before_load;

  Result<std::uint64_t> acquire(std::string_view owner, Instant at) override;
  Result<std::vector<std::uint64_t>> commit(std::uint64_t fence, std::span<const Commit> commits) override;
  Result<std::optional<StoredAggregate>> load(std::string_view aggregate) override;
  Result<std::vector<StoredAggregate>> aggregates(std::string_view kind, bool living_only) override;
  Result<std::vector<StoredRecord>> records(const RecordQuery& query) override;
  Result<std::uint64_t> last_seq() override { return next_seq_ - 1; }
  Result<std::vector<StoredEffect>> effects() override;
  Result<std::vector<std::pair<Instant, std::string>>> journal(std::string_view aggregate) override;
  Result<std::optional<std::string>> context(std::string_view key) override;
  Result<std::size_t> expire_contexts(Instant now) override;
  Result<audit::Head> audit_head() override { return audit_head_; }
  Result<std::vector<audit::Row>> audit_rows(std::uint64_t after, std::size_t limit) override;

  /// False: a long simulation that does not replay keeps no journal.
  bool keep_journal = true;
  /// Forgets all effects: what a store that is not durable would do to its owner.
  void lose_effects() {
    effects_.clear();
    effect_keys_.clear();
  }

  /// Commit calls that took effect.
  std::uint64_t commits() const { return commits_; }
  void forget_context(std::string_view key) { contexts_.erase(std::string(key)); }
  bool has_effect(const std::string& key) const { return effect_keys_.contains(key); }
  /// The stored state of an aggregate, nullptr when there is none.
  const StoredAggregate* peek(const std::string& aggregate) const;
  const std::vector<audit::Row>& audit_log() const { return audit_; }
  /// Join contexts.
  std::size_t contexts() const;

 private:
  struct Entry {
    StoredAggregate aggregate;
    std::vector<std::pair<Instant, std::string>> journal;
    std::vector<std::uint64_t> records;
  };
  Result<void> check(std::uint64_t fence, std::span<const Commit> commits) const;
  void apply(const Commit& commit, std::vector<std::uint64_t>& seqs);
  void add_to_audit(std::span<const audit::Act> acts);

  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> order_;
  std::map<std::uint64_t, StoredRecord> records_;
  std::map<std::uint64_t, StoredEffect> effects_;
  std::map<std::string, std::uint64_t> effect_keys_;
  std::map<std::string, StoredContext, std::less<>> contexts_;
  std::vector<audit::Row> audit_;
  audit::Head audit_head_;
  std::uint64_t next_seq_ = 1;
  std::uint64_t next_effect_ = 1;
  std::uint64_t fence_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t commits_ = 0;
};

}  // namespace hansard::sim
