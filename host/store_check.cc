#include "host/store_check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/base/text.h"
#include "core/transcript/ledger.h"
#include "host/stored.h"

namespace hansard::host {
namespace {

constexpr std::string_view kRestore = "restore the newest sound backup, or keep this store and report it";

constexpr std::string_view kCompare =
    "somebody has written to the store: keep a copy of it, and compare the rows with an older backup (docs/audit.md)";

/// Faults of one aggregate; those beyond the limit are counted.
class Faults {
 public:
  Faults(std::vector<Fault>& out, std::string where) : out_(out), where_(std::move(where)) {}
  ~Faults() {
    if (count_ > kMaxFaults)
      out_.push_back({where_, std::to_string(count_ - kMaxFaults) + " more faults", std::string(kRestore)});
  }
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  void add(std::string what) {
    if (++count_ <= kMaxFaults) out_.push_back({where_, std::move(what), std::string(kRestore)});
  }
  /// `r` as a fault, when it is an error.
  template <class T>
  bool sound(const Result<T>& r) {
    if (!r) add(r.error().detail);
    return r.has_value();
  }

 private:
  std::vector<Fault>& out_;
  std::string where_;
  std::size_t count_ = 0;
};

std::string row_name(std::uint64_t seq) { return "record " + std::to_string(seq); }

/// The rows of one meeting against each other.
class MeetingRows {
 public:
  explicit MeetingRows(Faults& faults) : faults_(faults) {}

  void take(std::uint64_t seq, const flow::Record& record) {
    seq_ = seq;
    std::visit([this](const auto& r) { on(r); }, record);
  }

  void finish(const flow::MeetingState& state) {
    if (state.utterances != utterances_) {
      faults_.add("the meeting counts " + std::to_string(state.utterances) + " utterances, its records hold " +
                  std::to_string(utterances_));
    }
    for (const auto& [span, seq] : unanswered_)
      faults_.add(row_name(seq) + ": an utterance whose time is not in the coverage ledger");
    for (const auto& p : state.participants) {
      const auto it = heard_.find(p.id);
      const MediaTime heard = it == heard_.end() ? MediaTime{} : it->second;
      if (heard != p.covered_until) {
        faults_.add("a participant's cursor stands at " + std::to_string(p.covered_until.ms) + " ms, the ledger's rows end at " +
                    std::to_string(heard.ms) + " ms");
      }
    }
    check_sums();
  }

  std::uint64_t utterances() const { return utterances_; }
  std::vector<std::string> minutes;

 private:
  using Span = std::tuple<std::string, MediaTime, MediaTime>;

  template <class T>
  void on(const T&) {}
  void on(const flow::ParticipantRecord& r) {
    people_.insert(r.id);
    if (r.present) {
      ledger_.joined(r.id, r.at);
    } else {
      ledger_.left(r.id, r.at);
    }
  }
  void on(const flow::UtteranceRecord& r) {
    const Utterance& u = r.utterance;
    if (u.id != "u" + std::to_string(++utterances_))
      faults_.add(row_name(seq_) + ": utterance " + std::to_string(utterances_) + " is missing or stands twice");
    ids_.insert(u.id);
    if (u.end <= u.start || u.text.empty()) faults_.add(row_name(seq_) + ": an utterance without time or text");
    if (!people_.contains(u.participant)) faults_.add(row_name(seq_) + ": an utterance of nobody who was there");
    unanswered_.emplace(Span{u.participant, u.start, u.end}, seq_);
  }
  void on(const flow::CoverageRecord& r) {
    const CoverageInterval& i = r.interval;
    if (i.end <= i.start) faults_.add(row_name(seq_) + ": an interval of the ledger without length");
    ledger_.add(i);
    // Losses come from the media, a witness of its own, and may repeat; what the recognizer answers goes on from its cursor.
    if (i.state == Coverage::kLost || i.state == Coverage::kWithheld) return;
    if (!people_.contains(i.participant)) faults_.add(row_name(seq_) + ": an interval of nobody who was there");
    MediaTime& heard = heard_[i.participant];
    if (i.start < heard) faults_.add(row_name(seq_) + ": an interval of the ledger overlaps the one before it");
    heard = std::max(heard, i.end);
    if (i.state == Coverage::kTranscribed) unanswered_.erase(Span{i.participant, i.start, i.end});
  }
  void on(const flow::ItemRecord& r) {
    if (r.change.change == ItemChangeKind::kWithdrawn) return;
    for (const std::string& id : r.change.item.utterance_ids) {
      if (!ids_.contains(id)) faults_.add(row_name(seq_) + ": a finding that rests on an utterance which is not there");
    }
  }
  void on(const flow::MinutesRecord& r) { minutes = r.files; }

  /// Each millisecond of presence once: intervals follow each other without hole or overlap inside each stay, and their sum
  /// is what the totals say.
  void check_sums() {
    for (const std::string& id : ledger_.participants()) {
      Duration sum;
      MediaTime last{};
      for (const auto& i : ledger_.intervals(id)) {
        if (i.end <= i.start || i.start < last) faults_.add("the ledger of a participant does not add up");
        sum = sum + (i.end - i.start);
        last = i.end;
      }
      if (sum != ledger_.totals(id).presence()) faults_.add("the ledger of a participant does not add up to its presence");
    }
  }

  Faults& faults_;
  std::uint64_t seq_ = 0;
  std::uint64_t utterances_ = 0;
  std::set<std::string> ids_;
  std::set<std::string> people_;
  std::map<Span, std::uint64_t> unanswered_;  ///< utterances whose interval has not come
  std::map<std::string, MediaTime> heard_;
  CoverageLedger ledger_;
};

class Checker {
 public:
  explicit Checker(Store& store) : store_(store) {}

