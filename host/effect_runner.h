#pragma once
#include <string>

#include "core/flow/effects.h"

namespace hansard::host {

/// Carries effects out. The engine calls it only after the commit that holds them.
class EffectRunner {
 public:
  virtual ~EffectRunner() = default;
  /// Never blocks. Answers come back through Engine::post with `completes` = key for durable effects. `key` is the same
  /// when the effect is released again after a crash.
  virtual void run(const std::string& aggregate, const std::string& key, const flow::Effect& effect) = 0;
  /// Where the audio ends that earlier runs captured of a meeting and that is still there; 0 when there is none.
  virtual MediaTime captured_until(const std::string& meeting) {
    static_cast<void>(meeting);
    return {};
  }
};

}  // namespace hansard::host
