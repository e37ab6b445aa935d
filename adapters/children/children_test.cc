#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <map>

#include "adapters/children/media_processes.h"
#include "adapters/children/speech_process.h"
#include "ipc/pipe.h"
#include "ports/poll_loop.h"

namespace hansard {
namespace {

struct MediaLog final : MediaListener {
  std::vector<MediaNews> news;
  std::vector<std::string> participants;
  std::size_t samples = 0;
  std::int64_t next_ms = 0;
  bool contiguous = true;
  std::vector<std::string> gaps;

  std::map<std::string, MediaNews> last;  ///< by meeting

  void on_media(const std::string& meeting, std::uint32_t, const MediaNews& n) override {
    news.push_back(n);
    last[meeting] = n;
  }
  void on_participant(const std::string&, std::uint32_t, const std::string& id, const std::string& name, bool, bool) override {
    participants.push_back(id + ":" + name);
  }
  void on_audio(const std::string&, std::uint32_t, const std::string&, MediaTime start, bool,
                std::span<const std::int16_t> s) override {
    contiguous = contiguous && start.ms == next_ms;
    next_ms = start.ms + static_cast<std::int64_t>(s.size()) / 16;
    samples += s.size();
  }
  void on_gap(const std::string&, std::uint32_t, const std::string& p, MediaTime, MediaTime, bool,
              const std::string& reason) override {
    gaps.push_back(p + ":" + reason);
  }
  bool last_is(MediaUpdate u) const { return !news.empty() && news.back().update == u; }
};

class MediaProcessesTest : public ::testing::Test {
 protected:
  PollLoop loop;
  MediaLog log;
  MediaProcessOptions options{
      .executable = HANSARD_FAKE_CHILD, .args = {"media"}, .credit_bytes = 16'384, .leave_limit = milliseconds(300), .log = {}};
};

TEST_F(MediaProcessesTest, DeliversAudioUnderCreditAndLeaves) {
  MediaProcesses media(loop, options);
  media.listen(&log);
  media.start({"m", 1, "generic", "calm", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kInCall); }));
  EXPECT_EQ(log.news.back().announced, "display_name");
  EXPECT_EQ(log.participants, std::vector<std::string>{"p1:Ann"});
  media.capture("m", 1, {0});
  ASSERT_TRUE(loop.run_until([&] { return !log.gaps.empty(); }));
  EXPECT_EQ(log.samples, 1'600'000u);
  EXPECT_TRUE(log.contiguous);
  EXPECT_EQ(log.gaps[0], "p1:network");
  media.stop("m", 1);
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kLeft); }));
  ASSERT_TRUE(loop.run_until([&] { return media.pids().empty(); }));
  EXPECT_EQ(log.news.size(), 2u);
}

TEST_F(MediaProcessesTest, DeathIsALossAndANewEpochWorks) {
  MediaProcesses media(loop, options);
  media.listen(&log);
  media.start({"m", 1, "generic", "calm", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kInCall); }));
  ASSERT_EQ(::kill(media.pids()["m"], SIGKILL), 0);
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kLost); }));
  EXPECT_EQ(log.news.back().reason, "media_process");
  media.start({"m", 2, "generic", "calm", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kInCall); }));
}

TEST_F(MediaProcessesTest, GarbageEndsTheChildAlone) {
  MediaProcesses media(loop, options);
  media.listen(&log);
  media.start({"m", 1, "generic", "garbage", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kLost); }));
  ASSERT_TRUE(loop.run_until([&] { return media.pids().empty(); }));
}

TEST_F(MediaProcessesTest, RefusalKeepsTheWordsOfTheOtherSide) {
  MediaProcesses media(loop, options);
  media.listen(&log);
  media.start({"m", 1, "generic", "deny", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kRefused); }));
  EXPECT_EQ(log.news.back().code, "denied");
  EXPECT_EQ(log.news.back().vendor_code, "no bots");
}

