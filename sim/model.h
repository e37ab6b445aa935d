#pragma once
// The analysis model of all simulated daemons: reading it for each of their lives would cost more than the lives.
#include <memory>

#include "core/analysis/model.h"
#include "core/analysis/weights/embedded.h"
#include "core/base/check.h"

namespace hansard::sim {

inline const std::shared_ptr<const analysis::Model>& shared_model() {
  static const std::shared_ptr<const analysis::Model> model = [] {
    auto read = analysis::Model::load(analysis::embedded_weights());
    CHECK(read.has_value());
    return std::make_shared<const analysis::Model>(std::move(*read));
  }();
  return model;
}

}  // namespace hansard::sim
