#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/frame.h"
#include "ipc/messages.h"
#include "ipc/pipe.h"
#include "ipc/process.h"

namespace hansard::ipc {
namespace {

TEST(Frames, SurviveAnySplitOfTheStream) {
  const AudioFrame audio{7, true, {-5}, {1, -2, 32767, -32768}};
  const std::string stream = encode(json_text(ToMedia(Leave{}))) + encode(audio);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameDecoder decoder;
    decoder.push(stream.substr(0, cut));
    std::vector<Frame> frames;
    for (int part = 0; part < 2; ++part) {
      while (true) {
        auto frame = decoder.next();
        ASSERT_TRUE(frame);
        if (!*frame) break;
        frames.push_back(std::move(**frame));
      }
      if (part == 0) decoder.push(stream.substr(cut));
    }
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_TRUE(std::holds_alternative<Leave>(*from_json<ToMedia>(std::get<Json>(frames[0]))));
    const auto& back = std::get<AudioFrame>(frames[1]);
    EXPECT_EQ(back.track, 7u);
    EXPECT_TRUE(back.concealed);
    EXPECT_EQ(back.start.ms, -5);
    EXPECT_EQ(back.samples, audio.samples);
  }
}

TEST(Frames, RefuseWhatIsNoFrame) {
  for (const std::string& bad :
       {std::string("\xff\xff\xff\xff\0", 5), std::string("\0\0\0\0\0", 5), std::string("\x02\0\0\0\x09x", 6),
        std::string("\x02\0\0\0\x01x", 6), std::string("\x02\0\0\0\0{", 6)}) {
    FrameDecoder decoder;
    decoder.push(bad);
    EXPECT_FALSE(decoder.next());
  }
}

TEST(Messages, RoundTripThroughAPipe) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  Pipe a(fds[0]);
  {
    Pipe b(fds[1]);
    b.send(FromSpeech(FinalText{3, {10}, {20}, "hi", {}}));
    ASSERT_TRUE(b.flush_all(1000));
    ASSERT_TRUE(a.read_some());
    auto frame = a.next();
    ASSERT_TRUE(frame && *frame);
    const auto message = from_json<FromSpeech>(std::get<Json>(**frame));
    ASSERT_TRUE(message);
    EXPECT_EQ(std::get<FinalText>(*message).text, "hi");
    EXPECT_TRUE(a.read_some());  // nothing there is not the end
  }
  EXPECT_FALSE(a.read_some());
}

// A library's socket without close-on-exec, like a daemon's listener.
TEST(Messages, APeerThatReadsNothingIsGivenUpAtTheLimit) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  Pipe writer(fds[0]);
  Pipe reader(fds[1]);
  const ToSpeech message(OpenTrack{1, Profile::kLive, std::string(100'000, 'x'), {0}});
  const std::size_t size = encode(json_text(message)).size();
  while (writer.queued_bytes() + size <= kMaxQueuedBytes) writer.send(message);
  // Within the limit all is well: what waits is written as soon as it is read.
  std::size_t whole = 0;
  const auto read = [&] {
    if (!reader.read_some()) return false;
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) ++whole;
    return true;
  };
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(read());
  EXPECT_GT(whole, 0u);
  ASSERT_TRUE(writer.flush());
  while (writer.queued_bytes() + size <= kMaxQueuedBytes) writer.send(message);
  const std::size_t full = writer.queued_bytes();
  writer.send(message);
  EXPECT_EQ(writer.queued_bytes(), full) << "one more is not kept";
  EXPECT_FALSE(writer.read_some()) << "this side sees the end";
  EXPECT_FALSE(writer.flush());
  int reads = 0;
  while (read()) ASSERT_LT(++reads, 1000) << "and the other one, after what had reached it";
}

TEST(SpawnChild, AChildHasNothingOfItsParentButItsEndOfThePair) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto child = spawn_child("/usr/bin/tail", {"-f", "/dev/null"});
  ASSERT_TRUE(child.has_value());
  ::close(ends[1]);
  // The writing end is closed everywhere once the child has become another program, though that goes on running.
  pollfd closed{ends[0], POLLIN, 0};
  EXPECT_EQ(::poll(&closed, 1, 5000), 1);
  EXPECT_TRUE(closed.revents & POLLHUP);
  EXPECT_EQ(::waitpid(child->pid, nullptr, WNOHANG), 0);
  ::kill(child->pid, SIGKILL);
  ::waitpid(child->pid, nullptr, 0);
  ::close(child->fd);
  ::close(ends[0]);
}

}  // namespace
}  // namespace hansard::ipc
