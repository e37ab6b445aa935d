#include "core/analysis/live.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/analysis/test_support.h"
#include "core/analysis/verify.h"
#include "core/base/prng.h"

namespace hansard::analysis {
namespace {

/// A long made-up meeting with tasks and decisions strewn in.
std::vector<Utterance> long_meeting(std::size_t n) {
  static const char* kLines[] = {"The numbers of the last quarter are in the report.",
                                 "I'll send the report to the board by Friday.",
                                 "Can you call the supplier about the delay?",
                                 "Sure, I'll do that tomorrow.",
                                 "It was quite cold in the hall.",
                                 "Then let's go with the blue one.",
                                 "Sounds good to me.",
                                 "We talked about that for an hour last time."};
  static const char* kSpeakers[] = {"Ada", "Ken", "Bea"};
  Prng random(7);
  std::vector<Utterance> out;
  for (std::size_t i = 0; i < n; ++i) {
    Utterance u;
    u.id = "u" + std::to_string(i + 1);
    u.participant = u.speaker = kSpeakers[random.below(3)];
    // Commit order is that of the ends; starts may lie a little back.
    u.start.ms = static_cast<std::int64_t>(i) * 3000 - random.between(0, 4000);
    u.end.ms = u.start.ms + 2500;
    u.text = kLines[random.below(std::size(kLines))];
    out.push_back(std::move(u));
  }
  return out;
}

using State = std::map<std::string, AnalysisItem>;
void apply(State& state, const std::vector<ItemChange>& changes) {
  for (const auto& c : changes) {
    const bool known = state.contains(c.item.id);
    switch (c.change) {
      case ItemChangeKind::kAdded:
        EXPECT_FALSE(known) << c.item.id;
        state[c.item.id] = c.item;
        break;
      case ItemChangeKind::kChanged:
        EXPECT_TRUE(known) << c.item.id;
        state[c.item.id] = c.item;
        break;
      case ItemChangeKind::kWithdrawn:
        EXPECT_TRUE(known) << c.item.id;
        state.erase(c.item.id);
        break;
    }
  }
}

std::vector<AnalysisItem> without_ids(std::vector<AnalysisItem> items) {
  for (auto& item : items) item.id.clear();
  return items;
}

class Streaming : public testing::TestWithParam<std::size_t> {};

TEST_P(Streaming, EndsWithTheItemsOfTheWholeMeeting) {
  const MeetingInfo info{CivilDate{2026, 1, 21}, {}};
  const auto meeting = long_meeting(GetParam());
  LiveAnalyzer live(embedded_model(), info);
  State state;
  std::size_t live_changes = 0;
  for (const auto& u : meeting) {
    const auto changes = live.add(u);
    live_changes += changes.size();
    apply(state, changes);
  }
  const auto end = live.finish();
  apply(state, end.changes);
  const MeetingAnalysis batch = analyze(embedded_model(), info, meeting);
  EXPECT_EQ(without_ids(end.result.items), without_ids(batch.items));
  EXPECT_EQ(end.result.summary, batch.summary);
  ASSERT_EQ(state.size(), end.result.items.size());
  for (const auto& item : end.result.items) {
    EXPECT_EQ(state.at(item.id), item);
    EXPECT_TRUE(verify(item, meeting));
  }
  if (GetParam() > 20) {
    EXPECT_GT(live_changes, 3u) << "items must appear while the meeting runs";
  }
}
INSTANTIATE_TEST_SUITE_P(Lengths, Streaming, testing::Values(0, 1, 3, 4, 25, 400));

TEST(Live, ReplayGivesTheSameChanges) {
  const auto meeting = long_meeting(120);
  const auto run = [&] {
    std::vector<ItemChange> all;
    LiveAnalyzer live(embedded_model(), {CivilDate{2026, 1, 21}, {}});
    for (const auto& u : meeting) {
      for (auto& c : live.add(u)) all.push_back(std::move(c));
    }
    for (auto& c : live.finish().changes) all.push_back(std::move(c));
    return all;
  };
  EXPECT_EQ(run(), run());
}

/// Such a meeting is unlike those that the model was trained on: it is not of the opinion that anything in it is a task.
TEST(Live, FindsTasksThatSayAllInALongMeetingOfAnyKind) {
  static const char* kTalk[] = {"Good morning everybody, can you hear me well?",
                                "The build was slow yesterday but it is fine now.",
                                "Yes.",
                                "I agree with that.",
                                "Let me share what I found in the logs.",
                                "There were three complaints last week, all about the same screen.",
                                "What about the budget for the workshop?",
                                "Okay, next point.",
                                "The tests run for an hour and nobody looks at them."};
  const std::map<std::size_t, std::string> tasks = {{40, "I will send the report to the customer by Friday."},
                                                    {90, "Could you please check the numbers again before Monday?"},
                                                    {170, "I'll book the room for the workshop tomorrow."},
                                                    {220, "I'll take care of the invoices by Thursday."},
                                                    {235, "Ken, can you update the roadmap before the next meeting?"}};
  auto meeting = long_meeting(260);
  Prng random(1);
  for (std::size_t i = 0; i < meeting.size(); ++i) {
    const auto task = tasks.find(i);
    meeting[i].text = task != tasks.end() ? task->second : kTalk[random.below(std::size(kTalk))];
  }
  const auto result = analyze(embedded_model(), {CivilDate{2026, 1, 21}, {}}, meeting);
  std::set<std::string> found;
  for (const AnalysisItem& item : result.items) {
    if (item.kind == ItemKind::kActionItem) found.insert(item.quote);
  }
  std::set<std::string> said;
  for (const auto& [at, text] : tasks) said.insert(text);
  EXPECT_EQ(found, said);
}

TEST(Live, EachUtteranceCostsOneWindowHoweverLongTheMeeting) {
  LiveAnalyzer live(embedded_model(), {});
  std::size_t before = 0;
  for (const auto& u : long_meeting(2000)) {
    live.add(u);
    ASSERT_LE(live.judged() - before, 1u);
    ASSERT_LE(live.window_size(), 2 * kNeighbours);
    before = live.judged();
  }
  EXPECT_EQ(live.judged(), 2000 - kNeighbours);
}

TEST(Live, AnItemAppearsOnceItsNeighboursAreKnown) {
  LiveAnalyzer live(embedded_model(), {});
  const auto meeting = talk({{"Ada", "I'll send the plan to the office by Friday."},
                             {"Ken", "Okay."},
                             {"Ada", "The hall was cold."},
                             {"Ken", "It was."}});
  EXPECT_TRUE(live.add(meeting[0]).empty());
  EXPECT_TRUE(live.add(meeting[1]).empty());
  EXPECT_TRUE(live.add(meeting[2]).empty());
  const auto changes = live.add(meeting[3]);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].change, ItemChangeKind::kAdded);
  EXPECT_EQ(changes[0].item.id, "a1");
}

