// Room, publisher and capture as processes over loopback, on real speech.
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
#include "ipc/messages.h"
#include "ipc/pipe.h"
#include "ipc/process.h"

namespace hansard::webrtc {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string program() { return ipc::self_executable()->substr(0, ipc::self_executable()->rfind('/')) + "/hansard_media_child"; }

std::int64_t unix_now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Recorded speech of 7 s, or empty when none is installed.
std::string speech_file() {
  for (const char* path : {"/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav", ".cache/samples/pyannote/sample.wav"}) {
    if (fs::exists(path)) return path;
  }
  return "";
}

std::vector<std::int16_t> samples_of(const std::string& file) {
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

double correlation(const std::int16_t* x, const std::int16_t* y, std::size_t n) {
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
std::pair<int, std::string> http(unsigned port, const std::string& method, const std::string& path, const std::string& body = "",
                                 const std::string& headers = "") {
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
    char pattern[] = "/tmp/hansard-room-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    std::vector<std::string> args{"room", "--listen", "127.0.0.1:0", "--port-file", (directory_ / "port").string(), "--static", directory_.string()};
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

  explicit Bot(std::uint32_t credit = 1 << 22, std::vector<std::string> args = {"capture", "--fd", "3"}) : child(args), credit_(credit) {
    if (credit > 0) send(ipc::Credit{credit});
  }
  void send(const ipc::ToMedia& m) { child.pipe->send(m); }
  void join(const std::string& url) { send(ipc::Join{"m", url, "", "hansard (records)"}); }
  void capture() {
    origin = unix_now_ms();
    send(ipc::Capture{{origin}});
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
Fit fit(const Bot::Track& t, const std::vector<std::int16_t>& source, std::int64_t begins) {
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
  const std::int64_t n = std::min<std::int64_t>(static_cast<std::int64_t>(source.size()), static_cast<std::int64_t>(t.samples.size()) - at - best) - first;
  if (n <= 0) return {};
  return {correlation(&t.samples[static_cast<std::size_t>(at + best + first)], &source[static_cast<std::size_t>(first)], static_cast<std::size_t>(n)),
          best / 16};
}

class MediaProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
    file = speech_file();
    if (file.empty()) GTEST_SKIP() << "no recorded speech: install pocketsphinx-testdata";
  }
  std::vector<std::string> publish(const RoomProcess& room, const std::string& name, std::int64_t start_at, std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"publish", "--whip", room.url("/rooms/demo/whip"), "--file", file, "--name", name, "--start-at", std::to_string(start_at)};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  std::string file;
};

TEST_F(MediaProcesses, TwoParticipantsAreHeardWholeAndInTime) {
  RoomProcess room;
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  EXPECT_EQ(bot.statuses.back().announced, "display_name");
  EXPECT_NE(http(room.port, "GET", "/rooms/demo").second.find("hansard (records)"), std::string::npos);
  bot.capture();
  const std::int64_t start = unix_now_ms() + 8000;  // time enough to connect on a busy machine
  Child ada(publish(room, "Ada", start));
  Child bob(publish(room, "Bob", start + 500, {"--volume", "50"}));
  ASSERT_TRUE(bot.until([&] { return bot.present("ada") && bot.present("bob"); }, 15));
  EXPECT_EQ(bot.participants["ada"].name, "Ada");
  ASSERT_TRUE(bot.until([&] { return !bot.present("ada") && !bot.present("bob"); }, 40));
  EXPECT_EQ(ada.wait(), 0);
  EXPECT_EQ(bob.wait(), 0);
  const auto source = samples_of(file);
  for (const auto& [id, begins] : std::map<std::string, std::int64_t>{{"ada", start}, {"bob", start + 500}}) {
    const Bot::Track* t = bot.track_of(id);
    ASSERT_NE(t, nullptr) << id;
    const Fit f = fit(*t, source, begins - bot.origin);
    std::printf("%s: correlation %.3f, %lld ms late\n", id.c_str(), f.correlation, static_cast<long long>(f.late_ms));
    EXPECT_GT(f.correlation, 0.9);
    EXPECT_LE(std::abs(f.late_ms), 100);
    EXPECT_EQ(t->closed, t->end());
  }
  bot.send(ipc::Leave{});
  EXPECT_TRUE(bot.until_state(ipc::MediaState::kLeft));
  EXPECT_EQ(bot.child.wait(), 0);
  EXPECT_EQ(http(room.port, "GET", "/rooms/demo").second.find("hansard (records)"), std::string::npos);
}

TEST_F(MediaProcesses, SilenceThatWasNotSentIsNoLoss) {
  RoomProcess room;
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  // Three seconds of silence under DTX before and after the speech.
  const std::int64_t start = unix_now_ms() + 8000;  // time enough to connect on a busy machine
  Child ada(publish(room, "Ada", start, {"--dtx", "--tail-ms", "3000"}));
  ASSERT_TRUE(bot.until([&] { return bot.present("ada"); }, 15));
  ASSERT_TRUE(bot.until([&] { return !bot.present("ada"); }, 40));
  const Bot::Track* t = bot.track_of("ada");
  ASSERT_NE(t, nullptr);
  std::int64_t unsent = 0;
  for (const auto& g : t->gaps) {
    if (g.reason != "connecting") {
      EXPECT_FALSE(g.lost) << g.reason << " " << g.start.ms << " to " << g.end.ms;
    }
    if (!g.lost) unsent += g.end.ms - g.start.ms;
  }
  EXPECT_GT(unsent, 3000);
  const Fit f = fit(*t, samples_of(file), start - bot.origin);
  std::printf("with DTX: correlation %.3f, %lld ms late, %lld ms not sent\n", f.correlation, static_cast<long long>(f.late_ms),
              static_cast<long long>(unsent));
  EXPECT_GT(f.correlation, 0.9);
  EXPECT_LE(std::abs(f.late_ms), 100);
}

TEST_F(MediaProcesses, AStalledPublisherDoesNotStallTheOther) {
  RoomProcess room;
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms(), {"--loop"}));
  Child bob(publish(room, "Bob", unix_now_ms(), {"--loop"}));
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada") != nullptr && bot.track_of("bob") != nullptr; }, 20));
  ::kill(bob.pid, SIGSTOP);
  const std::int64_t stopped = unix_now_ms() - bot.origin;
  // The room drops the dead publisher after ten seconds; the other is heard all the time.
  ASSERT_TRUE(bot.until([&] { return !bot.present("bob"); }, 20));
  EXPECT_TRUE(bot.present("ada"));
  for (const auto& g : bot.track_of("ada")->gaps) EXPECT_LT(g.end.ms, stopped) << g.reason;
  EXPECT_GT(bot.track_of("ada")->end(), unix_now_ms() - bot.origin - 500);
}

TEST_F(MediaProcesses, AnInjectedOutageIsFoundWhereItWas) {
  RoomProcess room({"--faults"});
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms()));
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada") != nullptr; }, 15));
  // Two outages: one shorter than the filler's delay, one longer.
  std::vector<std::pair<std::int64_t, std::int64_t>> injected;
  for (const int ms : {160, 1200}) {
    const std::int64_t resume = bot.track_of("ada")->end() + 600;
    ASSERT_TRUE(bot.until([&] { return bot.track_of("ada")->end() >= resume; }, 10));
    const auto [status, body] = http(room.port, "POST", "/rooms/demo/participants/ada/outage?ms=" + std::to_string(ms));
    ASSERT_EQ(status, 200);
    const auto json = Json::parse(body);
    injected.emplace_back(json->int_or("from_unix_ms", 0) - bot.origin, json->int_or("until_unix_ms", 0) - bot.origin);
    ASSERT_TRUE(bot.until([&] { return bot.track_of("ada")->end() >= injected.back().second + 600; }, 10));
  }
  for (const auto& [from, until] : injected) {
    bool found = false;
    for (const auto& g : bot.track_of("ada")->gaps) {
      if (g.lost && g.reason == "network" && std::abs(g.start.ms - from) <= 100 && std::abs(g.end.ms - until) <= 100) found = true;
    }
    EXPECT_TRUE(found) << from << " to " << until;
  }
}

