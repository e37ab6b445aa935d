#include "sim/year.h"

#include <algorithm>
#include <memory>

#include "core/base/hash.h"
#include "host/engine.h"
#include "host/executor.h"
#include "host/stored.h"
#include "sim/audit_check.h"
#include "sim/disk.h"
#include "sim/ear.h"
#include "sim/memory_store.h"
#include "sim/model.h"
#include "sim/secrets.h"
#include "sim/year_world.h"

namespace hansard::sim {
namespace {

constexpr Instant kYear{1'735'689'600'000};  // 2025-01-01T00:00:00Z
constexpr std::int64_t kDayMs = 86'400'000;

std::string calendar_id(std::size_t person) { return "person" + std::to_string(person); }

/// Passes effects on; the daemon may die before one.
class Between final : public host::EffectRunner {
 public:
  std::function<void()> before;
  host::EffectRunner* next = nullptr;
  void run(const std::string& aggregate, const std::string& key, const flow::Effect& effect) override {
    before();
    next->run(aggregate, key, effect);
  }
};

class Year {
 public:
  explicit Year(const YearOptions& options)
      : options_(options),
        start_(kYear + Duration{static_cast<std::int64_t>(options.seed % 365) * kDayMs}),
        world_(start_, options.seed ^ 0x51u),
        trouble_rng_(options.seed * 3 + 2) {
    world_.verbose = options.verbose;
    store_.keep_journal = false;
    store_.before_commit = [this](std::uint64_t) { return before_commit(); };
    store_.after_commit = [this](std::uint64_t) { die_if_armed(YearEvent::kKilledAfterCommit); };
    store_.before_load = [this]() -> Result<void> {
      if (!on(YearEvent::kStoreLoadFailed)) return {};
      return fail(ErrorClass::kUnavailable, "store", "locked");
    };
    between_.before = [this] { die_if_armed(YearEvent::kKilledInRelease); };
    doors_.planned_for = [this](const std::string& meeting) {
      const flow::State* s = engine_->find(meeting);
      const auto* m = s == nullptr ? nullptr : std::get_if<flow::MeetingState>(s);
      return m == nullptr ? Instant{} : m->spec.start;
    };
    town_.on_push = [this](std::size_t person) {
      if (!engine_) return;
      ++count(YearEvent::kPush);
      engine_->post("calendar:" + calendar_id(person), flow::ScanRequested{});
    };
  }

  YearOutcome run() {
    town_.begin(start_);
    for (int day = 0; day < options_.days - 3; ++day) world_.at(start_ + hours(24 * day), [this] { plan_day(); });
    const Instant calm = start_ + hours(24 * (options_.days - 2));
    world_.at(calm, [this] {
      until_.clear();
      armed_.clear();
      web_.calm();
    });
    world_.at(start_, [this] { start_daemon(); });
    const Instant end = start_ + hours(24 * options_.days);
    for (bool more = true; more;) {
      try {
        more = world_.step(end);
        turn();
      } catch (const Killed&) {
        kill_daemon();
        more = true;
      }
    }
    check_end();
    out_.digest = digest();
    return std::move(out_);
  }

 private:
  std::uint64_t& count(YearEvent e) { return out_.events[static_cast<std::size_t>(e)]; }

  bool on(YearEvent kind) {
    const auto it = until_.find(kind);
    if (it == until_.end() || it->second <= world_.now()) return false;
    ++count(kind);
    return true;
  }

  void die_if_armed(YearEvent kind) {
    if (armed_.erase(kind) == 0) return;
    ++count(kind);
    throw Killed{};
  }

  Result<void> before_commit() {
    ++out_.commits;
    die_if_armed(YearEvent::kKilledBeforeCommit);
    if (on(YearEvent::kStoreUnavailable)) return fail(ErrorClass::kUnavailable, "store", "locked");
    if (on(YearEvent::kStoreFull)) return fail(ErrorClass::kExhausted, "store", "disk full");
    return {};
  }

  // ---- the process ----

  void start_daemon() {
    host::ExecutorConfig config;
    config.analysis_model = shared_model();
    config.generic_hosts = {"rooms.example"};
    config.entropy = [this](std::size_t n) { return world_.entropy(n); };
    executor_ = std::make_unique<host::Executor>(
        host::ExecutorPorts{world_, store_, web_, doors_, ear_, spool_, disk_, secrets_, signer_}, config);
    between_.next = executor_.get();
    engine_ = std::make_unique<host::Engine>(store_, world_, between_);
    executor_->connect(*engine_);
    watch_.daemon_up();
    for (auto& scans : seen_) scans = {};
    if (auto r = engine_->start("sim"); !r) return watch_.wrong("the engine does not start: " + r.error().detail);
    for (std::size_t p = 0; p < kPeople; ++p) {
      if (const flow::CalendarState* c = calendar(p)) seen_[p] = c->last_success;
      flow::CalendarConfigured e;
      e.source.id = calendar_id(p);
      e.source.kind = "ics";
      e.source.url = YearWeb::feed_url(p);
      e.source.interval = minutes(90 + 20 * static_cast<std::int64_t>(p));
      e.source.attend = rules_of(p);
      e.source.account = address_of(p);
      e.seed = options_.seed + p;
      engine_->post("calendar:" + e.source.id, e);
    }
  }

