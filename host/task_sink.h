#pragma once
// Where tasks go, as the executor sees it.
#include <functional>

#include "core/tasks/task.h"

namespace hansard::host {

class TaskSink {
 public:
  virtual ~TaskSink() = default;
  virtual tasks::SinkClass sink_class() const = 0;
  /// Sends one attempt; `done` is called once on the host's thread. `created` is the same at every attempt.
  virtual void send(const tasks::Task& task, Instant created, std::function<void(tasks::Answer)> done) = 0;
  /// Looks for the task by its key; `found` means something with Outcome::kAccepted only. Sinks that are not findable are
  /// never asked.
  virtual void find(const tasks::Task& task, std::function<void(tasks::Answer, bool found)> done) = 0;
};

}  // namespace hansard::host
