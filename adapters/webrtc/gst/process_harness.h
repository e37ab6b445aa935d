#pragma once
// What the process tests stand on: children, the room, the daemon's side of a capture, and comparing audio.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "adapters/webrtc/gst/file_audio.h"
#include "adapters/webrtc/gst/peer.h"
#include "core/base/text.h"
#include "ipc/boot_clock.h"
#include "ipc/messages.h"
#include "ipc/pipe.h"
#include "ipc/process.h"

namespace hansard::webrtc::test {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

inline std::string program() {
  return ipc::self_executable()->substr(0, ipc::self_executable()->rfind('/')) + "/hansard_media_child";
}

inline std::int64_t unix_now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Recorded speech of 7 s, or empty when none is installed.
inline std::string speech_file() {
  for (const char* path : {"/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav",
                           ".cache/samples/pyannote/sample.wav"}) {
    if (fs::exists(path)) return path;
  }
  return "";
}

inline std::vector<std::int16_t> samples_of(const std::string& file) {
  EXPECT_TRUE(init_gstreamer());
  auto audio = FileAudio::open(file, ipc::kSampleRate);
  std::vector<std::int16_t> out;
  while (audio) {
    auto more = (*audio)->read();
    if (!more || more->empty()) break;
    out.insert(out.end(), more->begin(), more->end());
  }
  return out;
}

inline double correlation(const std::int16_t* x, const std::int16_t* y, std::size_t n) {
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    xy += double{1} * x[i] * y[i];
    xx += double{1} * x[i] * x[i];
    yy += double{1} * y[i] * y[i];
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

struct Child {
  explicit Child(std::vector<std::string> args) {
    args.insert(args.begin(), "media");
    auto spawned = ipc::spawn_child(program(), args);
    EXPECT_TRUE(spawned);
    pid = spawned->pid;
    pipe = std::make_unique<ipc::Pipe>(spawned->fd);
  }
  ~Child() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    ::waitpid(pid, &status, 0);
    pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  pid_t pid = -1;
  std::unique_ptr<ipc::Pipe> pipe;
};

/// One HTTP request over a connection of its own; the status and the body.
inline std::pair<int, std::string> http(unsigned port, const std::string& method, const std::string& path,
                                        const std::string& body = "", const std::string& headers = "") {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string reply;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
    [[maybe_unused]] auto sent = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char buffer[4096];
    for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) reply.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  const int status = reply.size() > 12 ? std::atoi(reply.c_str() + 9) : 0;
  const std::size_t head = reply.find("\r\n\r\n");
  return {status, head == std::string::npos ? "" : reply.substr(head + 4)};
}

class RoomProcess {
 public:
  explicit RoomProcess(std::vector<std::string> options = {}) {
    std::string pattern = (fs::temp_directory_path() / "hansard-room-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    std::vector<std::string> args{"room",     "--listen",         "127.0.0.1:0", "--port-file", (directory_ / "port").string(),
                                  "--static", directory_.string()};
    args.insert(args.end(), options.begin(), options.end());
    child_ = std::make_unique<Child>(args);
    const auto end = Clock::now() + std::chrono::seconds(20);
    while (!fs::exists(directory_ / "port") && Clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::ifstream(directory_ / "port") >> port;
    EXPECT_GT(port, 0u);
  }
  ~RoomProcess() { fs::remove_all(directory_); }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port) + path; }
  void kill() { child_.reset(); }
  const fs::path& directory() const { return directory_; }

  unsigned port = 0;

 private:
  fs::path directory_;
  std::unique_ptr<Child> child_;
};

/// The daemon's side of a capture process.
class Bot {
 public:
  struct Track {
    std::string participant;
    std::int64_t start = -1;
    std::vector<std::int16_t> samples;
    std::vector<ipc::TrackGap> gaps;
    std::int64_t closed = -1;
    std::int64_t end() const { return start + static_cast<std::int64_t>(samples.size()) / 16; }
  };

  explicit Bot(std::uint32_t credit = 1 << 22, std::vector<std::string> args = {"capture", "--fd", "3"})
      : child(args), credit_(credit) {
    if (credit > 0) send(ipc::Credit{credit});
  }
  void send(const ipc::ToMedia& m) { child.pipe->send(m); }
  void join(const std::string& url) { send(ipc::Join{"m", url, "", "hansard (records)"}); }
  void capture() {
    origin = unix_now_ms();
    send(ipc::Capture{{ipc::boot_clock_us() / 1000}});
  }

