#pragma once
// For tests of analysis: the embedded weights, and meetings written as lines.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "core/analysis/model.h"
#include "core/analysis/weights/embedded.h"
#include "core/transcript/utterance.h"

namespace hansard::analysis {

inline const Model& embedded_model() {
  static const Model model = Model::load(embedded_weights()).value();
  return model;
}

/// Utterances "u1", "u2", ... of (speaker, text), two seconds each.
inline std::vector<Utterance> talk(std::initializer_list<std::pair<const char*, const char*>> lines) {
  std::vector<Utterance> out;
  for (const auto& [speaker, text] : lines) {
    Utterance u;
    u.id = "u" + std::to_string(out.size() + 1);
    u.participant = u.speaker = speaker;
    u.start.ms = static_cast<std::int64_t>(out.size()) * 2000;
    u.end.ms = u.start.ms + 2000;
    u.text = text;
    out.push_back(std::move(u));
  }
  return out;
}

}  // namespace hansard::analysis
