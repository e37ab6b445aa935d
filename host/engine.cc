#include "host/engine.h"

#include <algorithm>

#include "core/flow/audited.h"
#include "host/stored.h"

namespace hansard::host {
namespace {

/// Events of one commit. One fsync serves them all; the bound keeps a commit, and what a crash can undo, small.
constexpr std::size_t kMaxBatch = 64;
constexpr Duration kFirstRetry = seconds(1);
constexpr Duration kLastRetry = seconds(30);

bool worth_retrying(ErrorClass c) { return retryable(c) || c == ErrorClass::kExhausted; }

bool is_held(const flow::Effect& effect) { return std::holds_alternative<flow::HoldTask>(effect); }

bool still_due(const flow::State& state, const std::string& name, Instant now) {
  return std::visit(
      [&](const auto& s) {
        const auto it = s.timers.find(name);
        return it != s.timers.end() && it->second <= now;
      },
      state);
}

/// A meeting that is not there yet (of which a default state speaks), or stands in front of nothing and behind nobody.
bool not_begun(const flow::State& state) {
  const auto* m = std::get_if<flow::MeetingState>(&state);
  return m != nullptr && m->state == meeting::State::kNew && m->successor.empty() && m->behind.empty();
}

/// A meeting that is over and only keeps its place.
bool is_over(const flow::State& state) {
  const auto* m = std::get_if<flow::MeetingState>(&state);
  return m != nullptr && meeting::is_final(m->state);
}

void postpone(flow::State& state, const std::string& name, Instant to) {
  std::visit([&](auto& s) { s.timers[name] = to; }, state);
}

}  // namespace

struct Engine::Turn {
  struct Staged {
    bool exists = false;
    flow::State state;
    std::uint64_t version = 0;
    std::string plain;
    bool changed = false;
  };
  struct Release {
    std::string aggregate;
    std::string key;
    flow::Effect effect;
  };
  Instant now;
  std::optional<Duration> lead;  ///< the wall clock was set: its lead now
  std::string kept;              ///< what the commit writes about it, empty: nothing
  std::vector<Posted> taken;     ///< from the queue, to put back when the commit fails
  std::map<std::string, Staged> staged;
  std::vector<Commit> commits;
  std::vector<LiveRecord> records;  ///< in the order of the commits' records
  std::vector<Release> releases;
  std::set<std::string> done;
  std::size_t acts = 0;  ///< of those that wait, how many are in it
};

Engine::Engine(Store& store, const Clock& clock, EffectRunner& runner)
    : store_(store), clock_(clock), runner_(runner), wall_(clock) {}

Result<void> Engine::start(std::string_view owner) {
  const auto fence = store_.acquire(owner, clock_.now());
  if (!fence) return fail(fence.error().code, fence.error().area, fence.error().detail);
  fence_ = *fence;
  auto stored = store_.aggregates({}, true);
  if (!stored) return pass(stored);
  for (const StoredAggregate& a : *stored) {
    auto state = decode<flow::State>(a.state, state_binding(a.id));
    if (!state) return pass(state);
    Loaded loaded{std::move(*state), a.version, {}};
    loaded.plain = json_text(loaded.state);
    index_deadline(a.id, nullptr, &loaded.state);
    places_.update(a.id, nullptr, &loaded.state);
    living_.insert_or_assign(a.id, std::move(loaded));
  }
  if (auto opened = wall_.open(store_, [this] { return latest_known(); }); !opened) return opened;
  for (const auto& a : *stored) queue_.push_back({a.id, flow::HostStarted{wall_.machine_restarted()}, {}});
  auto effects = store_.effects();
  if (!effects) return pass(effects);
  std::vector<Turn::Release> left;
  for (const StoredEffect& e : *effects) {
    pending_.emplace(e.key, e.aggregate);
    if (e.held) continue;
    auto effect = decode<flow::Effect>(e.body, effect_binding(e.key));
    if (!effect) return pass(effect);
    left.push_back({e.aggregate, e.key, std::move(*effect)});
  }
  // Only now: a store that this program cannot read stays as it is.
  if (auto expired = store_.expire_contexts(clock_.now()); !expired) return pass(expired);
  for (const auto& r : left) release(r.aggregate, r.key, r.effect);
  return {};
}

/// The last moment that the store or the captured audio tells of.
Result<Instant> Engine::latest_known() const {
  Instant latest;
  const auto last = store_.last_seq();
  if (!last) return std::unexpected(last.error());
  if (*last > 0) {
    const auto newest = store_.records({{}, *last - 1, 1, {}});
    if (!newest) return std::unexpected(newest.error());
    for (const StoredRecord& r : *newest) latest = r.at;
  }
  for (const auto& [id, loaded] : living_) {
    const auto* m = std::get_if<flow::MeetingState>(&loaded.state);
    if (m == nullptr || m->origin.ms == 0 || !meeting::wants_media(m->state)) continue;
    latest = std::max(latest, m->origin + Duration{runner_.captured_until(id).ms});
  }
  return latest;
}

/// What the next run is to know of the clocks goes with the first commit after each change: both or none.
void Engine::keep_clock(Turn& turn) const {
  auto context = wall_.to_keep(turn.lead.value_or(wall_.lead()));
  if (!context) return;
  turn.kept = context->value;
  Commit commit;
  commit.at = turn.now;
  commit.context.push_back(std::move(*context));
  turn.commits.push_back(std::move(commit));
}

void Engine::post(std::string aggregate, flow::Event event, std::string completes, std::string_view actor) {
  queue_.push_back({std::move(aggregate), std::move(event), std::move(completes), actor});
}

Result<void> Engine::drain() {
  if (dead_) return std::unexpected(*dead_);
  if (draining_) return {};
  if (retry_at_ && clock_.monotonic() < *retry_at_) return {};
  draining_ = true;
  Result<void> result;
  for (bool more = true; more && result;) {
    more = false;
    result = drain_once(more);
  }
  draining_ = false;
  if (result) {
    retry_at_.reset();
    retry_delay_ = {};
  } else if (worth_retrying(result.error().code)) {
    retry_delay_ = std::clamp(retry_delay_ + retry_delay_, kFirstRetry, kLastRetry);
    retry_at_ = clock_.monotonic() + retry_delay_;
  } else {
    dead_ = result.error();
  }
  return result;
}

/// One commit. `more`: there may be something left to do.
Result<void> Engine::drain_once(bool& more) {
  Turn turn;
  turn.now = clock_.now();
  Result<void> taken = follow_clock(turn);
  if (taken) taken = take_queue(turn);
  if (taken) taken = take_timers(turn);
  if (taken) take_acts(turn);
  if (!taken) {
    put_back(turn);
    return taken;
  }
  more = !turn.taken.empty() || !turn.commits.empty();
  if (turn.commits.empty()) return {};
  keep_clock(turn);
  auto seqs = store_.commit(fence_, turn.commits);
  if (!seqs) {
    put_back(turn);
    return pass(seqs);
  }
  settle(turn, *seqs);
  return {};
}

/// When somebody has set the wall clock, what counts from a moment is moved along before anything else happens at the new time,
/// in one commit.
Result<void> Engine::follow_clock(Turn& turn) {
  turn.lead = wall_.moved_to();
  if (!turn.lead) return {};
  const flow::ClockMoved moved{*turn.lead - wall_.lead()};
  std::vector<std::string> ids;
  for (const auto& [id, loaded] : living_) ids.push_back(id);
  for (const std::string& id : ids) {
    if (auto r = apply(turn, id, moved, {}); !r) return r;
  }
  if (turn.commits.empty()) wall_.told(*turn.lead);  // nobody had anything to move
  return {};
}

Result<void> Engine::take_queue(Turn& turn) {
  while (!queue_.empty() && turn.taken.size() < kMaxBatch) {
    turn.taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
    const Posted& p = turn.taken.back();
    if (!p.completes.empty() && (!pending_.contains(p.completes) || turn.done.contains(p.completes))) continue;
    if (auto r = apply(turn, p.aggregate, p.event, p.completes, p.actor); !r) return r;
  }
  return {};
}

Result<void> Engine::take_timers(Turn& turn) {
  // A run begins with HostStarted for everything that lives. A timer that fired before it would act as the run before would have.
  if (!queue_.empty() && std::holds_alternative<flow::HostStarted>(queue_.front().event)) return {};
  std::vector<std::string> due;
  for (const auto& [at, id] : deadlines_) {
    if (at > turn.now) break;
    due.push_back(id);
  }
  for (const std::string& id : due) {
    const auto before = turn.staged.find(id);
    const std::vector<std::string> names =
        flow::due_timers(before == turn.staged.end() ? living_.at(id).state : before->second.state, turn.now);
    for (const std::string& name : names) {
      const auto it = turn.staged.find(id);
      if (!fires(it == turn.staged.end() ? living_.at(id).state : it->second.state, name, turn.now)) continue;
      if (auto r = apply(turn, id, flow::TimerFired{name}, {}); !r) return r;
    }
  }
  return {};
}

void Engine::take_acts(Turn& turn) {
  if (acts_.empty()) return;
  Commit commit;
  commit.at = turn.now;
  commit.audit = acts_;
  turn.acts = acts_.size();
  turn.commits.push_back(std::move(commit));
}

/// Brings an aggregate into the turn: from memory, or from the store when it has finished.
Result<void> Engine::reach(Turn& turn, const std::string& aggregate) {
  if (turn.staged.contains(aggregate)) return {};
  Turn::Staged staged;
  if (const auto it = living_.find(aggregate); it != living_.end()) {
    staged = {true, it->second.state, it->second.version, it->second.plain, false};
  } else {
    auto stored = store_.load(aggregate);
    if (!stored) return pass(stored);
    if (*stored) {
      auto state = decode<flow::State>((*stored)->state, state_binding(aggregate));
      if (!state) return pass(state);
      staged = {true, std::move(*state), (*stored)->version, {}, false};
      staged.plain = json_text(staged.state);
    }
  }
  turn.staged.emplace(aggregate, std::move(staged));
  return {};
}

Result<void> Engine::apply(Turn& turn, const std::string& aggregate, const flow::Event& event, const std::string& completes,
                           std::string_view actor) {
  if (auto r = reach(turn, aggregate); !r) return r;
  Turn::Staged& staged = turn.staged.at(aggregate);
  if (const auto* seen = std::get_if<flow::MeetingSeen>(&event); seen != nullptr && not_begun(staged.state)) {
    // Two calendars may name one meeting differently; two bots must not stand in one room.
    const std::string there = at_place(turn, aggregate, seen->spec);
    if (auto r = there.empty() ? Result<void>{} : apply(turn, aggregate, flow::PlaceTaken{there}, {}); !r) return r;
  }
  Commit commit;
  commit.at = turn.now;
  if (!completes.empty()) commit.done.push_back(completes);
  std::optional<flow::State> fresh;
  if (!staged.exists) fresh = flow::begin(event);
  if (!staged.exists && !fresh) {  // nobody there to hear it
    if (!commit.done.empty()) turn.commits.push_back(std::move(commit));
    turn.done.insert(completes);
    return {};
  }
  const std::optional<flow::MeetingSpec> held = Places::held(staged.state);
  flow::State after = fresh ? std::move(*fresh) : staged.state;
  flow::Batch batch = flow::step(after, event, turn.now);
  // A step that leaves a fired timer due would fire it for ever.
  if (const auto* timer = std::get_if<flow::TimerFired>(&event); timer != nullptr && still_due(after, timer->name, turn.now)) {
    postpone(after, timer->name, turn.now + seconds(1));
  }
  std::string plain = json_text(after);
  if (staged.exists && batch.empty() && completes.empty() && plain == staged.plain) return {};

  commit.aggregate = aggregate;
  commit.kind = std::string(type_of(after));
  commit.expected_version = staged.version;
  commit.finished = flow::finished(after);
  commit.state = seal(plain, state_binding(aggregate));
  commit.journal = encode(event, journal_binding(aggregate));
  commit.audit = flow::audited({aggregate, staged.exists ? &staged.state : nullptr, event, after, batch}, turn.now, actor);
  for (flow::Record& record : batch.records) {
    const std::string kind(type_of(record));
    commit.records.push_back({0, aggregate, kind, turn.now, encode(record, record_binding(aggregate, kind))});
    turn.records.push_back({0, aggregate, turn.now, std::move(record)});
  }
  std::size_t index = 0;
  for (flow::Effect& effect : batch.effects) {
    std::string key;
    if (flow::durable(effect)) {
      key = aggregate + ":" + std::to_string(staged.version + 1) + ":" + std::to_string(index++);
      commit.effects.push_back({key, aggregate, is_held(effect), encode(effect, effect_binding(key))});
    }
    turn.releases.push_back({aggregate, std::move(key), std::move(effect)});
  }
  for (const flow::ContextChange& c : batch.context) {
    commit.context.push_back({c.key, c.value.empty() ? std::string() : seal(c.value, context_binding(c.key)), c.expires});
  }
  turn.commits.push_back(std::move(commit));
  if (!completes.empty()) turn.done.insert(completes);
  staged = {true, std::move(after), staged.version + 1, std::move(plain), true};

  // In the same commit: at no time two meetings are on their way to one place.
  const std::optional<flow::MeetingSpec> holds = Places::held(staged.state);
  if (!holds || (held && flow::same_place(*held, *holds)) || std::holds_alternative<flow::PlaceTaken>(event)) return {};
  const std::string there = at_place(turn, aggregate, *holds);
  return there.empty() ? Result<void>{} : apply(turn, aggregate, flow::PlaceTaken{there}, {});
}

void Engine::put_back(Turn& turn) {
  for (auto it = turn.taken.rbegin(); it != turn.taken.rend(); ++it) queue_.push_front(std::move(*it));
}

/// After the commit: the new state, then the viewers, then the world.
void Engine::settle(Turn& turn, const std::vector<std::uint64_t>& seqs) {
  if (turn.lead) wall_.told(*turn.lead);
  if (!turn.kept.empty()) wall_.kept(std::move(turn.kept));
  for (auto& [id, staged] : turn.staged) {
    if (!staged.changed) continue;
    const auto it = living_.find(id);
    const bool lives = !flow::finished(staged.state);
    index_deadline(id, it == living_.end() ? nullptr : &it->second.state, lives ? &staged.state : nullptr);
    places_.update(id, it == living_.end() ? nullptr : &it->second.state, lives ? &staged.state : nullptr);
    if (lives) {
      living_.insert_or_assign(id, Loaded{std::move(staged.state), staged.version, std::move(staged.plain)});
    } else if (it != living_.end()) {
      living_.erase(it);
    }
  }
  for (const std::string& key : turn.done) pending_.erase(key);
  acts_.erase(acts_.begin(), acts_.begin() + static_cast<std::ptrdiff_t>(turn.acts));
  for (const Commit& commit : turn.commits) {
    for (const StoredEffect& e : commit.effects) pending_.emplace(e.key, e.aggregate);
  }
  for (std::size_t i = 0; i < turn.records.size() && i < seqs.size(); ++i) {
    turn.records[i].seq = seqs[i];
    if (on_record_) on_record_(turn.records[i]);
  }
  for (const auto& r : turn.releases) {
    if (!is_held(r.effect)) release(r.aggregate, r.key, r.effect);
  }
}

void Engine::release(const std::string& aggregate, const std::string& key, const flow::Effect& effect) {
  if (const auto* message = std::get_if<flow::ToAggregate>(&effect)) {
    post(message->aggregate, message->event, key);
  } else {
    runner_.run(aggregate, key, effect);
  }
}

/// The meeting, other than `but`, that holds the place of `spec`, or "".
std::string Engine::at_place(const Turn& turn, const std::string& but, const flow::MeetingSpec& spec) const {
  if (spec.meeting_key.empty()) return "";
  for (const auto& [id, staged] : turn.staged) {
    if (id != but && staged.changed && flow::holds_place(staged.state) &&
        flow::same_place(std::get<flow::MeetingState>(staged.state).spec, spec)) {
      return id;
    }
  }
  return places_.holder(spec, [&](const std::string& id) {
    const auto staged = turn.staged.find(id);  // what this turn has changed was looked at above
    return id != but && (staged == turn.staged.end() || !staged->second.changed);
  });
}

void Engine::index_deadline(const std::string& aggregate, const flow::State* before, const flow::State* after) {
  if (before != nullptr) {
    if (const auto at = flow::next_deadline(*before)) deadlines_.erase({*at, aggregate});
  }
  if (after != nullptr && !(held_ && held_(*after))) {
    if (const auto at = flow::next_deadline(*after)) deadlines_.emplace(*at, aggregate);
  }
}

/// An event before it in the same batch may have cleared or moved the timer, or brought the aggregate to a state that is held.
bool Engine::fires(const flow::State& state, const std::string& timer, Instant now) const {
  return still_due(state, timer, now) && !(held_ && held_(state));
}

void Engine::hold_timers(std::function<bool(const flow::State&)> held) {
  held_ = std::move(held);
  deadlines_.clear();
  for (const auto& [id, loaded] : living_) index_deadline(id, nullptr, &loaded.state);
}

std::optional<Instant> Engine::next_deadline() const {
  if (dead_) return std::nullopt;
  if (retry_at_) return clock_.now() + (*retry_at_ - clock_.monotonic());
  if (!queue_.empty() || !acts_.empty()) return Instant{};
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

const flow::State* Engine::find(const std::string& aggregate) const {
  const auto it = living_.find(aggregate);
  return it == living_.end() || is_over(it->second.state) ? nullptr : &it->second.state;
}

void Engine::for_each(const std::function<void(const std::string& id, const flow::State&)>& f) const {
  for (const auto& [id, loaded] : living_) {
    if (!is_over(loaded.state)) f(id, loaded.state);
  }
}

}  // namespace hansard::host
