#include "host/recording.h"

#include <gtest/gtest.h>

#include <map>

namespace hansard::host {
namespace {

constexpr std::int64_t kMsPerFrame = 100;

class FakeSpool final : public AudioSpool {
 public:
  Result<void> append(const std::string&, const std::string& p, MediaTime start, std::span<const std::int16_t> samples) override {
    if (full) return fail(ErrorClass::kExhausted, "spool", "disk full");
    pieces[p].push_back({start, {samples.begin(), samples.end()}});
    return {};
  }
  Result<void> read(const std::string&, const std::string& p, MediaTime from,
                    const std::function<bool(MediaTime, std::span<const std::int16_t>)>& take) override {
    for (const auto& [start, samples] : pieces[p]) {
      if (start.ms + static_cast<std::int64_t>(samples.size()) / 16 <= from.ms) continue;
      if (!take(start, samples)) break;
    }
    return {};
  }
  Result<std::vector<SpooledTrack>> tracks(const std::string&) override {
    std::vector<SpooledTrack> out;
    for (const auto& [p, all] : pieces) {
      if (!all.empty())
        out.push_back({p, all.front().first, {all.back().first.ms + static_cast<std::int64_t>(all.back().second.size()) / 16}});
    }
    return out;
  }
  Result<void> remove(const std::string&) override {
    pieces.clear();
    return {};
  }
  std::map<std::string, std::vector<std::pair<MediaTime, std::vector<std::int16_t>>>> pieces;
  bool full = false;
};

class FakeSpeech final : public SpeechRecognizer {
 public:
  struct Track {
    MediaTime start;
    MediaTime fed;
    bool flushed = false;
  };
  void listen(SpeechListener*) override {}
  bool ready() const override { return up; }
  std::uint32_t open(const std::string&, MediaTime start) override {
    tracks[++last] = {start, start};
    return last;
  }
  bool feed(std::uint32_t track, MediaTime start, std::span<const std::int16_t> samples) override {
    if (room == 0) return false;
    --room;
    EXPECT_EQ(tracks.at(track).fed, start) << "audio is contiguous";
    tracks[track].fed = start + Duration{static_cast<std::int64_t>(samples.size()) / 16};
    return true;
  }
  void gap(std::uint32_t track, MediaTime start, MediaTime end) override {
    EXPECT_EQ(tracks.at(track).fed, start);
    tracks[track].fed = end;
  }
  void flush(std::uint32_t track) override { tracks.at(track).flushed = true; }
  void drop(std::uint32_t track) override { tracks.erase(track); }
  std::map<std::uint32_t, Track> tracks;
  std::uint32_t last = 0;
  int room = 1'000'000;
  bool up = true;
};

class RecordingTest : public ::testing::Test {
 protected:
  std::unique_ptr<Recording> make() {
    return std::make_unique<Recording>("m1", spool_, speech_, [this](flow::Event e) { events_.push_back(std::move(e)); });
  }
  void hear(Recording& r, std::int64_t from_ms, std::int64_t to_ms) {
    const std::vector<std::int16_t> frame(kMsPerFrame * 16, 100);
    for (; from_ms < to_ms; from_ms += kMsPerFrame) r.audio("p1", {from_ms}, frame);
  }
  template <class E>
  std::vector<E> posted() const {
    std::vector<E> out;
    for (const auto& e : events_) {
      if (const auto* x = std::get_if<E>(&e)) out.push_back(*x);
    }
    return out;
  }
  static flow::StartCapture start(std::string reason = {}, std::vector<flow::TrackCursor> cursors = {}) {
    flow::StartCapture c;
    c.gap_reason = std::move(reason);
    c.cursors = std::move(cursors);
    return c;
  }

  FakeSpool spool_;
  FakeSpeech speech_;
  std::vector<flow::Event> events_;
};

TEST_F(RecordingTest, FeedsAsItHears) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  hear(*r, 0, 1000);
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 1000);
  EXPECT_TRUE(events_.empty());
}

TEST_F(RecordingTest, SaysWhatWasLostBeforeTheFirstAudio) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  hear(*r, 700, 900);
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap, (CoverageInterval{"p1", {0}, {700}, Coverage::kLost, "connecting"}));
}

