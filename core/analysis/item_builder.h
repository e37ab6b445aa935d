#pragma once
// Turns judged utterances into items: picks the sentence, finds owner and due date, and joins what belongs together.
// Both the live and the final analysis run through it.
#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/analysis/item.h"
#include "core/analysis/model.h"
#include "core/analysis/phrase.h"
#include "core/analysis/rules.h"
#include "core/analysis/spoken.h"

namespace hansard::analysis {

class ItemBuilder {
 public:
  /// `model` must outlive the builder.
  ItemBuilder(const Model& model, std::optional<CivilDate> date) : model_(model), date_(date) {}

  /// Judges window[middle]; the window holds its neighbours (at most kNeighbours on either side) in the order of the meeting.
  /// Utterances must come one after the other. The work depends on the window alone.
  std::vector<ItemChange> judge(std::span<const Spoken* const> window, std::size_t middle, std::optional<Place> place,
                                const People& people);

  /// In the order in which they were found. Every one passed verify() against the utterances it cites.
  const std::vector<AnalysisItem>& items() const { return items_; }

 private:
  /// An item that later utterances may still join.
  struct Draft {
    std::size_t item = 0;
    std::size_t turn = 0;  ///< number of the last utterance it cites
    std::uint32_t speaker = 0;
    bool addressee = false;  ///< the owner came from "you" or "somebody"
    bool bare = false;       ///< nothing in its words says what is to be done
    double weight = 0;       ///< of the sentence that gave the text
    std::set<std::string> stems;
  };
  struct Candidate {
    const SpokenSentence* sentence = nullptr;
    const CueHit* hit = nullptr;
    double strength = 0;
    double margin = 0;
  };
  /// Where the words of an anaphoric sentence are.
  struct Reference {
    const Spoken* spoken = nullptr;
    const SpokenSentence* sentence = nullptr;
  };
  struct Context {
    std::span<const Spoken* const> window;
    std::size_t middle;
    const People& people;
    const Spoken& self() const { return *window[middle]; }
  };

  std::vector<Candidate> pick(const Context& at, ItemKind kind, double margin, bool placed) const;
  void action(const Context& at, const Candidate& c);
  void decision(const Context& at, const Candidate& c);
  Reference asked(const Context& at, const Candidate& c) const;
  Reference proposed(const Context& at, const Candidate& c) const;
  Draft* recent(ItemKind kind, std::size_t reach);
  void create(const Context& at, const Candidate& c, ItemKind kind, const Reference& words, Draft draft, const Owner& owner);
  bool join(Draft& draft, const Context& at, const Candidate& c, const Owner* owner, bool take_text);

  const Model& model_;
  std::optional<CivilDate> date_;
  std::vector<AnalysisItem> items_;
  std::deque<Draft> drafts_;
  std::vector<ItemChange> changes_;
  std::size_t turn_ = 0;
  std::size_t action_count_ = 0;
  std::size_t decision_count_ = 0;
};

}  // namespace hansard::analysis