TEST_F(MediaProcesses, DroppedPacketsAreFoundOneByOne) {
  RoomProcess room({"--faults", "--drop", "5", "--seed", "7"});
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot;
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms() + 1500, {"--no-fec"}));
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada") != nullptr; }, 15));
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada")->end() - bot.track_of("ada")->start > 6000; }, 20));
  const auto json = Json::parse(http(room.port, "GET", "/rooms/demo/participants/ada/faults").second);
  ASSERT_TRUE(json);
  int checked = 0;
  const Bot::Track& t = *bot.track_of("ada");
  for (const Json& d : (*json)["dropped"].items()) {
    const std::int64_t at = d.int_or("at_unix_ms", 0) - bot.origin;
    if (at < t.start + 200 || at > t.end() - 500) continue;
    ++checked;
    bool found = false;
    for (const auto& g : t.gaps) found = found || (g.lost && g.start.ms - 100 <= at && at <= g.end.ms + 100);
    EXPECT_TRUE(found) << "a packet dropped at " << at;
  }
  EXPECT_GT(checked, 5);
}

TEST_F(MediaProcesses, AReaderWithoutCreditLosesTheOldestAndIsTold) {
  RoomProcess room;
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot bot(0);
  bot.join(room.url("/rooms/demo"));
  ASSERT_TRUE(bot.until_state(ipc::MediaState::kInCall));
  bot.capture();
  Child ada(publish(room, "Ada", unix_now_ms()));
  ASSERT_TRUE(bot.until([&] { return !bot.tracks.empty(); }, 15));
  const std::int64_t opened = unix_now_ms();
  bot.until([&] { return unix_now_ms() - opened > 4000; }, 6);  // time has to pass for audio to pile up
  EXPECT_TRUE(bot.tracks.begin()->second.samples.empty());
  bot.send(ipc::Credit{1 << 22});
  ASSERT_TRUE(bot.until([&] { return bot.track_of("ada") != nullptr; }, 10));
  const Bot::Track& t = *bot.track_of("ada");
  bool overload = false;
  for (const auto& g : t.gaps) overload = overload || (g.reason == "overload" && g.lost && g.end.ms - g.start.ms > 500);
  EXPECT_TRUE(overload);
}