TEST_F(RecordingTest, CatchesUpBehindASlowRecognizer) {
  auto r = make();
  r->begin(start());
  speech_.room = 3;
  hear(*r, 0, 2000);
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 300);
  EXPECT_TRUE(r->has_backlog());
  speech_.room = 1000;
  r->poll();
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 2000);
  EXPECT_FALSE(r->has_backlog());
  hear(*r, 2000, 2100);
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 2100);
}

TEST_F(RecordingTest, FeedsAgainFromWhatWasAnsweredAfterACrash) {
  auto r = make();
  r->begin(start());
  hear(*r, 0, 3000);
  r->on_final(1, {200}, {1500}, "Hello.", {});
  r->recognizer_lost();
  speech_.tracks.clear();
  r->poll();
  ASSERT_EQ(speech_.tracks.size(), 1u);
  EXPECT_EQ(speech_.tracks.at(2).start.ms, 1500);
  EXPECT_EQ(speech_.tracks.at(2).fed.ms, 3000);
  EXPECT_TRUE(posted<flow::GapDetected>().empty()) << "nothing was lost";
}

TEST_F(RecordingTest, SkipsAudioThatKillsTheRecognizerEveryTime) {
  auto r = make();
  r->begin(start());
  hear(*r, 0, 1000);
  for (int crash = 0; crash < 3; ++crash) {
    r->poll();
    r->recognizer_lost();
    speech_.tracks.clear();
  }
  ASSERT_EQ(posted<flow::SpanHeard>().size(), 1u);
  EXPECT_EQ(posted<flow::SpanHeard>()[0].state, Coverage::kUnrecognized);
  EXPECT_EQ(posted<flow::SpanHeard>()[0].end.ms, 1000);
  EXPECT_FALSE(r->has_backlog());
}

TEST_F(RecordingTest, GoesOnAfterARestartFromStoreAndSpool) {
  {
    auto before = make();
    before->begin(start());
    hear(*before, 0, 5000);
  }
  speech_.tracks.clear();
  auto r = make();
  r->begin(start("daemon", {{"p1", {2000}}}));
  r->participant_joined("p1", {8000});
  hear(*r, 8000, 8200);
  r->poll();
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap, (CoverageInterval{"p1", {5000}, {8000}, Coverage::kLost, "daemon"}));
  ASSERT_EQ(speech_.tracks.size(), 1u);
  EXPECT_EQ(speech_.tracks.begin()->second.start.ms, 2000);
  EXPECT_EQ(speech_.tracks.begin()->second.fed.ms, 8200);
}

TEST_F(RecordingTest, TimeAwayIsNotLost) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  hear(*r, 0, 1000);
  r->participant_left("p1", {1000});
  r->on_flushed(1);
  r->participant_joined("p1", {60'000});
  hear(*r, 60'300, 60'400);
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap, (CoverageInterval{"p1", {60'000}, {60'300}, Coverage::kLost, "connecting"}));
}

TEST_F(RecordingTest, AReportedGapIsNotReportedAgain) {
  auto r = make();
  r->begin(start());
  hear(*r, 0, 1000);
  r->gap("p1", {1000}, {1500}, true, "overload");
  r->poll();
  hear(*r, 1500, 1700);
  r->poll();
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap.reason, "overload");
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 1700);
}

TEST_F(RecordingTest, TheEndOfAConnectionIsAccountedFor) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  hear(*r, 0, 1000);
  r->participant_left("p1", {1300});
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap, (CoverageInterval{"p1", {1000}, {1300}, Coverage::kLost, "leaving"}));
}

TEST_F(RecordingTest, LeavingDuringAPauseLosesNothing) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  hear(*r, 0, 1000);
  r->suspend("paused");
  r->participant_left("p1", {5000});
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap.state, Coverage::kWithheld);
}

TEST_F(RecordingTest, APauseIsWithheldNotLost) {
  auto r = make();
  r->begin(start());
  hear(*r, 0, 1000);
  r->suspend("paused");
  EXPECT_TRUE(speech_.tracks.at(1).flushed);
  r->on_flushed(1);
  r->begin(start("paused"));
  hear(*r, 4000, 4100);
  EXPECT_EQ(posted<flow::GapDetected>().at(0).gap.state, Coverage::kWithheld);
}