TEST_F(MediaProcessesTest, SaysGoodbyeAlsoAfterTheHostEndedTheMeeting) {
  MediaProcesses media(loop, options);
  media.listen(&log);
  media.start({"m", 1, "generic", "deny", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kRefused); }));
  media.stop("m", 1);
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kLeft); }));
  ASSERT_TRUE(loop.run_until([&] { return media.pids().empty(); }));
  EXPECT_EQ(log.news.size(), 2u);
}

TEST_F(MediaProcessesTest, OneThatDoesNotLeaveIsKilled) {
  MediaProcesses media(loop, options);
  media.listen(&log);
  media.start({"m", 1, "generic", "stubborn", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kInCall); }));
  media.stop("m", 1);
  ASSERT_TRUE(loop.run_until([&] { return log.last_is(MediaUpdate::kLeft); }));
  media.stop("nothing", 1);
  ASSERT_TRUE(loop.run_until([&] { return log.news.size() == 3; }));
}

TEST_F(MediaProcessesTest, ShutDownLeavesWithoutEndingTheMeeting) {
  MediaProcesses media(loop, options);
  media.listen(&log);
  media.start({"a", 1, "generic", "calm", "", "bot"});
  media.start({"b", 1, "generic", "stubborn", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.news.size() == 2; }));
  bool done = false;
  media.shut_down([&] { done = true; });
  ASSERT_TRUE(loop.run_until([&] { return done; }));
  EXPECT_EQ(log.news.size(), 2u);
}

TEST_F(MediaProcessesTest, OneMeetingTooManyIsALossThatCanBeTriedAgain) {
  std::vector<std::string> logged;
  options.log = [&](const std::string& meeting, const std::string& what, pid_t) { logged.push_back(meeting + ": " + what); };
  MediaProcesses media(loop, options);
  media.listen(&log);
  for (std::size_t i = 0; i < kMaxMeetings; ++i) media.start({"m" + std::to_string(i), 1, "generic", "calm", "", "bot"});
  media.start({"one more", 1, "generic", "calm", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.news.size() == kMaxMeetings + 1; }));
  for (const auto& [meeting, news] : log.last) {
    EXPECT_EQ(news.update, meeting == "one more" ? MediaUpdate::kLost : MediaUpdate::kInCall) << meeting;
  }
  EXPECT_EQ(log.last["one more"].reason, "too many meetings at once");
  EXPECT_EQ(std::count(logged.begin(), logged.end(), "one more: not joined: too many meetings at once"), 1);
  EXPECT_EQ(media.pids().size(), kMaxMeetings);
  // A meeting that is there already is not one more: its next attempt takes the place of the one before.
  media.start({"m0", 2, "generic", "calm", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.news.size() == kMaxMeetings + 2; }));
  EXPECT_EQ(log.news.back().update, MediaUpdate::kInCall);
  media.stop("m1", 1);
  ASSERT_TRUE(loop.run_until([&] { return log.last["m1"].update == MediaUpdate::kLeft && !media.pids().contains("m1"); }));
  media.start({"one more", 2, "generic", "calm", "", "bot"});
  ASSERT_TRUE(loop.run_until([&] { return log.last["one more"].update == MediaUpdate::kInCall; }));
}

struct SpeechLog final : SpeechListener {
  int ready = 0, lost = 0, finals = 0, partials = 0, heard = 0, flushed = 0;
  std::string unavailable;
  void on_partial(std::uint32_t, MediaTime, MediaTime, const std::string&) override { ++partials; }
  void on_final(std::uint32_t, MediaTime, MediaTime, const std::string&, const std::vector<Word>&) override { ++finals; }
  void on_heard(std::uint32_t, MediaTime, MediaTime, Coverage, const std::string&) override { ++heard; }
  void on_flushed(std::uint32_t) override { ++flushed; }
  void on_recognizer_lost() override { ++lost; }
  void on_recognizer_ready(const std::string&) override { ++ready; }
  void on_recognizer_unavailable(const std::string& detail) override { unavailable = detail; }
};