  /// Reads until `condition`; false after `seconds` or when the process ended.
  bool until(const std::function<bool()>& condition, int seconds) {
    const auto end = Clock::now() + std::chrono::seconds(seconds);
    while (!condition()) {
      if (closed || Clock::now() > end) return condition();
      pollfd p{child.pipe->fd(), POLLIN, 0};
      ::poll(&p, 1, 50);
      if ((p.revents & (POLLIN | POLLHUP)) == 0) continue;
      closed = !child.pipe->read_some();
      while (true) {
        auto frame = child.pipe->next();
        if (!frame || !*frame) break;
        std::visit([this](const auto& f) { take(f); }, **frame);
      }
    }
    return true;
  }
  bool reached(ipc::MediaState state) const {
    for (const auto& s : statuses) {
      if (s.state == state) return true;
    }
    return false;
  }
  bool until_state(ipc::MediaState state, int seconds = 15) {
    return until([&] { return reached(state); }, seconds);
  }
  bool present(const std::string& id) const {
    const auto it = participants.find(id);
    return it != participants.end() && it->second.present;
  }
  const Track* track_of(const std::string& participant) const {
    for (const auto& [n, t] : tracks) {
      if (t.participant == participant && !t.samples.empty()) return &t;
    }
    return nullptr;
  }

  Child child;
  std::int64_t origin = 0;
  bool closed = false;
  std::vector<ipc::MediaStatus> statuses;
  std::map<std::string, ipc::ParticipantUpdate> participants;
  std::map<std::uint32_t, Track> tracks;
  std::optional<ipc::MediaInfo> info;

 private:
  void take(const ipc::AudioFrame& f) {
    Track& t = tracks[f.track];
    if (t.start < 0) t.start = f.start.ms;
    if (f.start.ms != t.end()) {
      // A hole is allowed only where audio was dropped, which a gap before it says.
      ASSERT_FALSE(t.gaps.empty());
      EXPECT_EQ(t.gaps.back().reason, "overload");
      EXPECT_EQ(t.gaps.back().end.ms, f.start.ms);
      t.samples.resize(static_cast<std::size_t>((f.start.ms - t.start) * 16));
    }
    t.samples.insert(t.samples.end(), f.samples.begin(), f.samples.end());
    if (credit_ > 0) send(ipc::Credit{static_cast<std::uint32_t>(ipc::encoded_size(f))});
  }
  void take(const Json& json) {
    const auto m = from_json<ipc::FromMedia>(json);
    ASSERT_TRUE(m) << json.dump();
    std::visit([this](const auto& one) { on(one); }, *m);
  }
  void on(const ipc::MediaStatus& m) { statuses.push_back(m); }
  void on(const ipc::ParticipantUpdate& m) { participants[m.id] = m; }
  void on(const ipc::TrackOpened& m) { tracks[m.track].participant = m.participant; }
  void on(const ipc::TrackClosed& m) { tracks[m.track].closed = m.at.ms; }
  void on(const ipc::TrackGap& m) { tracks[m.track].gaps.push_back(m); }
  void on(const ipc::MediaInfo& m) { info = m; }

  std::uint32_t credit_;
};

/// How well the track holds `source`, whose first sample was spoken at `begins` of media time, and how late it lies there.
struct Fit {
  double correlation = 0;
  std::int64_t late_ms = 0;
};
inline Fit fit(const Bot::Track& t, const std::vector<std::int16_t>& source, std::int64_t begins) {
  const std::int64_t at = (begins - t.start) * 16;
  const std::size_t probe = std::min<std::size_t>(source.size() / 2, 40'000);
  const std::size_t from = source.size() / 4;
  std::int64_t best = 0;
  double best_value = -1;
  for (std::int64_t lag = -100 * 16; lag <= 250 * 16; ++lag) {
    const std::int64_t i = at + lag + static_cast<std::int64_t>(from);
    if (i < 0 || i + static_cast<std::int64_t>(probe) > static_cast<std::int64_t>(t.samples.size())) continue;
    const double value = correlation(&t.samples[static_cast<std::size_t>(i)], &source[from], probe);
    if (value > best_value) {
      best_value = value;
      best = lag;
    }
  }
  const std::int64_t first = std::max<std::int64_t>(0, -(at + best));
  const std::int64_t n =
      std::min<std::int64_t>(static_cast<std::int64_t>(source.size()), static_cast<std::int64_t>(t.samples.size()) - at - best) -
      first;
  if (n <= 0) return {};
  return {correlation(&t.samples[static_cast<std::size_t>(at + best + first)], &source[static_cast<std::size_t>(first)],
                      static_cast<std::size_t>(n)),
          best / 16};
}

}  // namespace hansard::webrtc::test
