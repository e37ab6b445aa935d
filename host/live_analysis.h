#pragma once
// The analysis of the meetings that run: an analyzer for each, rebuilt from the store after a restart.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/analysis/item.h"
#include "core/transcript/utterance.h"
#include "host/executor.h"
#include "ports/store.h"

namespace hansard::host {

class LiveAnalysis {
 public:
  LiveAnalysis(Store& store, const ExecutorConfig& config);
  ~LiveAnalysis();

  struct Final {
    std::vector<ItemChange> changes;  ///< against what was known before
    std::vector<AnalysisItem> items;
    std::string summary;
  };

  /// What a stored utterance changes in the items. Errors: those of the store.
  Result<std::vector<ItemChange>> add(const std::string& meeting, const Utterance& utterance, Instant start);
  /// The final pass over all stored utterances.
  Result<Final> finish(const std::string& meeting, Instant start);
  void forget(const std::string& meeting);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The changes that lead from `before` to `after`, by item id.
std::vector<ItemChange> item_changes(const std::map<std::string, AnalysisItem>& before, const std::vector<AnalysisItem>& after);
/// Applies changes to items by id.
void apply_changes(std::map<std::string, AnalysisItem>& items, const std::vector<ItemChange>& changes);

}  // namespace hansard::host
