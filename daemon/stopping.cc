#include "daemon/stopping.h"

#include <algorithm>
#include <vector>

#include "daemon/log.h"

namespace hansard {
namespace {

/// Said in the meeting's note and consent log: "stopped by the daemon, ..."
constexpr const char* kLeaver = "the daemon, which is itself stopping";

bool joined(const flow::MeetingState& m) { return m.state >= meeting::State::kJoining && !meeting::is_final(m.state); }

/// One that its sink can take now and was never asked to, or whose answer is awaited.
bool to_be_sent(const flow::SinkState& sink, const flow::Delivery& d, Instant now) {
  if (d.state == flow::DeliveryState::kSending) return true;
  return d.state == flow::DeliveryState::kWaiting && d.attempts == 0 && sink.configured && sink.paused_until <= now;
}

}  // namespace

Remaining remaining(const host::Engine& engine, Instant now, bool recognizer) {
  Remaining out;
  engine.for_each([&](const std::string&, const flow::State& state) {
    if (const auto* m = std::get_if<flow::MeetingState>(&state)) {
      const bool waits_for_recognizer = !recognizer && m->state == meeting::State::kProcessing && !m->drained;
      out.meetings += joined(*m) && !waits_for_recognizer ? 1 : 0;
    } else if (const auto* sink = std::get_if<flow::SinkState>(&state)) {
      out.tasks += std::count_if(sink->deliveries.begin(), sink->deliveries.end(),
                                 [&](const flow::Delivery& d) { return to_be_sent(*sink, d, now); });
    }
  });
  return out;
}

bool sending(const host::Engine& engine) {
  bool out = false;
  engine.for_each([&](const std::string&, const flow::State& state) {
    const auto* sink = std::get_if<flow::SinkState>(&state);
    if (sink == nullptr) return;
    out = out || std::any_of(sink->deliveries.begin(), sink->deliveries.end(),
                             [](const flow::Delivery& d) { return d.state == flow::DeliveryState::kSending; });
  });
  return out;
}

Stopping::Stopping(host::Engine& engine, const Clock& clock, OnStop configured, Duration limit)
    : engine_(engine), clock_(clock), configured_(configured), limit_(limit) {}

void Stopping::ask(OnStop how, std::string_view by) {
  if (how_ == OnStop::kHandOver) return;
  how_ = how;
  by_ = by;
  until_ = how == OnStop::kHandOver ? Instant{} : clock_.now() + limit_;
  deadline_ = clock_.monotonic() + limit_;
  left_.reset();
  log::info("stopping", {{"how", enum_name(how)}, {"until", until_.ms == 0 ? "" : format_rfc3339(until_)}});
  engine_.hold_timers([](const flow::State& state) {
    const auto* m = std::get_if<flow::MeetingState>(&state);
    return m != nullptr && m->state < meeting::State::kJoining;
  });
  if (how != OnStop::kLeave) return;
  std::vector<std::string> attended;
  engine_.for_each([&](const std::string& id, const flow::State& state) {
    const auto* m = std::get_if<flow::MeetingState>(&state);
    if (m != nullptr && meeting::wants_media(m->state)) attended.push_back(id);
  });
  for (const std::string& id : attended) engine_.post(id, flow::StopRequested{kLeaver});
}

bool Stopping::signal() {
  switch (++signals_) {
    case 1: ask(asked() ? OnStop::kHandOver : configured_, audit::kBySignal); return true;
    case 2: ask(OnStop::kHandOver, audit::kBySignal); return true;
    default: return false;
  }
}

bool Stopping::due(bool recognizer) {
  if (!how_) return false;
  const Remaining now = remaining(engine_, clock_.now(), recognizer);
  const bool nothing_left = now == Remaining{};
  if (*how_ == OnStop::kHandOver || nothing_left || clock_.monotonic() >= deadline_) {
    if (*how_ != OnStop::kHandOver && !nothing_left) {
      log::warning("the drain limit has passed", {{"meetings", now.meetings}, {"tasks", now.tasks}});
    }
    left_ = now;
    return true;
  }
  if (left_ != now) log::info("draining", {{"meetings", now.meetings}, {"tasks", now.tasks}, {"until", format_rfc3339(until_)}});
  left_ = now;
  return false;
}

void Stopping::end(bool recognizer) {
  const Remaining left = remaining(engine_, clock_.now(), recognizer);
  engine_.hold_timers([](const flow::State&) { return true; });
  log::info(left.meetings > 0 ? "handing over" : "nothing is left to do", {{"meetings", left.meetings}, {"tasks", left.tasks}});
}

audit::Act Stopping::act() const {
  return {clock_.now(), std::string(by_), std::string(audit::kDaemonStop), "epoch:" + std::to_string(engine_.epoch()),
          std::string(enum_name(how_.value_or(OnStop::kHandOver)))};
}

Json Stopping::status() const {
  if (!how_) return {};
  const Remaining left = left_ ? *left_ : remaining(engine_, clock_.now(), true);
  Json out = Json::object();
  return out.set("how", enum_name(*how_))
      .set("meetings", left.meetings)
      .set("tasks", left.tasks)
      .set("until", until_.ms == 0 ? "" : format_rfc3339(until_));
}

}  // namespace hansard
