#include "host/recording.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>

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
                    const std::function<bool(const SpooledPiece&)>& take) override {
    ++reads;
    for (const auto& [start, samples] : pieces[p]) {
      const MediaTime end{start.ms + static_cast<std::int64_t>(samples.size()) / 16};
      if (end <= from) continue;
      if (fails_at && start >= *fails_at) return fail(ErrorClass::kUnavailable, "spool", "input/output error");
      const bool whole = damaged.count(start.ms) == 0;
      if (!take({start, end, whole ? std::span<const std::int16_t>(samples) : std::span<const std::int16_t>()})) break;
    }
    return {};
  }
  Result<std::vector<SpooledTrack>> tracks(const std::string&) override {
    if (mute) return fail(ErrorClass::kUnavailable, "spool", "input/output error");
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
  bool mute = false;                  ///< it does not say what there is
  std::set<std::int64_t> damaged;     ///< starts of pieces
  std::optional<MediaTime> fails_at;  ///< from there on nothing can be read
  int reads = 0;
};

struct FakeClock final : Clock {
  Instant now() const override { return {1'000'000 + time.ms}; }
  Duration monotonic() const override { return time; }
  Duration time;
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
    return std::make_unique<Recording>("m1", spool_, speech_, clock_, [this](flow::Event e) { events_.push_back(std::move(e)); });
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

  FakeClock clock_;
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

TEST_F(RecordingTest, AHoleThatTheRunBeforeCouldNotExplainIsLost) {
  {
    auto before = make();
    before->begin(start());
    hear(*before, 0, 2000);
    hear(*before, 5000, 7000);
  }
  events_.clear();  // it died before any of that was committed
  speech_.tracks.clear();
  auto r = make();
  r->begin(start("daemon", {{"p1", {1000}}}));
  for (int i = 0; i < 10; ++i) r->poll();
  const auto gaps = posted<flow::GapDetected>();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].gap, (CoverageInterval{"p1", {2000}, {5000}, Coverage::kLost, "daemon"}));
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

TEST_F(RecordingTest, ACrashAfterTheEndWasAskedForTwiceEndsAgain) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  hear(*r, 0, 1000);
  r->suspend("disconnected");
  r->participant_left("p1", {1000});
  r->drain("", {});
  r->recognizer_lost();
  speech_.tracks.clear();
  r->poll();
  ASSERT_TRUE(speech_.tracks.contains(2));
  EXPECT_EQ(speech_.tracks.at(2).fed.ms, 1000);
  EXPECT_TRUE(speech_.tracks.at(2).flushed);
  r->on_flushed(2);
  EXPECT_EQ(posted<flow::SpeechDrained>().size(), 1u);
}

TEST_F(RecordingTest, WhoIsGoneBeforeTheNextAudioLostWhatTheRestartTook) {
  {
    auto before = make();
    before->begin(start());
    hear(*before, 0, 5000);
  }
  speech_.tracks.clear();
  auto r = make();
  r->begin(start("daemon", {{"p1", {5000}}}));
  r->participant_joined("p1", {5600});
  r->participant_left("p1", {6000});
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap, (CoverageInterval{"p1", {5000}, {6000}, Coverage::kLost, "daemon"}));
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
  r->suspend("disconnected");
  ASSERT_EQ(posted<flow::GapDetected>().size(), 1u);
  EXPECT_EQ(posted<flow::GapDetected>()[0].gap, (CoverageInterval{"p1", {500}, {700}, Coverage::kLost, "disk_full"}));
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

