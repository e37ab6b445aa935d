#include "core/analysis/meeting_json.h"

#include <gtest/gtest.h>

#include "core/analysis/tokens.h"

namespace hansard {
namespace {

Result<MeetingInput> read(std::string_view text) { return read_meeting(Json::parse(text).value()); }

TEST(MeetingJson, ReadsWhatIsThere) {
  const auto m = read(R"({"meeting":"m","date":"2026-03-04","participants":[{"speaker":"A","role":"Chair"},{"speaker":"B"}],
      "utterances":[{"id":"u1","speaker":"A","start":1.25,"end":2,"text":"Hello.","da":"inf"},{"id":"u2","text":" "},{"id":"u3","text":"Bye."}]})");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->info.date, (CivilDate{2026, 3, 4}));
  EXPECT_EQ(m->info.participants[0].role, "Chair");
  ASSERT_EQ(m->utterances.size(), 2u) << "a blank text says nothing";
  EXPECT_EQ(m->utterances[0].start.ms, 1250);
  EXPECT_EQ(m->utterances[1].id, "u3");
  EXPECT_TRUE(read(R"({"meeting":"m","utterances":[]})"));
}

TEST(MeetingJson, SaysWhatIsWrong) {
  const auto error = [](std::string_view text) {
    const auto m = read(text);
    return m ? std::string("none") : m.error().detail;
  };
  EXPECT_EQ(error("[]"), "expected an object");
  EXPECT_EQ(error(R"({"utterances":[]})"), "\"meeting\" must be a string");
  EXPECT_EQ(error(R"({"meeting":"m"})"), "\"utterances\" must be an array");
  EXPECT_EQ(error(R"({"meeting":"m","utterances":[{"id":"u1"}]})"), "utterance 1: \"text\" must be a string");
  EXPECT_EQ(error(R"({"meeting":"m","utterances":[{"id":7,"text":"x"}]})"), "utterance 1: \"id\" must be a string");
  EXPECT_EQ(error(R"({"meeting":"m","utterances":[{"id":"u","text":"x","start":"1"}]})"),
            "utterance 1: \"start\" has a wrong type");
  EXPECT_EQ(error(R"({"meeting":"m","utterances":[{"id":"u","text":"x","start":1e300}]})"), "utterance 1: time out of range");
  EXPECT_EQ(error(R"({"meeting":"m","utterances":[{"id":"u","text":"x"},{"id":"u","text":"y"}]})"),
            "utterance 2: the id occurs twice");
  EXPECT_EQ(error(R"({"meeting":"m","utterances":[7]})"), "utterance 1: expected an object");
  for (const char* member : {R"("start":-1e10)", R"("start":1e10)", R"("start":1,"end":-1e10)", R"("start":1,"end":1e10)"})
    EXPECT_EQ(error(R"({"meeting":"m","utterances":[{"id":"u","text":"x",)" + std::string(member) + "}]}"),
              "utterance 1: time out of range");
  EXPECT_EQ(error(R"({"meeting":"m","participants":[{"role":"Chair"}],"utterances":[]})"),
            "\"participants\": \"speaker\" must be a string");
  EXPECT_EQ(error(R"({"meeting":"m","utterances":[{"id":"u","text":"x","speaker":3}]})"),
            "utterance 1: \"speaker\" has a wrong type");
  EXPECT_EQ(error(R"({"meeting":"m","date":"soon","utterances":[]})"), "\"date\": a date must be written YYYY-MM-DD");
}

TEST(MeetingJson, WritesTheContract) {
  MeetingAnalysis a;
  a.items.push_back({"a1", ItemKind::kActionItem, "Do it.", "Ada", "2026-03-04", {"u1"}, "do it", 0.5});
  a.items.push_back({"d1", ItemKind::kDecision, "Done.", {}, {}, {"u2"}, "done", 0.5});
  a.summary = "S";
  EXPECT_EQ(
      write_analysis("m", a).dump(),
      R"({"meeting":"m","action_items":[{"text":"Do it.","utterance_ids":["u1"],"owner":"Ada","due":"2026-03-04","quote":"do it"}],)"
      R"("decisions":[{"text":"Done.","utterance_ids":["u2"],"quote":"done"}],"summary":"S"})");
}

std::string norms(std::string_view text) {
  std::string out;
  for (const auto& t : analysis::tokenize(text)) out += (out.empty() ? "" : " ") + t.norm;
  return out;
}

TEST(Tokens, NormaliseSpeech) {
  EXPECT_EQ(norms("Um, I'll e-mail it"), "i will email it");
  EXPECT_EQ(norms("I\xE2\x80\x99ll do it"), "i will do it");
  EXPECT_EQ(norms("I 'll see, they 're here"), "i will see they are here");
  EXPECT_EQ(norms("we we're gon- gonna g- go"), "we are going to go");
  EXPECT_EQ(norms("the L_C_D_ can't"), "the lcd can not");
  EXPECT_EQ(norms("the mayor's look-and-feel"), "the mayor look and feel");
  EXPECT_EQ(norms("..."), "");
}

TEST(Tokens, SplitSentences) {
  const auto parts = [](std::string_view text) {
    std::vector<std::string> out;
    for (const auto& s : analysis::split_sentences(text)) out.emplace_back(text.substr(s.begin, s.end - s.begin));
    return out;
  };
  EXPECT_EQ(parts("Yes. I do! Do you?"), (std::vector<std::string>{"Yes.", "I do!", "Do you?"}));
  EXPECT_EQ(parts("Dr. Li has 3.5 kg"), std::vector<std::string>{"Dr. Li has 3.5 kg"});
  EXPECT_EQ(parts("no marks here"), std::vector<std::string>{"no marks here"});
  EXPECT_TRUE(parts("  ").empty());
}

}  // namespace
}  // namespace hansard
