#include "core/analysis/minutes.h"

#include <gtest/gtest.h>

namespace hansard {
namespace {

TEST(Minutes, SayWhatWasFoundAndWhatIsMissing) {
  Minutes m;
  m.meeting = "m1";
  m.title = "Standup *daily*";
  m.origin = *parse_rfc3339("2026-03-04T10:00:00Z");
  m.length = seconds(95);
  m.participants = {{"p1", "Ada", false, seconds(2), seconds(90), {}, {}, {}, seconds(3)}};
  m.summary = "Ada: We ship on Friday.";
  AnalysisItem task;
  task.id = "a1";
  task.text = "Send the report";
  task.owner = "Ada";
  task.due = "2026-03-06";
  task.utterance_ids = {"u1"};
  task.quote = "I will send the report";
  m.tasks = {task};
  m.missing = {{"p1", {5000}, {8000}, Coverage::kLost, "network"}};
  m.utterances = {{"u1", "p1", "Ada", {0}, {2000}, "I will send the report by Friday.", {}}};
  const std::string text = to_markdown(m);
  for (const std::string part : {"# Standup \\*daily\\*\n", "0:01:35 long", "written by a machine",
                                 "- Send the report — **Ada**, due 2026-03-06\n  > I will send the report\n", "None found.",
                                 "| Ada | 2.0 s | 90.0 s | 3.0 s | 0.0 s |", "- 0:00:05, 3.0 s of Ada: lost (network)",
                                 "**Ada** (0:00:00): I will send"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
  EXPECT_EQ(to_json(*from_json<Minutes>(to_json(m))), to_json(m));
}

TEST(Minutes, OfAMeetingInWhichNothingWasSaid) {
  const std::string text = to_markdown(Minutes{});
  for (const std::string part : {"# Meeting\n", "Nothing was said that a summary could rest on.", "## Decisions\n\nNone found.",
                                 "## Tasks\n\nNone found.", "Nothing is missing.", "No speech was transcribed."})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  EXPECT_EQ(text.find("**Incomplete:**"), std::string::npos);
}

TEST(Minutes, OfAMeetingThatBrokeOff) {
  Minutes m;
  m.outcome = "the connection was lost [and] did not come back";
  m.summary = "Ada: One.\nBob: *Two*.";
  m.participants = {{"p1", "Ada", false, {}, {}, {}, {}, {}, {}},
                    {"p2", "Notes | taker", true, {}, {}, seconds(1), seconds(2), seconds(3), {}}};
  m.missing = {{"p2", {0}, {1250}, Coverage::kWithheld, ""}, {"gone", {61'000}, {62'000}, Coverage::kUnrecognized, "recognizer"}};
  AnalysisItem decision;
  decision.text = "Ship it";
  decision.quote = "let us ship it";
  m.decisions = {decision};
  const std::string text = to_markdown(m);
  for (const std::string part :
       {"**Incomplete:** the connection was lost \\[and\\] did not come back\n", "- Ada: One.\n- Bob: \\*Two\\*.\n",
        "| Notes \\| taker (bot) | 0.0 s | 0.0 s | 0.0 s | 6.0 s |", "- 0:00:00, 1.3 s of Notes \\| taker: withheld\n",
        "- 0:01:01, 1.0 s of gone: unrecognized (recognizer)\n", "- Ship it\n  > let us ship it\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

}  // namespace
}  // namespace hansard