class SpeechProcessTest : public ::testing::Test {
 protected:
  SpeechProcessOptions with(const std::string& mode) {
    return {.executable = HANSARD_FAKE_CHILD,
            .args = {"speech", mode},
            .first_restart = milliseconds(10),
            .last_restart = milliseconds(100),
            .stable = seconds(60),
            .log = {}};
  }
  PollLoop loop;
  SpeechLog log;
  std::vector<std::int16_t> tenth = std::vector<std::int16_t>(1600);
};

TEST_F(SpeechProcessTest, TakesAudioOnlyUnderCredit) {
  SpeechProcess speech(loop, with("calm"));
  speech.listen(&log);
  speech.start();
  ASSERT_TRUE(loop.run_until([&] { return speech.ready(); }));
  const auto track = speech.open("", {0});
  int taken = 0;
  int refused = 0;
  ASSERT_TRUE(loop.run_until([&] {
    while (taken < 30 && speech.feed(track, {taken * 100}, tenth)) ++taken;
    if (taken < 30) ++refused;
    return taken == 30;
  }));
  EXPECT_GT(refused, 0);
  speech.flush(track);
  ASSERT_TRUE(loop.run_until([&] { return log.flushed == 1; }));
  EXPECT_EQ(log.finals, 30);
  EXPECT_EQ(log.partials, 30);
  EXPECT_EQ(log.heard, 0);
}

TEST_F(SpeechProcessTest, ComesBackAfterADeath) {
  SpeechProcess speech(loop, with("die_on_audio"));
  speech.listen(&log);
  speech.start();
  ASSERT_TRUE(loop.run_until([&] { return speech.ready(); }));
  const auto track = speech.open("", {0});
  ASSERT_TRUE(loop.run_until([&] { return speech.feed(track, {0}, tenth); }));
  ASSERT_TRUE(loop.run_until([&] { return log.lost == 1; }));
  ASSERT_TRUE(loop.run_until([&] { return log.ready == 2; }));
  EXPECT_FALSE(speech.feed(track, {100}, tenth));
  EXPECT_NE(speech.open("", {0}), track);
}

TEST_F(SpeechProcessTest, OneThatReadsNothingIsGivenUpAtTheLimitAndStartedAgain) {
  SpeechProcess speech(loop, with("deaf"));
  speech.listen(&log);
  speech.start();
  ASSERT_TRUE(loop.run_until([&] { return speech.ready(); }));
  const pid_t deaf = speech.pid();
  const std::string long_name(60'000, 'x');
  std::size_t sent = 0;
  const auto send = [&](std::size_t bytes) {
    for (; sent < bytes; sent += long_name.size()) static_cast<void>(speech.open(long_name, {0}));
  };
  send(ipc::kMaxQueuedBytes - (1u << 20));
  bool seen = false;
  loop.after(milliseconds(50), [&] { seen = true; });
  ASSERT_TRUE(loop.run_until([&] { return seen; }));
  EXPECT_EQ(log.lost, 0) << "what waits is within the limit";
  EXPECT_EQ(speech.pid(), deaf);
  send(ipc::kMaxQueuedBytes + (2u << 20));  // more than the socket holds beside it
  ASSERT_TRUE(loop.run_until([&] { return log.lost == 1; }));
  ASSERT_TRUE(loop.run_until([&] { return log.ready == 2; }));
  EXPECT_NE(speech.pid(), deaf);
}

TEST_F(SpeechProcessTest, SaysWhyThereIsNone) {
  SpeechProcess speech(loop, with("unavailable"));
  speech.listen(&log);
  speech.start();
  ASSERT_TRUE(loop.run_until([&] { return !log.unavailable.empty(); }));
  EXPECT_FALSE(speech.ready());
  EXPECT_EQ(log.lost, 0);
}

}  // namespace
}  // namespace hansard