TEST(Verify, RefusesWhatWasNotSaid) {
  const auto meeting = talk({{"Ada", "We meet on Monday."}, {"Ken", "Fine."}});
  const AnalysisItem good{"a1", ItemKind::kActionItem, "Meet.", {}, {}, {"u1", "u2"}, "meet on Monday", 0.5};
  EXPECT_TRUE(verify(good, meeting));
  auto bad = good;
  bad.quote = "meet on Tuesday";
  EXPECT_FALSE(verify(bad, meeting));
  bad = good;
  bad.quote = "Monday. Fine";
  EXPECT_FALSE(verify(bad, meeting)) << "a quote stands in one utterance";
  bad = good;
  bad.quote.clear();
  EXPECT_FALSE(verify(bad, meeting));
  bad = good;
  bad.utterance_ids = {"u2"};
  EXPECT_FALSE(verify(bad, meeting)) << "said, but not in the cited utterance";
  bad = good;
  bad.utterance_ids = {"u1", "u9"};
  EXPECT_FALSE(verify(bad, meeting));
  bad = good;
  bad.utterance_ids = {"u1", "u1"};
  EXPECT_FALSE(verify(bad, meeting));
  std::vector<AnalysisItem> items = {bad, good};
  drop_ungrounded(items, meeting);
  EXPECT_EQ(items, std::vector<AnalysisItem>{good});
}

TEST(Model, RefusesDamagedWeights) {
  const std::string bytes(embedded_weights());
  ASSERT_TRUE(Model::load(bytes));
  EXPECT_LE(bytes.size(), 600u * 1024);
  EXPECT_FALSE(Model::load(""));
  EXPECT_FALSE(Model::load(bytes.substr(0, bytes.size() / 2)));
  std::string flipped = bytes;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  const auto r = Model::load(flipped);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorClass::kCorrupt);
}

}  // namespace
}  // namespace hansard::analysis