  void kill_daemon() {
    world_.log("the daemon dies");
    world_.daemon_died();
    executor_.reset();
    engine_.reset();
    web_.daemon_died();
    doors_.daemon_died();
    ear_.daemon_died();
    watch_.daemon_down();
    if (options_.canary == Canary::kLostOutbox) store_.lose_effects();
    woken_at_ = {};
    const bool lasts = std::exchange(long_down_, false);
    const Duration down = lasts ? minutes(world_.rng.between(5, 40)) : milliseconds(world_.rng.between(200, 90'000));
    world_.after(down, [this] { start_daemon(); });
  }

  const flow::CalendarState* calendar(std::size_t person) const {
    const flow::State* s = engine_->find("calendar:" + calendar_id(person));
    return s == nullptr ? nullptr : std::get_if<flow::CalendarState>(s);
  }

  void turn() {
    if (!engine_) return;
    if (auto r = engine_->drain(); !r && r.error().code != ErrorClass::kUnavailable && r.error().code != ErrorClass::kExhausted) {
      watch_.wrong("the engine stopped: " + r.error().detail);
      throw Killed{};
    }
    for (std::size_t p = 0; p < kPeople; ++p) {
      const flow::CalendarState* c = calendar(p);
      if (c == nullptr || c->last_success == seen_[p]) continue;
      seen_[p] = c->last_success;
      // A scan whose commit came after the daemon's death was delivered to the one before.
      if (const auto delivered = web_.take(p)) watch_.scanned(p, delivered->from, delivered->shown, *c);
    }
    arrange_wake();
  }

  void arrange_wake() {
    std::optional<Instant> at = engine_->next_deadline();
    if (executor_->has_backlog()) at = world_.now() + milliseconds(50);
    if (!at) return;
    const Instant when = std::max(*at, world_.now() + milliseconds(1));
    if (woken_at_ > world_.now() && woken_at_ <= when) return;
    woken_at_ = when;
    world_.at(when, [this, life = world_.life()] {
      if (life == world_.life() && executor_) executor_->poll();
    });
  }

  // ---- what goes wrong ----

  /// Half of the troubles come near a meeting's start, where they matter.
  void plan_day() {
    const std::int64_t troubles = trouble_rng_.between(1, 4);
    for (std::int64_t n = 0; n < troubles; ++n) {
      Instant at = world_.now() + Duration{trouble_rng_.between(0, kDayMs - 1)};
      const auto today = town_.truth(world_.now(), world_.now() + hours(24));
      const std::uint64_t pick = trouble_rng_.next();
      const std::int64_t before = trouble_rng_.between(-4 * 60'000, 20 * 60'000);
      if (trouble_rng_.chance(50) && !today.empty()) at = today[pick % today.size()].start - Duration{before};
      world_.at(at, [this] { trouble(); });
    }
    if (trouble_rng_.chance(6)) {
      world_.at(world_.now() + hours(24), [this] {
        if (!engine_) return;
        ++count(YearEvent::kKilledAtMidnight);
        throw Killed{};
      });
    }
    for (const Happening& h : town_.truth(world_.now(), world_.now() + hours(24))) {
      const std::int64_t of_day = (h.start.ms / 60'000) % 1440;
      if (of_day < 5 || of_day >= 1435) ++count(YearEvent::kMidnight);
      if (clock_change(Region::kBerlin, h.day) || clock_change(Region::kNewYork, h.day)) ++count(YearEvent::kClockChange);
    }
  }

  void trouble() {
    static constexpr std::array kKinds = {
        YearEvent::kFeedDown,          YearEvent::kFeedDown,        YearEvent::kFeedServerError, YearEvent::kFeedRetryAfter,
        YearEvent::kFeedHtml,          YearEvent::kFeedTruncated,   YearEvent::kFeedTruncated,   YearEvent::kFeedSlow,
        YearEvent::kFeedGone,          YearEvent::kKilled,          YearEvent::kKilled,          YearEvent::kKilledBeforeCommit,
        YearEvent::kKilledAfterCommit, YearEvent::kKilledInRelease, YearEvent::kKilledInRelease, YearEvent::kDownForLong,
        YearEvent::kStoreUnavailable,  YearEvent::kStoreFull,       YearEvent::kStoreLoadFailed, YearEvent::kConnectionLost};
    const YearEvent kind = kKinds[trouble_rng_.below(kKinds.size())];
    const std::size_t person = trouble_rng_.below(kPeople);
    const Duration feed_time{trouble_rng_.between(60'000, 5 * 3'600'000)};
    const Duration store_time{trouble_rng_.between(1000, 150'000)};
    world_.log("trouble: " + std::string(enum_name(kind)));
    switch (kind) {
      case YearEvent::kFeedDown:
      case YearEvent::kFeedServerError:
      case YearEvent::kFeedRetryAfter:
      case YearEvent::kFeedHtml:
      case YearEvent::kFeedTruncated:
      case YearEvent::kFeedSlow:
      case YearEvent::kFeedGone: return web_.trouble(person, kind, feed_time);
      case YearEvent::kKilledBeforeCommit:
      case YearEvent::kKilledAfterCommit:
      case YearEvent::kKilledInRelease: armed_[kind] = true; return;
      case YearEvent::kStoreUnavailable:
      case YearEvent::kStoreFull:
      case YearEvent::kStoreLoadFailed: until_[kind] = world_.now() + store_time; return scan_all();
      case YearEvent::kConnectionLost: return lose_connections();
      default: break;
    }
    if (!engine_) return;
    ++count(kind);
    long_down_ = kind == YearEvent::kDownForLong;
    throw Killed{};
  }

  /// At the next time that a bot is in a meeting.
  void lose_connections() {
    if (const std::size_t dropped = doors_.drop(); dropped > 0) {
      count(YearEvent::kConnectionLost) += dropped;
    } else {
      world_.after(minutes(3), [this] { lose_connections(); });
    }
  }

  /// While the store fails, something is to be stored.
  void scan_all() {
    for (std::size_t p = 0; p < kPeople && engine_; ++p) engine_->post("calendar:" + calendar_id(p), flow::ScanRequested{});
  }

  // ---- the end ----

  void check_end() {
    for (const StoredAggregate& a : got(store_.aggregates({}, false))) {
      const auto state = host::decode<flow::State>(a.state, host::state_binding(a.id));
      if (!state) {
        watch_.wrong("the state of " + a.id + " is not readable");
        continue;
      }
      if (const auto* m = std::get_if<flow::MeetingState>(&*state);
          m != nullptr && !meeting::is_final(m->state) && !flow::finished(*state))
        watch_.wrong("meeting " + a.id + " did not end: it is " + std::string(enum_name(m->state)));
      if (const auto* c = std::get_if<flow::CalendarState>(&*state); c != nullptr && c->state != "ok")
        watch_.wrong("the calendar " + c->source.id + " is " + c->state + " at the end");
    }
    if (const std::string fault = chain_fault(store_); !fault.empty()) watch_.wrong(fault);
    const auto opened = std::count_if(store_.audit_log().begin(), store_.audit_log().end(),
                                      [](const audit::Row& row) { return row.act.action == audit::kStoreOpen; });
    if (engine_ && static_cast<std::uint64_t>(opened) != engine_->epoch()) watch_.wrong("the audit log does not have each start");
    if (!got(store_.effects()).empty()) watch_.wrong("an effect was never answered");
    if (store_.contexts() != 0) watch_.wrong("join contexts are left in the store");
    if (spool_.meetings() != 0) watch_.wrong("audio is left in the spool");
  }

  std::string digest() {
    std::string all = world_.trace;
    for (const StoredAggregate& a : got(store_.aggregates({}, false))) all += a.id + "\n" + a.state + "\n";
    for (const StoredRecord& r : got(store_.records({{}, 0, 10'000'000, {}})))
      all += std::to_string(r.at.ms) + " " + r.body + "\n";
    return sha256_hex(all);
  }

  const YearOptions options_;
  const Instant start_;
  YearOutcome out_;
  World world_;
  Prng trouble_rng_;
  Town town_{world_, options_, out_.events};
  Watch watch_{world_, out_};
  MemoryStore store_;
  const Scenario no_rooms_;
  YearWeb web_{world_, town_, options_.canary, out_.events};
  Doors doors_{world_, town_, watch_};
  Ear ear_{world_, no_rooms_};
  Spool spool_{world_};
  Disk disk_{world_};
  Secrets secrets_;
  NoSigner signer_;
  Between between_;
  std::unique_ptr<host::Executor> executor_;
  std::unique_ptr<host::Engine> engine_;
  std::map<YearEvent, Instant> until_;
  std::map<YearEvent, bool> armed_;
  std::array<Instant, kPeople> seen_{};  ///< the last successful scan that was looked at
  bool long_down_ = false;
  Instant woken_at_;
};

}  // namespace

YearOutcome simulate_year(const YearOptions& options) { return Year(options).run(); }

}  // namespace hansard::sim
