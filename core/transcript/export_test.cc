#include "core/transcript/export.h"

#include <gtest/gtest.h>

namespace hansard {
namespace {

const std::vector<Utterance> kTalk = {{"u1", "p1", "Ada", {0}, {1500}, "Hello & welcome.", {}},
                                      {"u2", "p2", "", {3'661'007}, {3'662'000}, "<b>00:00 --> 00:01</b>\n\nNOTE x", {}}};

TEST(Export, WebVtt) {
  EXPECT_EQ(to_vtt(kTalk),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v Ada>Hello &amp; welcome.\n\n01:01:01.007 --> 01:01:02.000\n"
            "&lt;b&gt;00:00 --&gt; 00:01&lt;/b&gt; NOTE x\n");
}

TEST(Export, SubRip) {
  EXPECT_EQ(to_srt(kTalk),
            "1\n00:00:00,000 --> 00:00:01,500\nAda: Hello & welcome.\n\n2\n01:01:01,007 --> 01:01:02,000\n(b)00:00 --) 00:01(/b) "
            "NOTE x\n");
}

TEST(Export, Text) { EXPECT_EQ(to_text(kTalk), "Ada: Hello & welcome.\n<b>00:00 --> 00:01</b> NOTE x\n"); }

TEST(Export, MarkdownMakesNoMarkupOfWhatWasSaid) {
  EXPECT_EQ(markdown_escape("See [here](javascript:x) *now* <img> #1 a_b"),
            "See \\[here\\](javascript:x) \\*now\\* \\<img\\> \\#1 a\\_b");
  EXPECT_EQ(markdown_escape("1. item"), "1\\. item");
  EXPECT_EQ(markdown_escape("- item"), "\\- item");
  EXPECT_EQ(markdown_escape("https://evil.example www.evil.example"), "https\\://evil.example www\\.evil.example");
  EXPECT_EQ(markdown_escape("a\n# b"), "a \\# b");
  EXPECT_EQ(to_markdown(std::span(kTalk).first(1)), "**Ada** (0:00:00): Hello \\& welcome.\n");
}

TEST(Export, LinesHoldNoControlCharactersAndNoRunsOfBlanks) {
  const std::vector<Utterance> talk = {{"u1", "p1", "", {0}, {900}, "\t one\x01\x1b  two\r\n\vthree \f", {}}};
  EXPECT_EQ(to_text(talk), "one two three\n");
}

TEST(Export, MarkdownEscapesOnlyWhereItWouldMeanSomething) {
  EXPECT_EQ(markdown_escape("2024. A year"), "2024\\. A year");
  EXPECT_EQ(markdown_escape("3) third"), "3\\) third");
  EXPECT_EQ(markdown_escape("42"), "42");
  EXPECT_EQ(markdown_escape("42 apples"), "42 apples");
  EXPECT_EQ(markdown_escape("= x"), "\\= x");
  EXPECT_EQ(markdown_escape("It's 3:15, \"fine\" (a/b) = c-d."), "It's 3:15, \"fine\" (a/b) = c-d.");
  EXPECT_EQ(markdown_escape(""), "");
}

TEST(Export, MarkdownOfSeveralAndOfNobody) {
  EXPECT_EQ(to_markdown(std::span(kTalk)).find("**Ada** (0:00:00): Hello \\& welcome.\n"), 0u);
  EXPECT_EQ(to_markdown(std::span(kTalk)).find("****"), std::string::npos) << "nobody is no name";
}

}  // namespace
}  // namespace hansard
