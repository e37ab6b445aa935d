#pragma once
// The minutes of a meeting from its stored rows: gathered, and written as files.
#include <string>
#include <vector>

#include "core/analysis/minutes.h"
#include "host/executor.h"

namespace hansard::host {

/// Everything the store knows of a meeting, as minutes; also for a meeting that still runs. Errors: those of the store,
/// kNotFound.
Result<Minutes> gather_minutes(Store& store, const std::string& meeting);

class MinutesWriter {
 public:
  explicit MinutesWriter(const ExecutorPorts& ports) : ports_(ports) {}

  /// Writes Markdown, JSON, WebVTT and SRT; the paths. Errors: those of the store and of Files.
  Result<std::vector<std::string>> write(const std::string& meeting);

 private:
  const ExecutorPorts& ports_;
};

}  // namespace hansard::host