TEST_F(RecordingTest, DrainsWhatIsBehindThenSaysSo) {
  auto r = make();
  r->begin(start());
  speech_.up = false;
  hear(*r, 0, 1000);
  r->drain("", {});
  EXPECT_TRUE(posted<flow::SpeechDrained>().empty());
  speech_.up = true;
  r->poll();
  EXPECT_TRUE(speech_.tracks.at(1).flushed);
  EXPECT_TRUE(posted<flow::SpeechDrained>().empty());
  r->on_final(1, {0}, {900}, "Hello.", {});
  r->on_flushed(1);
  ASSERT_EQ(posted<flow::SpeechDrained>().size(), 1u);
  EXPECT_TRUE(posted<flow::SpeechDrained>()[0].complete);
}

TEST_F(RecordingTest, WithoutARecognizerTheAudioWaits) {
  auto r = make();
  speech_.up = false;
  r->begin(start());
  hear(*r, 0, 1000);
  r->drain("", {});
  r->recognizer_unavailable();
  ASSERT_EQ(posted<flow::SpeechDrained>().size(), 1u);
  EXPECT_FALSE(posted<flow::SpeechDrained>()[0].complete);
  speech_.up = true;
  r->drain("", {});
  r->poll();
  r->on_flushed(1);
  EXPECT_TRUE(posted<flow::SpeechDrained>().at(1).complete);
}

TEST_F(RecordingTest, ACrashWhileEndingEndsAgain) {
  auto r = make();
  r->begin(start());
  hear(*r, 0, 1000);
  r->drain("", {});
  r->recognizer_lost();
  speech_.tracks.clear();
  r->poll();
  EXPECT_TRUE(speech_.tracks.at(2).flushed);
  r->on_flushed(2);
  EXPECT_EQ(posted<flow::SpeechDrained>().size(), 1u);
}

TEST_F(RecordingTest, AFullDiskLosesOnlyWhatCannotBeRecognizedNow) {
  auto r = make();
  r->begin(start());
  spool_.full = true;
  hear(*r, 0, 500);
  EXPECT_TRUE(posted<flow::GapDetected>().empty());
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 500);
  speech_.room = 0;
  hear(*r, 500, 700);
  ASSERT_EQ(posted<flow::GapDetected>().size(), 2u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap.reason, "disk_full");
}

TEST_F(RecordingTest, WhatNeverReachedTheSpoolIsLostWithTheRecognizer) {
  auto r = make();
  r->begin(start());
  hear(*r, 0, 1000);
  spool_.full = true;
  hear(*r, 1000, 2000);
  spool_.full = false;
  hear(*r, 2000, 3000);
  r->on_final(1, {0}, {1200}, "Hello.", {});
  r->recognizer_lost();
  speech_.tracks.clear();
  r->poll();
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap, (CoverageInterval{"p1", {1200}, {2000}, Coverage::kLost, "disk_full"}));
  EXPECT_EQ(speech_.tracks.at(2).start.ms, 2000);
  EXPECT_EQ(speech_.tracks.at(2).fed.ms, 3000);
}

TEST_F(RecordingTest, WhoIsMutedIsSilentNotLost) {
  auto r = make();
  r->begin(start());
  hear(*r, 0, 1000);
  r->gap("p1", {1000}, {2000}, false, "");
  r->poll();
  r->gap("p1", {2000}, {3000}, false, "");
  r->poll();
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 3000);
  r->suspend("paused");
  r->on_flushed(1);
  r->gap("p1", {3000}, {4000}, false, "");
  r->poll();
  EXPECT_TRUE(posted<flow::GapDetected>().empty());
  ASSERT_EQ(posted<flow::SpanHeard>().size(), 1u);
  EXPECT_EQ(posted<flow::SpanHeard>()[0].end.ms, 4000);
  EXPECT_EQ(posted<flow::SpanHeard>()[0].state, Coverage::kSilent);
}

TEST_F(RecordingTest, AudioThatTheSpoolLostIsSaidToBeLost) {
  auto r = make();
  r->begin(start());
  speech_.up = false;
  hear(*r, 0, 1000);
  spool_.pieces.clear();
  speech_.up = true;
  r->poll();
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap, (CoverageInterval{"p1", {0}, {1000}, Coverage::kLost, "spool"}));
}

}  // namespace
}  // namespace hansard::host
