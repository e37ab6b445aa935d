#include "core/flow/sink_step.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/prng.h"

namespace hansard::flow {
namespace {

using tasks::Outcome;
using tasks::SinkClass;

constexpr const char* kSend = "send";
/// An attempt without any answer counts as one of unknown outcome after this.
constexpr Duration kAnswerWait = minutes(2);
constexpr Duration kFirstBackoff = seconds(5);
constexpr Duration kLongestBackoff = hours(4);
constexpr Duration kBudgetWindow = minutes(1);
constexpr int kMaxDoublings = 12;
constexpr std::size_t kMaxInFlight = 4;
/// More than this on the way to one sink are not taken in; their meetings are told.
constexpr std::size_t kMaxDeliveries = 2'000;

bool in_flight(const Delivery& d) { return d.state == DeliveryState::kSending || d.state == DeliveryState::kLooking; }

}  // namespace

Batch SinkStep::run(const Event& event) {
  if (const auto* e = std::get_if<SinkConfigured>(&event)) on(*e);
  if (const auto* e = std::get_if<TaskWanted>(&event)) on(*e);
  if (const auto* e = std::get_if<TaskAnswered>(&event)) on(*e);
  if (const auto* e = std::get_if<TaskFound>(&event)) on(*e);
  if (const auto* e = std::get_if<TaskDecided>(&event)) on(*e);
  if (const auto* e = std::get_if<HostStarted>(&event)) on(*e);
  if (const auto* e = std::get_if<TimerFired>(&event)) on(*e);
  if (const auto* e = std::get_if<ClockMoved>(&event)) {
    on(*e);
    return std::move(out_);  // nothing becomes due by it, and a new run hears it before HostStarted, when nothing may be sent yet
  }
  pump();
  return std::move(out_);
}

void SinkStep::on(const SinkConfigured& e) {
  s_.settings = e.settings;
  s_.configured = e.active;
  if (s_.seed == 0) s_.seed = e.seed;
}

void SinkStep::on(const TaskWanted& e) {
  if (find(e.task.key) != nullptr) return;
  Delivery d;
  d.task = e.task;
  d.created = now_;
  if (s_.deliveries.size() >= kMaxDeliveries) return tell(d, "dead", "too many tasks wait for this sink");
  s_.deliveries.push_back(std::move(d));
}

void SinkStep::on(const TaskAnswered& e) {
  Delivery* d = find(e.key);
  if (d == nullptr || d->state != DeliveryState::kSending || d->attempts != e.attempt) return;
  switch (e.answer.outcome) {
    case Outcome::kAccepted: tell(*d, "delivered", {}); return forget(e.key);
    case Outcome::kRefused: return dead(*d, e.answer.detail);
    case Outcome::kBusy:
      // The sink as a whole asks for a pause, and the attempt was none.
      --d->attempts;
      s_.paused_until = std::max(s_.paused_until, now_ + std::max(e.answer.retry_after, kFirstBackoff));
      d->state = DeliveryState::kWaiting;
      d->not_before = s_.paused_until;
      d->detail = e.answer.detail;
      return;
    case Outcome::kUnavailable: return later(*d, e.answer.detail, e.answer.retry_after);
    case Outcome::kUnknown: return outcome_unknown(*d, e.answer.detail);
  }
}

void SinkStep::on(const TaskFound& e) {
  Delivery* d = find(e.key);
  if (d == nullptr || d->state != DeliveryState::kLooking || d->attempts != e.attempt) return;
  if (e.answer.outcome != Outcome::kAccepted) {
    // Not even the look-up has an answer: look again later.
    d->not_before = now_ + std::max(e.answer.retry_after, kAnswerWait);
    d->detail = e.answer.detail;
    return;
  }
  if (!e.found) return later(*d, d->detail, {});
  tell(*d, "delivered", {});
  forget(e.key);
}

void SinkStep::on(const TaskDecided& e) {
  Delivery* d = find(e.key);
  if (d == nullptr || d->state != DeliveryState::kDead) return;
  if (e.retry) {
    d->state = DeliveryState::kWaiting;
    d->attempts = 0;
    d->not_before = now_;
    return tell(*d, "recorded", "to be sent again");
  }
  tell(*d, "discarded", "by a person");
  forget(e.key);
}

void SinkStep::on(const ClockMoved& e) {
  for (auto& [name, at] : s_.timers) at = at + e.by;
  for (Delivery& d : s_.deliveries) d.not_before = d.not_before + e.by;
  if (s_.paused_until.ms != 0) s_.paused_until = s_.paused_until + e.by;
  if (s_.window_start.ms != 0) s_.window_start = s_.window_start + e.by;
}

void SinkStep::on(const HostStarted&) {
  // Until the configuration of this run says so again: a sink that was removed must not be sent to.
  s_.configured = false;
  for (Delivery& d : s_.deliveries) {
    if (d.state == DeliveryState::kSending) outcome_unknown(d, "the program ended while it was sent");
    if (d.state == DeliveryState::kLooking) d.not_before = now_;
  }
}

void SinkStep::on(const TimerFired& e) {
  const auto it = s_.timers.find(e.name);
  if (it == s_.timers.end() || it->second > now_) return;
  s_.timers.erase(it);
  for (Delivery& d : s_.deliveries) {
    if (d.state == DeliveryState::kSending && d.not_before <= now_) outcome_unknown(d, "no answer came");
  }
}

Delivery* SinkStep::find(const std::string& key) {
  const auto it = std::find_if(s_.deliveries.begin(), s_.deliveries.end(), [&](const Delivery& d) { return d.task.key == key; });
  return it == s_.deliveries.end() ? nullptr : &*it;
}

void SinkStep::pump() {
  std::optional<Instant> next;
  const auto wake = [&](Instant at) { next = next ? std::min(*next, at) : at; };
  std::set<std::string_view> busy;  // conversations whose first delivery is not through yet
  for (Delivery& d : s_.deliveries) {
    if (d.state == DeliveryState::kDead) continue;
    const bool first = busy.insert(d.task.meeting).second;
    if (d.state == DeliveryState::kSending) {
      wake(d.not_before);
    } else if (d.state == DeliveryState::kLooking) {
      if (d.not_before <= now_) look(d);
      wake(d.not_before);
    } else if (first && s_.configured) {
      Instant at = d.not_before;
      if (may_send(at)) send(d);
      wake(std::max(at, d.not_before));
    }
  }
  if (next) {
    s_.timers[kSend] = std::max(*next, now_ + milliseconds(1));
  } else {
    s_.timers.erase(kSend);
  }
}

/// Whether a delivery that may go at `next` may go now; otherwise `next` becomes the time to ask again.
bool SinkStep::may_send(Instant& next) {
  next = std::max(next, s_.paused_until);
  if (next > now_) return false;
  const auto flying = std::count_if(s_.deliveries.begin(), s_.deliveries.end(), in_flight);
  if (static_cast<std::size_t>(flying) >= kMaxInFlight) {
    next = now_ + kAnswerWait;  // an answer comes before
    return false;
  }
  if (now_ - s_.window_start >= kBudgetWindow) {
    s_.window_start = now_;
    s_.sent_in_window = 0;
  }
  if (s_.sent_in_window < s_.settings.per_minute) return true;
  next = s_.window_start + kBudgetWindow;
  return false;
}

void SinkStep::send(Delivery& d) {
  ++s_.sent_in_window;
  ++d.attempts;
  d.state = DeliveryState::kSending;
  d.not_before = now_ + kAnswerWait;
  // Released after the commit that holds the attempt: one that was never sent may be on record, never the other way.
  out_.effects.push_back(SendTask{s_.settings.id, d.attempts, d.created, d.task});
}

void SinkStep::look(Delivery& d) {
  d.not_before = now_ + kAnswerWait;
  out_.effects.push_back(FindTask{s_.settings.id, d.attempts, d.task});
}

void SinkStep::outcome_unknown(Delivery& d, std::string detail) {
  switch (s_.settings.sink_class) {
    case SinkClass::kIdempotent: return later(d, std::move(detail), {});
    case SinkClass::kFindable:
      d.state = DeliveryState::kLooking;
      d.detail = std::move(detail);
      d.not_before = now_;
      return;
    case SinkClass::kOpaque: return dead(d, detail + "; it may have arrived: look there before you send it again");
  }
}

void SinkStep::later(Delivery& d, std::string detail, Duration retry_after) {
  if (d.attempts >= s_.settings.max_attempts) return dead(d, std::move(detail));
  Prng prng(s_.seed);
  const Duration base = std::min(Duration{kFirstBackoff.ms << std::clamp(d.attempts - 1, 0, kMaxDoublings)}, kLongestBackoff);
  d.not_before = now_ + std::max(base + Duration{prng.between(0, base.ms / 8)}, retry_after);
  s_.seed = prng.next();
  d.state = DeliveryState::kWaiting;
  d.detail = std::move(detail);
}

void SinkStep::dead(Delivery& d, std::string detail) {
  d.state = DeliveryState::kDead;
  d.detail = detail;
  tell(d, "dead", std::move(detail));
}

void SinkStep::tell(const Delivery& d, std::string state, std::string detail) {
  out_.effects.push_back(ToAggregate{
      d.task.meeting, TaskDelivered{d.task.key, d.task.item.id, s_.settings.id, std::move(state), std::move(detail)}});
}

void SinkStep::forget(const std::string& key) {
  std::erase_if(s_.deliveries, [&](const Delivery& d) { return d.task.key == key; });
}

Batch step(SinkState& state, const Event& event, Instant now) { return SinkStep(state, now).run(event); }

}  // namespace hansard::flow
