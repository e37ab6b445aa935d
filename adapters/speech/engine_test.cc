// The engine with a detector that hears loud samples and a recognizer that reads words out of them: the value of a
// sample, in hundreds, names the word.
#include "adapters/speech/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/base/prng.h"

namespace hansard::speech {
namespace {

class LoudDetector : public VoiceDetector {
 public:
  bool speech(std::span<const float> window) override { return std::abs(window[window.size() / 2]) > 0.001F; }
  void reset() override {}
};

class ReadingRecognizer : public Recognizer {
 public:
  Recognition recognize(std::span<const float> audio, std::string_view) override {
    ++calls;
    longest = std::max(longest, audio.size());
    now += static_cast<double>(audio.size()) / 16'000 * cost;
    std::string text;
    int last = 0;
    for (const float s : audio) {
      const int word = static_cast<int>(std::lround(s * 32768 / 100));
      if (word != last && word != 0) text += (text.empty() ? "w" : " w") + std::to_string(word);
      last = word;
    }
    return {text, {}};
  }
  bool knows(std::string_view language) const override { return language != "xx"; }

  int calls = 0;
  std::size_t longest = 0;
  double cost = 0.05;  ///< seconds for a second of audio
  double now = 0;
};

class EngineTest : public ::testing::Test {
 protected:
  void open(std::uint32_t track, ipc::Profile profile = ipc::Profile::kLive, std::int64_t start = 0, std::string language = {}) {
    engine.handle(ipc::OpenTrack{track, profile, std::move(language), {start}});
    at[track] = start;
  }
  /// Audio of one word (0: silence), in frames of 20 ms.
  void say(std::uint32_t track, std::int64_t ms, int word) {
    for (std::int64_t done = 0; done < ms; done += 20) {
      ipc::AudioFrame frame{track,
                            false,
                            {at[track]},
                            std::vector<std::int16_t>(static_cast<std::size_t>(std::min<std::int64_t>(20, ms - done)) * 16,
                                                      static_cast<std::int16_t>(word * 100))};
      at[track] = frame.end().ms;
      sent_bytes += ipc::encoded_size(frame);
      engine.handle(std::move(frame));
    }
  }
  /// As say(), the engine's clock following the audio: it works as far as it gets.
  void say_live(std::uint32_t track, std::int64_t ms, int word) {
    for (std::int64_t done = 0; done < ms; done += 20) {
      say(track, 20, word);
      const double due = static_cast<double>(at[track]) / 1000;
      recognizer.now = std::max(recognizer.now, due);
      while (recognizer.now <= due && engine.run_one()) {
      }
    }
  }
  void flush(std::uint32_t track) { engine.handle(ipc::FlushTrack{track}); }
  void work() {
    while (engine.run_one()) {
    }
  }

  template <class M>
  std::vector<M> of(std::uint32_t track) const {
    std::vector<M> found;
    for (const auto& [time, message] : sent) {
      if (const auto* m = std::get_if<M>(&message); m != nullptr && m->track == track) found.push_back(*m);
    }
    return found;
  }
  std::string finals(std::uint32_t track) const {
    std::string out;
    for (const auto& f : of<ipc::FinalText>(track)) out += (out.empty() ? "" : " | ") + f.text;
    return out;
  }
  void expect_contiguous(std::uint32_t track, std::int64_t start, std::int64_t end) const {
    std::int64_t cursor = start;
    const ipc::FinalText* final = nullptr;
    for (const auto& [time, message] : sent) {
      if (const auto* f = std::get_if<ipc::FinalText>(&message); f != nullptr && f->track == track) final = f;
      const auto* heard = std::get_if<ipc::HeardReport>(&message);
      if (heard == nullptr || heard->track != track) continue;
      EXPECT_EQ(heard->start.ms, cursor);
      EXPECT_GT(heard->end.ms, heard->start.ms);
      cursor = heard->end.ms;
      if (heard->state != Coverage::kTranscribed) continue;
      ASSERT_NE(final, nullptr);
      EXPECT_EQ(heard->start, final->start);
      EXPECT_EQ(heard->end, final->end);
      final = nullptr;
    }
    EXPECT_EQ(cursor, end);
    EXPECT_EQ(final, nullptr);
  }

