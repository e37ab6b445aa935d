#pragma once
// What was said: utterances, their words, and the coverage ledger's intervals. Plain data.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/base/reflect.h"
#include "core/base/time.h"

namespace hansard {

/// One recognized word. Times are positions in the recording.
struct Word {
  std::string text;
  MediaTime start;
  MediaTime end;
  std::optional<double> confidence;  ///< 0..1, when the model gives one
  static constexpr auto fields = std::make_tuple(field("text", &Word::text), field("start_ms", &Word::start),
                                                 field("end_ms", &Word::end), field("confidence", &Word::confidence));
  bool operator==(const Word&) const = default;
};

/// A final piece of speech by one participant. Never changed after it was written; corrections are new records.
struct Utterance {
  std::string id;           ///< "u1", "u2", ...: unique in the meeting, in the order of commit
  std::string participant;  ///< participant id
  std::string speaker;      ///< the name shown
  MediaTime start;
  MediaTime end;
  std::string text;         ///< UTF-8, never empty
  std::vector<Word> words;  ///< empty when the model gives no word times
  static constexpr auto fields =
      std::make_tuple(field("id", &Utterance::id), field("participant", &Utterance::participant),
                      field("speaker", &Utterance::speaker), field("start_ms", &Utterance::start),
                      field("end_ms", &Utterance::end), field("text", &Utterance::text), field("words", &Utterance::words));
  bool operator==(const Utterance&) const = default;
};

/// What became of a stretch of a participant's time. Every captured millisecond has exactly one of these.
enum class Coverage : std::uint8_t {
  kTranscribed,   ///< speech, in an utterance
  kSilent,        ///< received, no speech in it
  kPending,       ///< received, not recognized yet
  kWithheld,      ///< not taken: no consent, or recording paused
  kUnrecognized,  ///< speech was received but gave no text, or will not be recognized
  kLost,          ///< not received, or dropped: `reason` says why
};
constexpr EnumName<Coverage> kEnumNames_Coverage[] = {
    {Coverage::kTranscribed, "transcribed"},   {Coverage::kSilent, "silent"},
    {Coverage::kPending, "pending"},           {Coverage::kWithheld, "withheld"},
    {Coverage::kUnrecognized, "unrecognized"}, {Coverage::kLost, "lost"}};
constexpr auto enum_names(Coverage) { return std::span(kEnumNames_Coverage); }

/// One interval [start, end) of the ledger.
struct CoverageInterval {
  std::string participant;
  MediaTime start;
  MediaTime end;
  Coverage state = Coverage::kPending;
  std::string
      reason;  ///< for kLost and kUnrecognized: "network", "media_process", "daemon", "overload", "recognizer", "unclear", ...
  static constexpr auto fields =
      std::make_tuple(field("participant", &CoverageInterval::participant), field("start_ms", &CoverageInterval::start),
                      field("end_ms", &CoverageInterval::end), field("state", &CoverageInterval::state),
                      field("reason", &CoverageInterval::reason));
  bool operator==(const CoverageInterval&) const = default;
};

}  // namespace hansard
