#pragma once
// Internal to core/flow: one event's work on one task sink. What is on its way there is an aggregate of its own, so that a
// sink that is down for a day holds up no meeting.
#include <string>

#include "core/flow/step.h"

namespace hansard::flow {

class SinkStep {
 public:
  SinkStep(SinkState& state, Instant now) : s_(state), now_(now) {}

  Batch run(const Event& event);

 private:
  void on(const SinkConfigured& e);
  void on(const TaskWanted& e);
  void on(const TaskAnswered& e);
  void on(const TaskFound& e);
  void on(const TaskDecided& e);
  /// What was being sent when the program ended may have arrived. Nothing new is sent until SinkConfigured comes again.
  void on(const HostStarted&);
  void on(const ClockMoved& e);
  void on(const TimerFired& e);

  Delivery* find(const std::string& key);
  /// Starts every delivery whose turn has come, and arms the timer for the next.
  void pump();
  bool may_send(Instant& next);
  void send(Delivery& d);
  void look(Delivery& d);
  /// Nobody knows whether the last attempt arrived: what the sink's class allows.
  void outcome_unknown(Delivery& d, std::string detail);
  void later(Delivery& d, std::string detail, Duration retry_after);
  void dead(Delivery& d, std::string detail);
  void tell(const Delivery& d, std::string state, std::string detail);
  void forget(const std::string& key);

  SinkState& s_;
  const Instant now_;
  Batch out_;
};

}  // namespace hansard::flow
