#pragma once
// The minutes of a meeting as a document: what a person reads afterwards and what other programs take.
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/analysis/item.h"
#include "core/base/json.h"
#include "core/base/reflect.h"
#include "core/transcript/utterance.h"

namespace hansard {

struct MinutesParticipant {
  std::string id;
  std::string name;
  bool bot = false;
  /// Sums over the participant's presence; together they are its length.
  Duration transcribed, silent, pending, withheld, unrecognized, lost;
  static constexpr auto fields = std::make_tuple(
      field("id", &MinutesParticipant::id), field("name", &MinutesParticipant::name), field("bot", &MinutesParticipant::bot),
      field("transcribed_ms", &MinutesParticipant::transcribed), field("silent_ms", &MinutesParticipant::silent),
      field("pending_ms", &MinutesParticipant::pending), field("withheld_ms", &MinutesParticipant::withheld),
      field("unrecognized_ms", &MinutesParticipant::unrecognized), field("lost_ms", &MinutesParticipant::lost));
};

struct Minutes {
  std::string meeting;  ///< id
  std::string title;
  std::string platform;
  Instant start;        ///< planned
  Instant origin;       ///< media time zero on the wall clock
  Duration length;      ///< of the recording
  std::string outcome;  ///< a sentence when the meeting did not end well (failure advice), else empty
  std::vector<MinutesParticipant> participants;
  std::string summary;
  std::vector<AnalysisItem> decisions;
  std::vector<AnalysisItem> tasks;
  std::vector<AnalysisItem> key_points;
  /// Everything that is not transcribed or silent, in order: what a reader must know is missing.
  std::vector<CoverageInterval> missing;
  std::vector<Utterance> utterances;  ///< by start time
  static constexpr auto fields = std::make_tuple(
      field("meeting", &Minutes::meeting), field("title", &Minutes::title), field("platform", &Minutes::platform),
      field("start_unix_ms", &Minutes::start), field("origin_unix_ms", &Minutes::origin), field("length_ms", &Minutes::length),
      field("outcome", &Minutes::outcome), field("participants", &Minutes::participants), field("summary", &Minutes::summary),
      field("decisions", &Minutes::decisions), field("tasks", &Minutes::tasks), field("key_points", &Minutes::key_points),
      field("missing", &Minutes::missing), field("utterances", &Minutes::utterances));
};

/// Markdown for people. Text of the meeting is escaped: it can neither make links nor markup. Says that it was made by a
/// machine, and what is missing.
std::string to_markdown(const Minutes& minutes);

}  // namespace hansard
