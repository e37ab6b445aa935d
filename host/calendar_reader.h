#pragma once
// Reads a calendar source and says which occurrences its window holds and where each is to be joined.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/calendar/sources/source.h"
#include "core/flow/effects.h"
#include "core/flow/events.h"
#include "host/calendar_files.h"
#include "host/executor.h"

namespace hansard::host {

class CalendarReader {
 public:
  CalendarReader(const ExecutorPorts& ports, const ExecutorConfig& config)
      : ports_(ports), config_(config), files_(ports.files) {}

  /// Answers with CalendarFetched or CalendarFailed, at once for a file, later for what is asked over the network. A scan
  /// that is asked for while one of the same source runs follows it, and only the last such one is answered.
  void fetch(const flow::FetchCalendar& effect, std::function<void(flow::Event)> done);

  /// A request that reached the push address of source `id`.
  calendar::PushAnswer push(const std::string& id, const calendar::PushRequest& request);

 private:
  using Done = std::function<void(flow::Event)>;
  /// One source that is asked over the network, and the sync that runs.
  struct Slot {
    std::unique_ptr<calendar::Source> source;
    calendar::Connection stored;  ///< as in the store of secrets, or as the configuration says
    bool kept = false;            ///< `stored` is in the store of secrets
    flow::FetchCalendar effect;
    Done done;           ///< set while a sync runs
    int requests = 0;    ///< of this sync
    bool again = false;  ///< another scan was asked for meanwhile: next_effect, next_done
    flow::FetchCalendar next_effect;
    Done next_done;
  };

  void start(Slot& slot, const flow::FetchCalendar& effect, Done done);
  Result<void> prepare(Slot& slot, const flow::CalendarSource& source);
  Result<void> keep(Slot& slot);
  void carry_out(const std::string& id, calendar::SourceAction action);
  void finish(const std::string& id, flow::Event event);
  Result<flow::Event> read_files(const flow::FetchCalendar& effect);
  /// `notes`: what the source itself has to say.
  flow::Event expand(const flow::FetchCalendar& effect, const std::vector<const calendar::Calendar*>& documents,
                     const std::string& account, const std::vector<std::string>& notes) const;

  const ExecutorPorts& ports_;
  const ExecutorConfig& config_;
  CalendarFiles files_;
  std::map<std::string, Slot> slots_;
};

}  // namespace hansard::host