  ReadingRecognizer recognizer;
  std::vector<std::pair<double, ipc::FromSpeech>> sent;
  Engine engine{recognizer, [](float) { return std::make_unique<LoudDetector>(); },
                [this](ipc::FromSpeech m) { sent.emplace_back(recognizer.now, std::move(m)); },
                [this] { return recognizer.now; }};
  std::map<std::uint32_t, std::int64_t> at;
  std::size_t sent_bytes = 0;
};

TEST_F(EngineTest, UtterancesHaveTheirTimesAndAllIsAccountedFor) {
  open(1, ipc::Profile::kFile, 5000);
  say(1, 3000, 0);
  say(1, 2000, 7);
  say(1, 2500, 0);
  say(1, 1000, 8);
  say(1, 4321, 0);
  flush(1);
  work();
  EXPECT_EQ(finals(1), "w7 | w8");
  const auto f = of<ipc::FinalText>(1);
  ASSERT_EQ(f.size(), 2U);
  EXPECT_NEAR(static_cast<double>(f[0].start.ms), 8000, 100);
  EXPECT_NEAR(static_cast<double>(f[0].end.ms), 10000, 100);
  EXPECT_NEAR(static_cast<double>(f[1].start.ms), 12500, 100);
  EXPECT_NEAR(static_cast<double>(f[1].end.ms), 13500, 100);
  expect_contiguous(1, 5000, 5000 + 12821);
  EXPECT_EQ(of<ipc::TrackFlushed>(1).size(), 1U);
  EXPECT_TRUE(of<ipc::PartialText>(1).empty());
}

TEST_F(EngineTest, SilenceIsReportedWhileItLasts) {
  open(1);
  say_live(1, 35'000, 0);
  EXPECT_GE(of<ipc::HeardReport>(1).size(), 3U);
  EXPECT_EQ(recognizer.calls, 0);
  flush(1);
  work();
  expect_contiguous(1, 0, 35'000);
}

TEST_F(EngineTest, PartialsComeTwiceASecondAndTheFinalNeedsNoSecondLook) {
  open(1);
  say_live(1, 1000, 0);
  say_live(1, 4000, 3);
  say_live(1, 2000, 0);
  const auto partials = of<ipc::PartialText>(1);
  EXPECT_GE(partials.size(), 6U);
  EXPECT_LE(partials.size(), 10U);
  EXPECT_EQ(partials.back().text, "w3");
  EXPECT_EQ(finals(1), "w3");
  // The look when it seemed to have ended was the last one.
  EXPECT_EQ(recognizer.calls, static_cast<int>(partials.size()));
  for (const auto& [time, message] : sent) {
    const auto* final = std::get_if<ipc::FinalText>(&message);
    if (final == nullptr) continue;
    EXPECT_LT(time - static_cast<double>(final->end.ms) / 1000, 0.8);
  }
}

TEST_F(EngineTest, PartialsOfALongUtteranceKeepTheirBeginningAndAreBounded) {
  open(1);
  for (int word = 1; word <= 14; ++word) {
    say_live(1, 900, word);
    say_live(1, 100, 0);
  }
  const auto partials = of<ipc::PartialText>(1);
  ASSERT_FALSE(partials.empty());
  EXPECT_EQ(partials.back().text.substr(0, 14), "w1 w2 w3 w4 w5");
  EXPECT_NE(partials.back().text.find("w13"), std::string::npos);
  EXPECT_LE(recognizer.longest, 16'000U * 9);
}

TEST_F(EngineTest, WithoutTimeTherePartialsAreSkippedButNoFinal) {
  recognizer.cost = 0.3;  // four speakers need 1.2 s for each second
  for (std::uint32_t t = 1; t <= 4; ++t) open(t);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 100; ++i) {
      for (std::uint32_t t = 1; t <= 4; ++t) say_live(t, 20, i < 60 ? round + 1 : 0);
    }
  }
  std::size_t partials = 0;
  for (std::uint32_t t = 1; t <= 4; ++t) {
    flush(t);
    work();
    EXPECT_EQ(finals(t), "w1 | w2 | w3 | w4 | w5 | w6 | w7 | w8 | w9 | w10");
    expect_contiguous(t, 0, 20'000);
    partials += of<ipc::PartialText>(t).size();
  }
  EXPECT_LT(partials, 60U);  // there would be 4 x 10 x 3 with time enough
}

TEST_F(EngineTest, LiveFinalsComeBeforeFiles) {
  open(1, ipc::Profile::kFile);
  open(2);
  say(1, 2000, 1);
  say(1, 2000, 0);
  say(2, 2000, 2);
  say(2, 1000, 0);
  work();
  std::vector<std::uint32_t> order;
  for (const auto& [time, message] : sent) {
    if (const auto* f = std::get_if<ipc::FinalText>(&message)) order.push_back(f->track);
  }
  EXPECT_EQ(order, (std::vector<std::uint32_t>{2, 1}));
}

TEST_F(EngineTest, ALongGapEndsTheUtteranceAndTimesStayRight) {
  open(1);
  say(1, 2000, 1);
  engine.handle(ipc::TrackGap{1, {2000}, {62'000}, true, "network"});
  at[1] = 62'000;
  say(1, 2000, 2);
  say(1, 1000, 0);
  flush(1);
  work();
  EXPECT_EQ(finals(1), "w1 | w2");
  const auto f = of<ipc::FinalText>(1);
  EXPECT_NEAR(static_cast<double>(f[0].end.ms), 2000, 100);
  EXPECT_NEAR(static_cast<double>(f[1].start.ms), 62'000, 100);
  EXPECT_NEAR(static_cast<double>(f[1].end.ms), 64'000, 100);
  expect_contiguous(1, 0, 65'000);
}

TEST_F(EngineTest, AShortGapEndsNothingAndAGapInThePastIsNoNews) {
  open(1);
  say(1, 2000, 1);
  engine.handle(ipc::TrackGap{1, {2000}, {2300}, true, "network"});
  at[1] = 2300;
  say(1, 2000, 2);
  engine.handle(ipc::TrackGap{1, {500}, {900}, true, "network"});
  say(1, 1000, 0);
  flush(1);
  work();
  EXPECT_EQ(finals(1), "w1 w2");
  expect_contiguous(1, 0, 5300);
}

TEST_F(EngineTest, WhatTheModelDoesNotKnowIsUnrecognized) {
  open(1, ipc::Profile::kLive, 0, "xx");
  say_live(1, 3000, 1);
  say_live(1, 1000, 0);
  flush(1);
  work();
  EXPECT_EQ(recognizer.calls, 0);
  EXPECT_EQ(finals(1), "");
  std::int64_t unrecognized = 0;
  for (const auto& h : of<ipc::HeardReport>(1)) {
    if (h.state != Coverage::kUnrecognized) continue;
    EXPECT_EQ(h.reason, "language");
    unrecognized += (h.end - h.start).ms;
  }
  EXPECT_NEAR(static_cast<double>(unrecognized), 3000, 100);
  expect_contiguous(1, 0, 4000);
}

TEST_F(EngineTest, SpeechWithoutTextIsUnrecognized) {
  open(1);
  // Loud enough to be heard, not to be read.
  engine.handle(ipc::AudioFrame{1, false, {0}, std::vector<std::int16_t>(62 * kWindowSamples, 40)});
  flush(1);
  work();
  EXPECT_EQ(finals(1), "");
  const auto heard = of<ipc::HeardReport>(1);
  ASSERT_EQ(heard.size(), 2U);  // and the detector's tail, as silence
  EXPECT_EQ(heard[0].state, Coverage::kUnrecognized);
  EXPECT_EQ(heard[0].end.ms, 61 * 32);
  EXPECT_EQ(heard[0].reason, "unclear");
  expect_contiguous(1, 0, 62 * 32);
}

TEST_F(EngineTest, TracksTakeTurnsWithTheirAudio) {
  for (const std::uint32_t track : {1U, 2U, 3U}) open(track);
  for (const std::uint32_t track : {1U, 2U, 3U}) say(track, 30'000, 0);
  for (int i = 0; i < 36; ++i) ASSERT_TRUE(engine.run_one());
  // Each has had twelve seconds; silence is reported every ten.
  for (const std::uint32_t track : {1U, 2U, 3U}) EXPECT_EQ(of<ipc::HeardReport>(track).size(), 1U) << track;
}

TEST_F(EngineTest, EveryByteOfCreditComesBack) {
  open(1);
  say(1, 20'000, 0);
  work();
  say(1, 20'000, 1);
  engine.handle(ipc::DropTrack{1});
  say(1, 60'000, 1);  // of a track that is gone
  work();
  std::size_t back = 0;
  for (const auto& [time, message] : sent) {
    if (const auto* c = std::get_if<ipc::Credit>(&message)) back += c->bytes;
  }
  EXPECT_LE(back, sent_bytes);
  EXPECT_LT(sent_bytes - back, 64U << 10);
  EXPECT_EQ(finals(1), "");
  EXPECT_TRUE(of<ipc::TrackFlushed>(1).empty());
}

TEST_F(EngineTest, AnEmptyTrackIsFlushed) {
  open(1);
  flush(1);
  work();
  EXPECT_EQ(of<ipc::TrackFlushed>(1).size(), 1U);
  EXPECT_TRUE(of<ipc::HeardReport>(1).empty());
}

// Frames that overlap, jump, or have times of a hostile sender: nothing breaks and the account stays whole.
TEST_F(EngineTest, HostileFrames) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Prng random(seed);
    const auto track = static_cast<std::uint32_t>(seed);
    const std::int64_t start = random.between(0, 10'000);
    open(track, seed % 2 == 0 ? ipc::Profile::kLive : ipc::Profile::kFile, start);
    std::int64_t when = start;
    for (int i = 0; i < 200; ++i) {
      const auto n = static_cast<std::size_t>(random.below(4000));
      ipc::AudioFrame frame{track,
                            false,
                            {when + random.between(-300, 300)},
                            std::vector<std::int16_t>(n, static_cast<std::int16_t>(random.chance(60) ? 500 : 0))};
      if (random.chance(1)) frame.start.ms = random.chance(50) ? INT64_MIN : -1;
      if (random.chance(1)) frame.start.ms += 100'000;
      when = std::max(when, frame.end().ms);
      engine.handle(std::move(frame));
      if (random.chance(5)) engine.handle(ipc::TrackGap{track, {when}, {when + random.between(-1000, 5000)}, true, ""});
      if (random.chance(30)) engine.run_one();
    }
    flush(track);
    work();
    ASSERT_EQ(of<ipc::TrackFlushed>(track).size(), 1U);
    const auto heard = of<ipc::HeardReport>(track);
    ASSERT_FALSE(heard.empty());
    expect_contiguous(track, start, heard.back().end.ms);
  }
}

TEST_F(EngineTest, TimesBeyondAnyMeetingDoNotOverflow) {
  open(1, ipc::Profile::kFile, INT64_MAX);
  at[1] = INT64_MAX - 1000;
  say(1, 1000, 1);
  open(2, ipc::Profile::kLive, -5);
  engine.handle(ipc::AudioFrame{2, false, {INT64_MAX}, std::vector<std::int16_t>(1600, 500)});
  engine.handle(ipc::TrackGap{2, {INT64_MIN}, {INT64_MAX}, true, ""});
  flush(1);
  flush(2);
  work();
  EXPECT_EQ(of<ipc::TrackFlushed>(1).size(), 1U);
  EXPECT_EQ(of<ipc::TrackFlushed>(2).size(), 1U);
}

}  // namespace
}  // namespace hansard::speech
