// The tune part of the development meetings, when it is there: quality may not fall, and every item is grounded.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <set>

#include "core/analysis/live.h"
#include "core/analysis/meeting_json.h"
#include "core/analysis/test_support.h"
#include "core/analysis/verify.h"

namespace hansard::analysis {
namespace {

struct Tally {
  std::size_t hits = 0, predicted = 0, gold = 0;
  void add(const std::set<std::string>& p, const std::set<std::string>& g) {
    predicted += p.size();
    gold += g.size();
    for (const auto& id : p) hits += g.count(id);
  }
  double f1() const { return 2.0 * static_cast<double>(hits) / static_cast<double>(predicted + gold); }
};

std::set<std::string> linked(const Json& items) {
  std::set<std::string> out;
  for (const Json& item : items.items()) {
    for (const Json& id : item["utterance_ids"].items()) out.insert(id.as_string().value());
  }
  return out;
}

TEST(Corpus, AmiTune) {
  const char* base = std::getenv("HANSARD_EVAL_DATA");
  const std::string path = std::string(base != nullptr ? base : "../shared/data") + "/analysis/ami_tune.jsonl";
  std::ifstream in(path);
  if (!in) GTEST_SKIP() << "the meetings are missing (" << path << "): the quality of analysis is not checked";
  Tally actions, decisions;
  double hours = 0;
  const std::clock_t start = std::clock();
  for (std::string line; std::getline(in, line);) {
    const Json json = Json::parse(line).value();
    const MeetingInput meeting = read_meeting(json).value();
    const MeetingAnalysis result = analyze(embedded_model(), meeting.info, meeting.utterances);
    std::set<std::string> a, d;
    for (const auto& item : result.items) {
      EXPECT_TRUE(verify(item, meeting.utterances));
      if (item.kind == ItemKind::kActionItem) a.insert(item.utterance_ids.begin(), item.utterance_ids.end());
      if (item.kind == ItemKind::kDecision) d.insert(item.utterance_ids.begin(), item.utterance_ids.end());
    }
    actions.add(a, linked(json["action_items"]));
    decisions.add(d, linked(json["decisions"]));
    hours += static_cast<double>(meeting.utterances.back().end.ms) / 3.6e6;
  }
  const double cpu = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::cout << "ami_tune: action items F1 " << actions.f1() << ", decisions F1 " << decisions.f1() << ", " << cpu / hours
            << " CPU s per hour\n";
  // Guards against a fall, not a claim: measured 0.352 and 0.101, with all chosen by cross-validation elsewhere.
  // The aim of 0.42 is not reached on this part; see weights/ATTRIBUTION.md.
  EXPECT_GE(actions.f1(), 0.30);
  EXPECT_GE(decisions.f1(), 0.09);
  EXPECT_LT(cpu / hours, 10);
}

}  // namespace
}  // namespace hansard::analysis
