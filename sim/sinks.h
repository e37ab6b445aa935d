#pragma once
// Where the simulated people keep their tasks: one place of each class. They outlive the daemon.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/task_sink.h"
#include "sim/world.h"

namespace hansard::sim {

class Sinks {
 public:
  struct Taken {
    std::string key;
    std::string meeting;
    std::string item;
  };
  struct Place {
    tasks::SinkClass sink_class = tasks::SinkClass::kOpaque;
    std::vector<Taken> taken;                      ///< what people see there, in the order in which it came
    std::vector<Instant> sent;                     ///< every attempt
    std::map<std::string, std::uint64_t> refused;  ///< keys that it refused, and the daemon's life in which it last did
    std::set<std::string> insisted;                ///< keys that the same daemon sent again after that
    std::set<std::string> repeated;                ///< keys that came again after they had been taken
  };

  explicit Sinks(World& world);

  /// As the executor takes them.
  std::map<std::string, std::shared_ptr<host::TaskSink>> all();
  void trouble(Fault kind, Duration length) { until_[kind] = world_.now() + length; }
  /// Before the daemon's death counts: were attempts on their way?
  void daemon_died();

  /// Called when an attempt leaves the daemon.
  std::function<void()> on_send;
  std::map<std::string, Place> places;  ///< by the sink's name
  std::vector<std::string> violations;

  static constexpr int kPerMinute = 12;

 private:
  class Door;
  bool on(Fault kind) const {
    const auto it = until_.find(kind);
    return it != until_.end() && it->second > world_.now();
  }
  void send(Place& place, const tasks::Task& task, Instant created, const std::function<void(tasks::Answer)>& done);
  void find(Place& place, const tasks::Task& task, const std::function<void(tasks::Answer, bool)>& done);
  void take(Place& place, const tasks::Task& task);

  World& world_;
  std::map<Fault, Instant> until_;
  std::map<std::string, Instant> created_;  ///< of each key, the same at every attempt
  int flying_ = 0;
};

}  // namespace hansard::sim
