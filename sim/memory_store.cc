#include "sim/memory_store.h"

#include <algorithm>

namespace hansard::sim {

Result<std::uint64_t> MemoryStore::acquire(std::string_view owner, Instant at) {
  ++fence_;
  const audit::Act act{at, std::string(owner), std::string(audit::kStoreOpen), "epoch:" + std::to_string(fence_),
                       std::string(audit::kOk)};
  add_to_audit({&act, 1});
  return fence_;
}

void MemoryStore::add_to_audit(std::span<const audit::Act> acts) {
  for (audit::Row& row : audit::append(audit_head_, acts)) audit_.push_back(std::move(row));
}

Result<std::vector<audit::Row>> MemoryStore::audit_rows(std::uint64_t after, std::size_t limit) {
  const std::size_t from = std::min<std::size_t>(after, audit_.size());
  const std::size_t count = std::min(limit, audit_.size() - from);
  return std::vector<audit::Row>(audit_.begin() + static_cast<std::ptrdiff_t>(from),
                                 audit_.begin() + static_cast<std::ptrdiff_t>(from + count));
}

Result<void> MemoryStore::check(std::uint64_t fence, std::span<const Commit> commits) const {
  if (fence != fence_) return fail(ErrorClass::kConflict, "store", "another owner");
  std::map<std::string, std::uint64_t> versions;
  std::set<std::string> keys;
  for (const Commit& c : commits) {
    if (c.aggregate.empty()) continue;
    const auto it = entries_.find(c.aggregate);
    const auto [version, fresh] = versions.emplace(c.aggregate, it == entries_.end() ? 0 : it->second.aggregate.version);
    if (version->second != c.expected_version) return fail(ErrorClass::kConflict, "store", "version");
    ++version->second;
    for (const StoredEffect& e : c.effects) {
      if (effect_keys_.contains(e.key) || !keys.insert(e.key).second)
        return fail(ErrorClass::kInternal, "store", "effect key used twice");
    }
  }
  return {};
}

Result<std::vector<std::uint64_t>> MemoryStore::commit(std::uint64_t fence, std::span<const Commit> commits) {
  const std::uint64_t number = calls_++;
  if (before_commit) {
    if (auto r = before_commit(number); !r) return pass(r);
  }
  if (auto r = check(fence, commits); !r) return pass(r);
  std::vector<std::uint64_t> seqs;
  for (const Commit& c : commits) apply(c, seqs);
  ++commits_;
  if (after_commit) after_commit(number);
  return seqs;
}

void MemoryStore::apply(const Commit& c, std::vector<std::uint64_t>& seqs) {
  if (!c.aggregate.empty()) {
    const auto [it, fresh] = entries_.try_emplace(c.aggregate);
    Entry& entry = it->second;
    if (fresh) {
      order_.push_back(c.aggregate);
      entry.aggregate.id = c.aggregate;
      entry.aggregate.kind = c.kind;
    }
    ++entry.aggregate.version;
    entry.aggregate.finished = c.finished;
    entry.aggregate.state = c.state;
    if (keep_journal) entry.journal.emplace_back(c.at, c.journal);
    for (const StoredRecord& r : c.records) {
      const std::uint64_t seq = next_seq_++;
      records_[seq] = {seq, c.aggregate, r.kind, r.at, r.body};
      entry.records.push_back(seq);
      seqs.push_back(seq);
    }
    for (const StoredEffect& e : c.effects) {
      effect_keys_[e.key] = next_effect_;
      effects_[next_effect_++] = {e.key, c.aggregate, e.held, e.body};
    }
  }
  for (const std::string& key : c.done) {
    const auto it = effect_keys_.find(key);
    if (it == effect_keys_.end()) continue;
    effects_.erase(it->second);
    effect_keys_.erase(it);
  }
  for (const StoredContext& x : c.context) {
    if (x.value.empty()) {
      contexts_.erase(x.key);
    } else {
      contexts_[x.key] = x;
    }
  }
  add_to_audit(c.audit);
}

Result<std::optional<StoredAggregate>> MemoryStore::load(std::string_view aggregate) {
  if (before_load) {
    if (auto r = before_load(); !r) return pass(r);
  }
  const auto it = entries_.find(aggregate);
  return it == entries_.end() ? std::nullopt : std::optional(it->second.aggregate);
}

Result<std::vector<StoredAggregate>> MemoryStore::aggregates(std::string_view kind, bool living_only) {
  std::vector<StoredAggregate> out;
  for (const std::string& id : order_) {
    const StoredAggregate& a = entries_.find(id)->second.aggregate;
    if ((kind.empty() || a.kind == kind) && (!living_only || !a.finished)) out.push_back(a);
  }
  return out;
}

Result<std::vector<StoredRecord>> MemoryStore::records(const RecordQuery& query) {
  std::vector<StoredRecord> out;
  const auto take = [&](const StoredRecord& r) {
    if (r.seq <= query.after_seq || out.size() >= query.limit) return;
    if (!query.kinds.empty() && std::find(query.kinds.begin(), query.kinds.end(), r.kind) == query.kinds.end()) return;
    out.push_back(r);
  };
  if (query.aggregate.empty()) {
    for (auto it = records_.upper_bound(query.after_seq); it != records_.end(); ++it) take(it->second);
  } else if (const auto entry = entries_.find(query.aggregate); entry != entries_.end()) {
    const auto& seqs = entry->second.records;
    for (auto it = std::upper_bound(seqs.begin(), seqs.end(), query.after_seq); it != seqs.end(); ++it) take(records_.at(*it));
  }
  return out;
}

Result<std::vector<StoredEffect>> MemoryStore::effects() {
  std::vector<StoredEffect> out;
  for (const auto& [number, e] : effects_) out.push_back(e);
  return out;
}

Result<std::vector<std::pair<Instant, std::string>>> MemoryStore::journal(std::string_view aggregate) {
  const auto it = entries_.find(aggregate);
  if (it == entries_.end()) return std::vector<std::pair<Instant, std::string>>{};
  return it->second.journal;
}

Result<std::optional<std::string>> MemoryStore::context(std::string_view key) {
  const auto it = contexts_.find(key);
  return it == contexts_.end() ? std::nullopt : std::optional(it->second.value);
}

Result<std::size_t> MemoryStore::expire_contexts(Instant now) {
  return std::erase_if(contexts_, [&](const auto& c) { return c.second.expires < now; });
}

std::size_t MemoryStore::contexts() const {
  return static_cast<std::size_t>(
      std::count_if(contexts_.begin(), contexts_.end(), [](const auto& c) { return c.first.starts_with("meeting:"); }));
}

const StoredAggregate* MemoryStore::peek(const std::string& aggregate) const {
  const auto it = entries_.find(aggregate);
  return it == entries_.end() ? nullptr : &it->second.aggregate;
}

}  // namespace hansard::sim
