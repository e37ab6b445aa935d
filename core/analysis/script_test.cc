// The five meetings written for the demo, as written: prints what was found, missed and invented.
#include "core/analysis/script_score.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "core/analysis/live.h"
#include "core/analysis/test_support.h"

namespace hansard::analysis {
namespace {

MeetingScript load(int number) {
  std::ifstream in("tests/data/meetings/script" + std::to_string(number) + ".json");
  std::stringstream text;
  text << in.rdbuf();
  return MeetingScript::read(Json::parse(text.str()).value()).value();
}

TEST(Scripts, FoundMissedAndInvented) {
  ScriptScore::Count decisions, tasks;
  std::size_t owners = 0, dues = 0;
  const auto add = [](ScriptScore::Count& sum, const ScriptScore::Count& c) {
    sum.gold += c.gold;
    sum.found += c.found;
    sum.invented += c.invented;
    sum.repeated += c.repeated;
  };
  for (int n = 1; n <= 5; ++n) {
    const MeetingScript script = load(n);
    const auto utterances = script.utterances();
    const auto result = analyze(embedded_model(), script.info(), utterances);
    const ScriptScore score = score_script(script, utterances, result.items);
    std::cout << format_script_score(script, score);
    add(decisions, score.decisions);
    add(tasks, score.tasks);
    owners += score.owners_right;
    dues += score.dues_right;
  }
  std::cout << "all five: decisions " << decisions.found << " of " << decisions.gold << ", " << decisions.invented
            << " invented, " << decisions.repeated << " repeated; tasks " << tasks.found << " of " << tasks.gold << ", "
            << tasks.invented << " invented, " << tasks.repeated << " repeated; owners right " << owners << ", due dates right "
            << dues << "\n";
  EXPECT_EQ(decisions.gold, 10u);
  EXPECT_EQ(tasks.gold, 17u);
  // Measured: 9 and 17 found, 1 invented, 17 owners and 15 due dates right. The floors leave room for a retrained model.
  EXPECT_GE(decisions.found, 8u);
  EXPECT_GE(tasks.found, 16u);
  EXPECT_LE(tasks.invented, 1u);
  EXPECT_LE(decisions.invented, 2u);
  EXPECT_GE(owners, 14u);
  EXPECT_GE(dues, 13u);
}

MeetingScript tiny() {
  return MeetingScript::read(
             Json::parse(R"({"meeting":"t","title":"T","date":"2026-01-21","voices":{"Ada":"slt"},"duration_stretch":{"slt":1.3},
      "utterances":[{"speaker":"Ada","text":"We paint the hall green."},{"speaker":"Ada","text":"I'll buy the paint by Friday."}],
      "gold":{"decisions":[{"text":"Paint the hall.","utterances":[0]}],"tasks":[{"text":"Buy paint.","owner":"Ada","due":"2026-01-23","utterances":[1]}]}})")
                 .value())
      .value();
}

TEST(ScriptScore, CountsEachVerdict) {
  const MeetingScript script = tiny();
  EXPECT_DOUBLE_EQ(script.voices[0].stretch, 1.3);
  const auto u = script.utterances();
  const AnalysisItem task{"a1", ItemKind::kActionItem, "Buy the paint.", "Ada", "2026-01-23", {"u2"}, "paint", 1};
  AnalysisItem again = task, invented = task;
  again.id = "a2";
  invented.utterance_ids = {"u1"};
  const std::vector<AnalysisItem> items = {task, again, invented};
  const auto score = score_script(script, u, items);
  EXPECT_EQ(score.tasks.found, 1u);
  EXPECT_EQ(score.tasks.repeated, 1u);
  EXPECT_EQ(score.tasks.invented, 1u);
  EXPECT_EQ(score.decisions.missed, 1u);
  EXPECT_EQ(score.owners_right, 1u);
  EXPECT_EQ(score.dues_right, 1u);
  AnalysisItem wrong = task;
  wrong.owner = "Ken";
  wrong.due.reset();
  const auto other = score_script(script, u, std::vector<AnalysisItem>{wrong});
  EXPECT_EQ(other.owners_right + other.dues_right, 0u);
}

TEST(ScriptScore, AlignsWhatARecognizerHeard) {
  const MeetingScript script = tiny();
  std::vector<Utterance> heard(3);
  heard[0].id = "u1", heard[0].text = "we pained the whole green";
  heard[1].id = "u2", heard[1].text = "I'll buy the";
  heard[2].id = "u3", heard[2].text = "pain by friday";
  const AnalysisItem task{"a1", ItemKind::kActionItem, "x", "Ada", {}, {"u3"}, "pain by friday", 1};
  EXPECT_EQ(score_script(script, heard, std::vector<AnalysisItem>{task}).tasks.found, 1u);
}

}  // namespace
}  // namespace hansard::analysis
