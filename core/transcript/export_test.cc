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

}  // namespace
}  // namespace hansard