  Result<StoreCheck> run(const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
    const auto all = store_.aggregates({}, false);
    if (!all) return std::unexpected(all.error());
    std::uint64_t done = 0;
    for (const StoredAggregate& a : *all) {
      versions_[a.id] = a.version;
      if (auto r = aggregate(a); !r) return pass(r);
      if (!progress(++done, all->size())) return fail(ErrorClass::kCancelled, "store", "interrupted");
    }
    if (auto r = effects(); !r) return pass(r);
    Faults clock(out_.faults, kClockKey);
    if (auto r = context(kClockKey, clock); !r) return pass(r);
    return std::move(out_);
  }

 private:
  Result<void> aggregate(const StoredAggregate& a) {
    Faults faults(out_.faults, a.id);
    const auto state = decode<flow::State>(a.state, state_binding(a.id));
    const flow::MeetingState* meeting = nullptr;
    if (faults.sound(state)) {
      meeting = std::get_if<flow::MeetingState>(&*state);
      if (type_of(*state) != a.kind) faults.add("its state is of another kind than its row says");
      if (meeting != nullptr && meeting->id != a.id) faults.add("its state belongs to another meeting");
      if (flow::finished(*state) != a.finished) faults.add("its row and its state disagree on whether it has ended");
    }
    if (auto r = journal(a, faults); !r) return r;
    if (auto r = records(a, meeting, faults); !r) return r;
    if (meeting == nullptr) return {};
    ++out_.meetings;
    if (!a.finished) out_.living.push_back(a.id);
    return context("meeting:" + a.id + ":context", faults);
  }

  Result<void> journal(const StoredAggregate& a, Faults& faults) {
    const auto rows = store_.journal(a.id);
    if (!rows) return std::unexpected(rows.error());
    if (rows->size() != a.version)
      faults.add("its journal has " + std::to_string(rows->size()) + " events for " + std::to_string(a.version) + " versions");
    std::uint64_t version = 0;
    for (const auto& [at, event] : *rows) {
      ++version;
      const auto decoded = decode<flow::Event>(event, journal_binding(a.id));
      if (!decoded) faults.add("event " + std::to_string(version) + ": " + decoded.error().detail);
    }
    return {};
  }

  Result<void> records(const StoredAggregate& a, const flow::MeetingState* meeting, Faults& faults) {
    MeetingRows rows(faults);
    RecordQuery query;
    query.aggregate = a.id;
    bool readable = true;
    while (true) {
      const auto page = store_.records(query);
      if (!page) return std::unexpected(page.error());
      for (const StoredRecord& row : *page) {
        if (row.seq <= query.after_seq) faults.add(row_name(row.seq) + " stands out of order");
        query.after_seq = row.seq;
        ++out_.records;
        const auto record = decode_record(row);
        if (!record) {
          readable = false;
          faults.add(row_name(row.seq) + ": " + record.error().detail);
          continue;
        }
        if (type_of(*record) != row.kind) faults.add(row_name(row.seq) + ": its body is of another kind than its row says");
        rows.take(row.seq, *record);
      }
      if (page->size() < query.limit) break;
    }
    // A row that cannot be read has been said; that others then do not fit says nothing more.
    if (meeting != nullptr && readable) rows.finish(*meeting);
    out_.utterances += rows.utterances();
    out_.minutes.insert(out_.minutes.end(), rows.minutes.begin(), rows.minutes.end());
    return {};
  }

  Result<void> context(const std::string& key, Faults& faults) {
    const auto value = store_.context(key);
    if (!value) return std::unexpected(value.error());
    if (*value) faults.sound(unseal(**value, context_binding(key)));
    return {};
  }

  /// Keys are AGGREGATE:VERSION:INDEX.
  Result<void> effects() {
    const auto rows = store_.effects();
    if (!rows) return std::unexpected(rows.error());
    Faults faults(out_.faults, "outbox");
    for (const StoredEffect& e : *rows) {
      faults.sound(decode<flow::Effect>(e.body, effect_binding(e.key)));
      std::int64_t version = 0;
      const auto parts = split(std::string_view(e.key).substr(std::min(e.key.size(), e.aggregate.size() + 1)), ':');
      const bool ours = e.key.starts_with(e.aggregate + ":") && parts.size() == 2 && parse_digits(parts[0], version);
      const auto owner = versions_.find(e.aggregate);
      if (!ours || owner == versions_.end() || version < 1 || static_cast<std::uint64_t>(version) > owner->second) {
        faults.add("effect " + e.key + " does not belong to a commit of its meeting");
      }
    }
    return {};
  }

  Store& store_;
  StoreCheck out_;
  std::map<std::string, std::uint64_t> versions_;
};

}  // namespace

Result<audit::Verdict> verify_audit(Store& store, std::vector<audit::Anchor> anchors) {
  constexpr std::size_t kPage = 1000;
  audit::Verifier verifier(std::move(anchors));
  std::uint64_t after = 0;
  while (true) {
    const auto page = store.audit_rows(after, kPage);
    if (!page) return std::unexpected(page.error());
    for (const audit::Row& row : *page) verifier.take(row);
    if (page->size() < kPage) return verifier.finish();
    after = page->back().seq;
  }
}

Result<StoreCheck> check_store(Store& store, const std::function<bool(std::uint64_t, std::uint64_t)>& progress,
                               std::vector<audit::Anchor> anchors) {
  auto out = Checker(store).run(progress);
  if (!out) return out;
  auto verdict = verify_audit(store, std::move(anchors));
  if (!verdict) return pass(verdict);
  out->audit = *verdict;
  if (verdict->fault != audit::Fault::kNone)
    out->faults.push_back({"audit log", audit::describe(*verdict), std::string(kCompare)});
  return out;
}

}  // namespace hansard::host
