// The process around the engine, with its two threads, at one end of a socketpair: a detector that hears loud samples and a
// recognizer that says how long the audio was.
#include "adapters/speech/server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ipc/pipe.h"

namespace hansard::speech {
namespace {

class LoudDetector : public VoiceDetector {
 public:
  bool speech(std::span<const float> window) override { return std::abs(window[window.size() / 2]) > 0.001F; }
  void reset() override {}
};

class CountingRecognizer : public Recognizer {
 public:
  Recognition recognize(std::span<const float> audio, std::string_view) override {
    if (begun) std::exchange(begun, {})();
    return {std::to_string(audio.size()) + " samples", {}};
  }
  bool knows(std::string_view) const override { return true; }

  std::function<void()> begun;  ///< called once, on the recognizing thread, at the first audio
};

/// The daemon's end, and serve() on a thread of its own.
class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    pipe = std::make_unique<ipc::Pipe>(fds[0]);
    server_fd = fds[1];
    code = std::async(std::launch::async, [this] {
      return serve(server_fd, "fake", recognizer, [](float) { return std::make_unique<LoudDetector>(); });
    });
  }

  // Also after a failure serve() must end, for which the future waits.
  void TearDown() override {
    release();
    pipe.reset();
  }

  bool wait(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      if (gone || std::chrono::steady_clock::now() > deadline) return false;
      pollfd p{pipe->fd(), static_cast<short>(POLLIN | (pipe->queued_bytes() > 0 ? POLLOUT : 0)), 0};
      ::poll(&p, 1, 10);
      gone = !pipe->flush() || !pipe->read_some();
      while (true) {
        const auto frame = pipe->next();
        if (!frame || !*frame) break;
        auto message = from_json<ipc::FromSpeech>(std::get<Json>(**frame));
        if (!message) return false;
        if (const auto* c = std::get_if<ipc::Credit>(&*message)) granted += c->bytes;
        messages.push_back(std::move(*message));
      }
    }
    return true;
  }
  void send(const ipc::ToSpeech& message) { pipe->send(message); }
  /// A tenth of a second, loud or silent, as soon as there is credit for it.
  bool feed(std::uint32_t track, std::int64_t start_ms, bool loud) {
    const ipc::AudioFrame frame{track, false, {start_ms}, std::vector<std::int16_t>(1600, loud ? 3000 : 0)};
    const auto bytes = static_cast<std::int64_t>(ipc::encoded_size(frame));
    if (!wait([&] { return granted - used >= bytes; })) return false;
    used += bytes;
    pipe->send(frame);
    return true;
  }
  template <class M>
  std::vector<M> of(std::uint32_t track) const {
    std::vector<M> found;
    for (const auto& message : messages) {
      if (const auto* m = std::get_if<M>(&message); m != nullptr && m->track == track) found.push_back(*m);
    }
    return found;
  }
  /// Begins an utterance and returns when the recognizer is in the middle of it, where it stays until `held` is set.
  bool hold_recognizer() {
    std::promise<void> begun;
    auto began = begun.get_future();
    recognizer.begun = [&begun, go_on = held.get_future().share()] {
      begun.set_value();
      go_on.wait();
    };
    send(ipc::OpenTrack{1, ipc::Profile::kLive, "", {0}});
    // Enough for a partial text, and less than what makes the engine give credit back.
    for (std::int64_t tenth = 0; tenth < 9; ++tenth) {
      if (!feed(1, tenth * 100, true)) return false;
    }
    return wait([&] { return pipe->queued_bytes() == 0; }) &&
           began.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
  }
  void release() {
    if (!std::exchange(released, true)) held.set_value();
  }
  /// Bytes that wait in the socket for the server.
  int unread() const {
    int bytes = -1;
    return ::ioctl(server_fd, FIONREAD, &bytes) == 0 ? bytes : -1;
  }
  int exit_code() {
    if (code.wait_for(std::chrono::seconds(60)) != std::future_status::ready) ADD_FAILURE() << "serve() goes on";
    return code.get();
  }

  CountingRecognizer recognizer;
  std::unique_ptr<ipc::Pipe> pipe;
  std::vector<ipc::FromSpeech> messages;
  std::promise<void> held;
  bool released = false;
  int server_fd = -1;
  std::int64_t granted = 0;
  std::int64_t used = 0;
  bool gone = false;
  std::future<int> code;  // last: its destructor waits for the thread, which uses the recognizer
};

TEST_F(ServerTest, RecognizesOnOneThreadWhileTheOtherReads) {
  constexpr std::uint32_t kTracks = 3;
  constexpr int kRounds = 20;
  for (std::uint32_t t = 1; t <= kTracks; ++t)
    send(ipc::OpenTrack{t, t == kTracks ? ipc::Profile::kLive : ipc::Profile::kFile, "", {0}});
  // Two seconds of speech and three of silence, over and over: more than the credit that the server gives at first.
  for (std::int64_t tenth = 0; tenth < kRounds * 50; ++tenth) {
    for (std::uint32_t t = 1; t <= kTracks; ++t) ASSERT_TRUE(feed(t, tenth * 100, tenth % 50 < 20));
  }
  EXPECT_GT(used, static_cast<std::int64_t>(kCreditWindow));
  for (std::uint32_t t = 1; t <= kTracks; ++t) send(ipc::FlushTrack{t});
  for (std::uint32_t t = 1; t <= kTracks; ++t) {
    ASSERT_TRUE(wait([&] { return of<ipc::TrackFlushed>(t).size() == 1; }));
    EXPECT_EQ(of<ipc::FinalText>(t).size(), static_cast<std::size_t>(kRounds)) << "track " << t;
    std::int64_t cursor = 0;
    for (const auto& heard : of<ipc::HeardReport>(t)) {
      EXPECT_EQ(heard.start.ms, cursor);
      cursor = heard.end.ms;
    }
    EXPECT_EQ(cursor, kRounds * 5000);
  }
  // What was used is given back, but for less than one step that the engine saves up.
  EXPECT_LE(granted - used, static_cast<std::int64_t>(kCreditWindow));
  EXPECT_GT(granted - used, static_cast<std::int64_t>(kCreditWindow) - (32 << 10));
  EXPECT_EQ(std::get<ipc::SpeechReady>(messages.front()).model, "fake");
  pipe.reset();
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(ServerTest, EndsWhenThePeerGoesInTheMiddleOfAnUtterance) {
  ASSERT_TRUE(hold_recognizer());
  pipe.reset();
  release();
  EXPECT_EQ(exit_code(), 0);
}

TEST_F(ServerTest, RefusesMoreAudioThanThereIsCreditFor) {
  // While the recognizer is held nobody gives credit back, so the reader must find the last frame too much.
  ASSERT_TRUE(hold_recognizer());
  const ipc::AudioFrame frame{1, false, {900}, std::vector<std::int16_t>(16'000)};
  while (used <= granted) {
    pipe->send(frame);
    used += static_cast<std::int64_t>(ipc::encoded_size(frame));
  }
  EXPECT_TRUE(wait([&] { return pipe->queued_bytes() == 0 && unread() == 0; }));
  release();
  EXPECT_EQ(exit_code(), 1);
}

TEST_F(ServerTest, RefusesWhatIsNoMessage) {
  pipe->send(ipc::FromSpeech(ipc::SpeechReady{"not for you"}));
  wait([] { return false; });
  EXPECT_TRUE(gone);
  EXPECT_EQ(exit_code(), 1);
}

}  // namespace
}  // namespace hansard::speech
