#include "adapters/speech/segmenter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "adapters/speech/recognizer.h"
#include "core/base/prng.h"

namespace hansard::speech {
namespace {

constexpr std::int64_t kW = kWindowSamples;

SegmentSettings settings() {
  return {.threshold = 0.3F,
          .end_silence = 20 * kW,
          .least_speech = 8 * kW,
          .longest = 300 * kW,
          .padding_before = 0,
          .padding_after = 0};
}

std::vector<Span> push(Segmenter& s, int windows, bool speech, float power = 1) {
  std::vector<Span> out;
  for (int i = 0; i < windows; ++i) {
    if (const auto span = s.push(speech, power)) out.push_back(*span);
  }
  return out;
}

TEST(Segmenter, SilenceAndShortBurstsGiveNothing) {
  Segmenter s(settings());
  EXPECT_TRUE(push(s, 100, false).empty());
  EXPECT_TRUE(push(s, 7, true).empty());
  EXPECT_FALSE(s.open());
  EXPECT_TRUE(push(s, 100, false).empty());
  EXPECT_FALSE(s.flush());
}

TEST(Segmenter, AnUtteranceEndsAfterItsSilenceAndBeginsWithItsOnset) {
  Segmenter s(settings());
  push(s, 50, false);
  push(s, 30, true);
  EXPECT_TRUE(push(s, 19, false).empty());
  EXPECT_TRUE(s.open());
  const auto spans = push(s, 1, false);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0], (Span{48 * kW, 80 * kW, false, false}));
  EXPECT_FALSE(s.open());
}

TEST(Segmenter, AShorterPauseEndsNothing) {
  Segmenter s(settings());
  push(s, 10, true);
  EXPECT_TRUE(push(s, 19, false).empty());
  push(s, 10, true);
  const auto span = s.flush();
  ASSERT_TRUE(span);
  EXPECT_EQ(*span, (Span{0, 39 * kW, false, false}));
}

TEST(Segmenter, ALongUtteranceIsCutInItsLongestRecentPause) {
  Segmenter s(settings());
  push(s, 200, true);
  push(s, 4, false);
  push(s, 30, true);
  push(s, 12, false);  // windows 234..245
  const auto spans = push(s, 100, true);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_TRUE(spans[0].joined_after);
  EXPECT_GE(spans[0].end, 238 * kW);
  EXPECT_LE(spans[0].end, 242 * kW);
  const auto rest = s.flush();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->start, spans[0].end);
  EXPECT_TRUE(rest->joined_before);
  EXPECT_EQ(rest->end, 346 * kW);
}

TEST(Segmenter, WithoutAPauseItIsCutWhereItIsQuietest) {
  Segmenter s(settings());
  push(s, 220, true, 1.0F);
  push(s, 3, true, 0.1F);
  const auto spans = push(s, 80, true, 1.0F);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_NEAR(static_cast<double>(spans[0].end), 221.5 * kW, kW);
}

TEST(Segmenter, AfterAJumpNothingReachesBackBeforeIt) {
  Segmenter s(settings());
  push(s, 10, true);
  ASSERT_TRUE(s.flush());
  s.jump(1000 * kW);
  EXPECT_EQ(s.settled(), 1000 * kW);
  push(s, 10, true);
  const auto span = s.flush();
  ASSERT_TRUE(span);
  EXPECT_EQ(*span, (Span{1000 * kW, 1010 * kW, false, false}));
}

// Whatever comes: spans are in order and apart, none begins before what was settled when it was not yet there, and
// every run of speech of the least length is in one.
TEST(Segmenter, RandomSpeechKeepsItsPromises) {
  Prng random(7);
  for (int round = 0; round < 300; ++round) {
    SegmentSettings set = settings();
    set.longest = static_cast<std::int64_t>(40 + random.next() % 200) * kW;
    Segmenter s(set);
    std::vector<Span> spans;
    std::vector<bool> speech;
    std::int64_t settled = 0;
    for (int stretch = 0; stretch < 30; ++stretch) {
      const bool on = stretch % 2 == 1;
      const auto windows = random.next() % (on ? 120 : 40);
      for (std::uint64_t i = 0; i < windows; ++i) {
        speech.push_back(on);
        const auto span = s.push(on, static_cast<float>(random.next() % 100));
        if (span) {
          EXPECT_GE(span->start, settled);
          spans.push_back(*span);
        }
        EXPECT_GE(s.settled(), settled);
        settled = s.settled();
      }
    }
    if (const auto last = s.flush()) spans.push_back(*last);
    std::int64_t end = 0;
    for (const Span& span : spans) {
      EXPECT_GE(span.start, end);
      EXPECT_GT(span.end, span.start);
      EXPECT_LE(span.end - span.start, set.longest + kW);
      end = span.end;
    }
    EXPECT_LE(end, s.position());
    int run = 0;
    for (std::size_t i = 0; i < speech.size(); ++i) {
      run = speech[i] ? run + 1 : 0;
      if (run < 8) continue;
      const auto middle = static_cast<std::int64_t>(i) * kW + kW / 2;
      const bool covered =
          std::any_of(spans.begin(), spans.end(), [&](const Span& p) { return p.start <= middle && middle <= p.end; });
      EXPECT_TRUE(covered) << "round " << round << " window " << i;
    }
  }
}

}  // namespace
}  // namespace hansard::speech
