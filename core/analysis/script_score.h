#pragma once
// Compares an analysis with what a written meeting script says should be found: what was found, missed and invented.
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/analysis/item.h"
#include "core/base/json.h"
#include "core/transcript/utterance.h"

namespace hansard {

/// A meeting written for the demo (tests/data/meetings).
struct MeetingScript {
  struct Line {
    std::string speaker;
    std::string text;
  };
  struct Gold {
    ItemKind kind = ItemKind::kActionItem;
    std::string text;
    std::optional<std::string> owner;  ///< tasks only
    std::optional<std::string> due;    ///< tasks only; ISO date
    std::set<std::size_t> lines;       ///< indices of the lines that say it
  };
  struct Voice {
    std::string speaker;
    std::string voice;   ///< of flite
    double stretch = 1;  ///< flite's duration_stretch
  };
  std::string meeting;
  std::string title;
  CivilDate date;
  std::vector<Voice> voices;
  std::vector<Line> lines;
  std::vector<Gold> gold;  ///< decisions, then tasks

  /// Errors: kInvalid, naming the member.
  static Result<MeetingScript> read(const Json& json);
  /// The date and the speakers.
  MeetingInfo info() const;
  /// The lines as utterances "u1", "u2", ... with times as if read at 2.7 words a second.
  std::vector<Utterance> utterances() const;
};

enum class Verdict : std::uint8_t {
  kFound,     ///< a gold item and the item that cites one of its lines
  kMissed,    ///< a gold item that no item cites
  kInvented,  ///< an item that cites no line of a gold item of its kind
  kRepeated,  ///< a further item for a gold item that is found already
};

struct ScriptScore {
  struct Row {
    ItemKind kind = ItemKind::kActionItem;
    Verdict verdict = Verdict::kFound;
    std::string gold;  ///< empty when invented or repeated
    std::string item;  ///< empty when missed
    bool owner_right = false;
    bool due_right = false;
    std::optional<std::string> gold_owner, owner, gold_due, due;
  };
  struct Count {
    std::size_t gold = 0, found = 0, missed = 0, invented = 0, repeated = 0;
  };
  std::vector<Row> rows;
  Count decisions;
  Count tasks;
  std::size_t owners_right = 0;  ///< of tasks.found
  std::size_t dues_right = 0;    ///< of tasks.found; both without a date counts
};

/// `utterances` may be the script's own or what a recognizer heard of it: their words are aligned with the script's.
ScriptScore score_script(const MeetingScript& script, std::span<const Utterance> utterances, std::span<const AnalysisItem> items);

/// A table for a terminal, one row a line, with the totals at the end.
std::string format_script_score(const MeetingScript& script, const ScriptScore& score);

}  // namespace hansard