/// Audio for two minutes is behind when the disk stops giving it.
class UnreadableTest : public RecordingTest {
 protected:
  void behind() {
    speech_.up = false;
    recording_ = make();
    recording_->begin(start());
    recording_->participant_joined("p1", {0});
    hear(*recording_, 0, 120'000);
    speech_.up = true;
  }
  void run_for(Duration length) {
    for (const Duration end = clock_.time + length; clock_.time < end; clock_.time = clock_.time + milliseconds(50))
      recording_->poll();
  }
  std::vector<CoverageInterval> lost() const {
    std::vector<CoverageInterval> out;
    for (const auto& e : posted<flow::GapDetected>()) out.push_back(e.gap);
    return out;
  }
  std::unique_ptr<Recording> recording_;
};

TEST_F(UnreadableTest, WhatTheDiskGivesLaterIsNotLost) {
  behind();
  spool_.fails_at = MediaTime{40'000};
  run_for(minutes(4));
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 40'000);
  EXPECT_LT(spool_.reads, 40) << "not in a loop";
  EXPECT_TRUE(recording_->has_backlog());
  ASSERT_EQ(posted<flow::HostNotice>().size(), 2u) << "it does not give it, and the recognizer is behind";
  spool_.fails_at.reset();
  run_for(seconds(40));
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 120'000);
  EXPECT_TRUE(lost().empty());
  EXPECT_FALSE(recording_->has_backlog() && speech_.tracks.at(1).fed.ms < 120'000);
}

TEST_F(UnreadableTest, WhatItNeverGivesIsLostPieceByPieceAndTheRestFollows) {
  behind();
  spool_.fails_at = MediaTime{40'000};
  run_for(minutes(5) + seconds(10));
  const auto given_up = lost();
  ASSERT_FALSE(given_up.empty());
  EXPECT_EQ(given_up.front(), (CoverageInterval{"p1", {40'000}, {41'000}, Coverage::kLost, "unreadable"}));
  spool_.fails_at.reset();
  run_for(seconds(40));
  const auto all = lost();
  EXPECT_LT(all.back().end.ms, 100'000);
  MediaTime at{40'000};
  for (const CoverageInterval& i : all) {
    EXPECT_EQ(i.start, at);
    at = i.end;
  }
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 120'000) << "behind it all was recognized";
}

TEST_F(UnreadableTest, ADamagedPieceAloneIsLost) {
  behind();
  spool_.damaged = {30'000, 30'100, 80'000};
  run_for(seconds(5));
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 120'000);
  EXPECT_EQ(lost(), (std::vector<CoverageInterval>{{"p1", {30'000}, {30'100}, Coverage::kLost, "damaged"},
                                                   {"p1", {30'100}, {30'200}, Coverage::kLost, "damaged"},
                                                   {"p1", {80'000}, {80'100}, Coverage::kLost, "damaged"}}));
}

/// After a restart the disk does not say at first what is there. Audio that comes meanwhile cannot be put behind it.
TEST_F(UnreadableTest, ASpoolThatDoesNotAnswerAtTheStartIsAskedAgain) {
  behind();
  recording_ = make();
  spool_.mute = true;
  recording_->begin(start("daemon", {{"p1", {60'000}}}));
  recording_->participant_joined("p1", {0});
  hear(*recording_, 130'000, 131'000);
  EXPECT_EQ(posted<flow::GapDetected>().size(), 10u);
  EXPECT_TRUE(recording_->has_backlog());
  spool_.mute = false;
  hear(*recording_, 131'000, 132'000);
  run_for(seconds(5));
  EXPECT_EQ(lost().back(), (CoverageInterval{"p1", {120'000}, {131'000}, Coverage::kLost, "daemon"}));
  EXPECT_EQ(speech_.tracks.at(1).start.ms, 60'000);
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 132'000);
}

TEST_F(RecordingTest, AFullDiskIsToldOnceAndWhenItIsOver) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  hear(*r, 0, 1000);
  spool_.full = true;
  hear(*r, 1000, 2000);
  EXPECT_TRUE(r->unwritable());
  ASSERT_EQ(posted<flow::HostNotice>().size(), 1u);
  EXPECT_NE(posted<flow::HostNotice>()[0].note.find("the disk is full"), std::string::npos);
  spool_.full = false;
  hear(*r, 2000, 3000);
  EXPECT_TRUE(r->unwritable()) << "not after the first write";
  clock_.time = clock_.time + seconds(11);
  hear(*r, 3000, 3100);
  EXPECT_FALSE(r->unwritable());
  EXPECT_EQ(posted<flow::HostNotice>().size(), 2u);
  EXPECT_TRUE(posted<flow::GapDetected>().empty()) << "the recognizer took it at once";
}

TEST_F(RecordingTest, SaysWhenTheRecognizerFallsFarBehindAndWhenItHasCaughtUp) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  speech_.room = 100;
  hear(*r, 0, 60'000);
  EXPECT_EQ(r->behind(), seconds(60));
  ASSERT_EQ(posted<flow::HostNotice>().size(), 1u);
  EXPECT_NE(posted<flow::HostNotice>()[0].note.find("is behind"), std::string::npos);
  speech_.room = 1'000'000;
  for (int i = 0; i < 10; ++i) r->poll();
  r->on_heard(1, {0}, {59'000}, Coverage::kSilent, {});
  r->poll();
  EXPECT_EQ(r->behind(), seconds(1));
  EXPECT_EQ(posted<flow::HostNotice>().size(), 2u);
  EXPECT_FALSE(r->has_backlog());
}

/// A full disk and no recognizer: one row of the ledger for seconds of losses, not one for each packet.
TEST_F(RecordingTest, LossesToAFullDiskAreToldInPieces) {
  auto r = make();
  r->begin(start());
  r->participant_joined("p1", {0});
  hear(*r, 0, 1000);
  speech_.up = false;
  spool_.full = true;
  hear(*r, 1000, 26'000);
  EXPECT_EQ(posted<flow::GapDetected>().size(), 2u);
  spool_.full = false;
  hear(*r, 26'000, 26'100);
  const auto gaps = posted<flow::GapDetected>();
  ASSERT_EQ(gaps.size(), 3u);
  EXPECT_EQ(gaps[0].gap, (CoverageInterval{"p1", {1000}, {11'000}, Coverage::kLost, "disk_full"}));
  EXPECT_EQ(gaps[2].gap, (CoverageInterval{"p1", {21'000}, {26'000}, Coverage::kLost, "disk_full"}));
}

TEST_F(RecordingTest, WhileHeldAudioWaitsInTheSpool) {
  auto r = make();
  r->begin(start());
  r->hold(true);
  hear(*r, 0, 2000);
  r->poll();
  EXPECT_TRUE(speech_.tracks.empty());
  r->hold(false);
  r->poll();
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 2000);
}

/// Killed before the commit that would have told of the silence: it was heard, and nobody knows that any more.
TEST_F(RecordingTest, ARestartTellsOfTheTimeBeforeTheFirstAudio) {
  speech_.up = false;
  auto first = make();
  first->begin(start());
  hear(*first, 13'200, 14'000);
  first = nullptr;
  events_.clear();
  auto r = make();
  r->begin(start("daemon", {{"p1", {13'000}}}));
  const auto gaps = posted<flow::GapDetected>();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].gap, (CoverageInterval{"p1", {13'000}, {13'200}, Coverage::kLost, "daemon"}));
}

/// A recognizer that takes less than comes: nobody may wait for ever because somebody else comes first.
TEST_F(RecordingTest, WhoIsFurthestBehindIsFedFirst) {
  auto r = make();
  r->begin(start());
  r->hold(true);
  const std::vector<std::int16_t> frame(kMsPerFrame * 16, 100);
  for (std::int64_t ms = 0; ms < 2000; ms += kMsPerFrame) r->audio("p2", {ms}, frame);
  hear(*r, 1500, 2000);
  r->hold(false);
  speech_.room = 10;
  r->poll();
  EXPECT_TRUE(r->blocked());
  ASSERT_EQ(speech_.tracks.size(), 2u) << "both were begun";
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 1000) << "of p2";
  speech_.room = 100;
  r->poll();
  EXPECT_FALSE(r->blocked());
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 2000);
  EXPECT_EQ(speech_.tracks.at(2).fed.ms, 2000);
}

TEST_F(RecordingTest, NewAudioDoesNotPassWhatWaits) {
  auto r = make();
  r->begin(start());
  hear(*r, 0, 1000);
  r->take_turns(true);
  hear(*r, 1000, 2000);
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 1000);
  EXPECT_TRUE(r->has_backlog());
  r->poll();
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 2000);
  r->take_turns(false);
  hear(*r, 2000, 3000);
  EXPECT_EQ(speech_.tracks.at(1).fed.ms, 3000);
}

}  // namespace
}  // namespace hansard::host