TEST_F(MediaProcesses, TheLobbyKeepsTheBotWaiting) {
  RoomProcess room({"--lobby"});
  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  for (const bool admit : {true, false}) {
    Bot bot;
    bot.join(room.url("/rooms/demo"));
    ASSERT_TRUE(bot.until_state(ipc::MediaState::kWaitingRoom));
    const auto list = Json::parse(http(room.port, "GET", "/rooms/demo/viewers").second);
    ASSERT_TRUE(list);
    ASSERT_FALSE((*list)["viewers"].items().empty());
    const std::string id = (*list)["viewers"].items().back().text_or("id");
    ASSERT_EQ(http(room.port, "POST", "/rooms/demo/viewers/" + id + (admit ? "/admit" : "/deny")).first, 200);
    EXPECT_TRUE(bot.until_state(admit ? ipc::MediaState::kInCall : ipc::MediaState::kDenied));
    http(room.port, "DELETE", "/rooms/demo/viewers/" + id);
    if (admit) {
      EXPECT_TRUE(bot.until([&] { return bot.statuses.back().code == "removed"; }, 10));
    }
  }
}

TEST_F(MediaProcesses, EndsAreToldApart) {
  RoomProcess room;
  Bot missing;
  missing.join(room.url("/rooms/nowhere"));
  ASSERT_TRUE(missing.until_state(ipc::MediaState::kFailed));
  EXPECT_EQ(missing.statuses.back().code, "meeting_not_found");

  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  Bot ended;
  Bot lost;
  ended.join(room.url("/rooms/demo"));
  ASSERT_TRUE(ended.until_state(ipc::MediaState::kInCall));
  ASSERT_EQ(http(room.port, "DELETE", "/rooms/demo").first, 200);
  EXPECT_TRUE(ended.until_state(ipc::MediaState::kEnded));

  ASSERT_EQ(http(room.port, "PUT", "/rooms/demo").first, 201);
  lost.join(room.url("/rooms/demo"));
  ASSERT_TRUE(lost.until_state(ipc::MediaState::kInCall));
  room.kill();
  const auto killed = Clock::now();
  EXPECT_TRUE(lost.until_state(ipc::MediaState::kLost));
  EXPECT_LT(Clock::now() - killed, std::chrono::seconds(6));

  Bot unreachable;
  unreachable.join(room.url("/rooms/demo"));
  EXPECT_TRUE(unreachable.until_state(ipc::MediaState::kLost));
}

TEST_F(MediaProcesses, TheRoomRefusesWhatIsWrong) {
  RoomProcess room;
  const std::string sdp = "Content-Type: application/sdp\r\n";
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/whip?name=A", "v=0\r\nnonsense", sdp).first, 400);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/whip?name=A", "x", "Content-Type: text/plain\r\n").first, 415);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/whip?name=A", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:x\r\n", sdp).first, 422);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/whip?name=A", std::string(70'000, 'x'), sdp).first, 413);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/participants/nobody/whep", "v=0", sdp).first, 404);
  EXPECT_EQ(http(room.port, "DELETE", "/rooms/demo/whip/unknown").first, 404);
  EXPECT_EQ(http(room.port, "PATCH", "/rooms/demo/whip/unknown").first, 405);
  EXPECT_EQ(http(room.port, "GET", "/rooms/bad%20name").first, 400);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/viewers", "{").first, 400);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo", "", "Origin: https://example.com\r\n").first, 403);
  EXPECT_EQ(http(room.port, "POST", "/rooms/demo/participants/a/outage?ms=1").first, 404);  // without --faults
  std::ofstream(room.directory() / "a.ics") << "BEGIN:VCALENDAR\r\n";
  EXPECT_EQ(http(room.port, "GET", "/static/a.ics"), (std::pair<int, std::string>{200, "BEGIN:VCALENDAR\r\n"}));
  EXPECT_GE(http(room.port, "GET", "/static/..%2Fport").first, 400);
  EXPECT_GE(http(room.port, "GET", "/static/../port").first, 400);
  EXPECT_EQ(http(room.port, "GET", "/static/missing").first, 404);
}

TEST_F(MediaProcesses, DecodesAFileAndRefusesWhatIsNone) {
  Bot good(1 << 22, {"decode", file, "--fd", "3"});
  ASSERT_TRUE(good.until([&] { return !good.tracks.empty() && good.tracks[1].closed >= 0; }, 30));
  EXPECT_EQ(good.child.wait(), 0);
  const auto source = samples_of(file);
  ASSERT_TRUE(good.info);
  EXPECT_NEAR(static_cast<double>(good.info->duration.ms), static_cast<double>(source.size()) / 16, 20);
  EXPECT_EQ(good.tracks[1].start, 0);
  EXPECT_EQ(good.tracks[1].closed, good.tracks[1].end());
  ASSERT_GE(good.tracks[1].samples.size(), source.size());
  EXPECT_TRUE(std::equal(source.begin(), source.end(), good.tracks[1].samples.begin()));

  for (const auto& [path, words] : std::map<std::string, std::string>{{"/nonexistent.wav", "no such file"}, {"/", "folder"}, {"CMakeLists.txt", "no audio or video"}}) {
    Bot bad(1 << 22, {"decode", path, "--fd", "3"});
    ASSERT_TRUE(bad.until_state(ipc::MediaState::kFailed)) << path;
    EXPECT_NE(bad.statuses.back().vendor_code.find(words), std::string::npos) << bad.statuses.back().vendor_code;
    EXPECT_EQ(bad.statuses.back().vendor_code.find('\n'), std::string::npos);
    EXPECT_EQ(bad.child.wait(), 1);
  }
}

}  // namespace
}  // namespace hansard::webrtc
