#include "daemon/live.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/text.h"
#include "daemon/http_server.h"
#include "daemon/testing.h"

namespace hansard {
namespace {

class LiveTest : public StoreTest {
 protected:
  /// Commits and publishes one utterance, as the engine does.
  void say(LiveHub& hub, const std::string& id) {
    const auto record = utterance(id, "word " + id);
    const auto seq = commit("m1", meeting::State::kRecording, {record});
    hub.publish(host::LiveRecord{seq, "m1", {0}, record});
  }
  static std::vector<std::string> ids_in(const std::string& text) {
    std::vector<std::string> out;
    for (const auto line : split(text, '\n')) {
      if (line.starts_with("id: ")) out.emplace_back(line.substr(4));
    }
    return out;
  }
  static std::string all(LiveHub& hub, LiveHub::ViewerId viewer) {
    std::string out;
    while (true) {
      const auto piece = hub.next(viewer);
      EXPECT_TRUE(piece);
      if (!piece || piece->empty()) return out;
      out += *piece;
    }
  }
};

TEST_F(LiveTest, AViewerGetsEveryRowOnceFromWhereItWas) {
  for (int i = 0; i < 350; ++i) commit("m1", meeting::State::kRecording, {utterance("u" + std::to_string(i), "old")});
  LiveHub hub(*store, 350);
  int woken = 0;
  const auto viewer = hub.add(100, [&] { ++woken; });
  for (int i = 0; i < 700; ++i) say(hub, "n" + std::to_string(i));
  EXPECT_EQ(woken, 700);
  const auto ids = ids_in(all(hub, viewer));
  ASSERT_EQ(ids.size(), 950u);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], std::to_string(101 + i));
  // Another one that comes late with a number from the future of a restored store still hears what is new.
  const auto late = hub.add(1u << 30, [] {});
  say(hub, "last");
  EXPECT_EQ(ids_in(all(hub, late)), std::vector<std::string>{"1051"});
}

TEST_F(LiveTest, PartialsHaveNoNumberAndGiveWayToFinals) {
  LiveHub hub(*store, 0);
  const auto viewer = hub.add(0, [] {});
  hub.publish(host::LivePartial{"m1", "p1", "Ann", {0}, {500}, "hel"});
  hub.publish(host::LivePartial{"m1", "p1", "Ann", {0}, {700}, "hello"});
  const std::string one = all(hub, viewer);
  EXPECT_EQ(one.find("id:"), std::string::npos);
  EXPECT_EQ(one.find("\"hel\""), std::string::npos);
  EXPECT_NE(one.find("event: utterance.partial\ndata: {"), std::string::npos);
  hub.publish(host::LivePartial{"m1", "p1", "Ann", {0}, {900}, "hello wor"});
  say(hub, "u1");
  EXPECT_EQ(all(hub, viewer).find("partial"), std::string::npos);
}

/// A browser's side of the stream, on the same thread as the server.
class Viewer {
 public:
  Viewer(AsioLoop& loop, std::uint16_t port, const std::string& head) : loop_(loop) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons(port);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    EXPECT_EQ(::send(fd_, head.data(), head.size(), MSG_NOSIGNAL), static_cast<ssize_t>(head.size()));
  }
  ~Viewer() { ::close(fd_); }
  /// Reads until `what` is in the text, or the other side closed (false).
  bool until(const std::string& what) {
    for (int i = 0; i < 2000; ++i) {
      if (text.find(what) != std::string::npos) return true;
      loop_.turn(milliseconds(5));
      char bytes[4096];
      const ssize_t n = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
      if (n > 0) text.append(bytes, static_cast<std::size_t>(n));
      if (n == 0) {
        closed = true;
        return text.find(what) != std::string::npos;
      }
    }
    return false;
  }
  std::string text;
  bool closed = false;

 private:
  AsioLoop& loop_;
  int fd_ = -1;
};

class ServerTest : public LiveTest {
 protected:
  void SetUp() override {
    LiveTest::SetUp();
    hub.emplace(*store, 0);
    server.emplace(loop, *hub);
    const auto bound = server->listen("127.0.0.1", 0);
    ASSERT_TRUE(bound);
    port = *bound;
    host = "127.0.0.1:" + std::to_string(port);
    server->serve({*store,
                   "0123456789abcdef",
                   {host},
                   [] { return Json::object(); },
                   [this] { return hub->last_seq(); },
                   [](const Json&) -> Result<std::string> { return std::string("m"); },
                   [](const std::string&, flow::Event) { return true; },
                   [](const std::string& source, const calendar::PushRequest& request) {
                     return calendar::PushAnswer{200, "text/plain",
                                                 source + ":" + std::to_string(request.body.size()) + ":" +
                                                     std::string(find_header(request.headers, "X-Own"))};
                   }});
  }
  void TearDown() override {
    server.reset();
    hub.reset();
    LiveTest::TearDown();
  }
  std::string head(const std::string& target, const std::string& more = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer 0123456789abcdef\r\n" + more + "\r\n";
  }

  AsioLoop loop;
  std::optional<LiveHub> hub;
  std::optional<HttpServer> server;
  std::uint16_t port = 0;
  std::string host;
};

TEST_F(ServerTest, AStreamEndsAndIsResumedWithoutLossOrRepeat) {
  say(*hub, "u1");
  {
    Viewer viewer(loop, port, head("/api/events?after=0"));
    ASSERT_TRUE(viewer.until("word u1"));
    EXPECT_NE(viewer.text.find("text/event-stream"), std::string::npos);
    EXPECT_NE(viewer.text.find("nosniff"), std::string::npos);
    EXPECT_NE(viewer.text.find("default-src 'none'"), std::string::npos);
    say(*hub, "u2");
    ASSERT_TRUE(viewer.until("word u2"));
  }
  say(*hub, "u3");
  say(*hub, "u4");
  Viewer again(loop, port, head("/api/events", "Last-Event-ID: 2\r\n"));
  ASSERT_TRUE(again.until("word u4"));
  EXPECT_EQ(ids_in(again.text), (std::vector<std::string>{"3", "4"}));
  // The first viewer's end is noticed.
  for (int i = 0; i < 500 && hub->viewers() > 1; ++i) loop.turn(milliseconds(5));
  EXPECT_EQ(hub->viewers(), 1u);
}

TEST_F(ServerTest, AnswersSeveralRequestsOnAConnectionAndRefusesWhatIsNone) {
  Viewer viewer(loop, port, head("/healthz") + head("/api/status"));
  ASSERT_TRUE(viewer.until("{}"));
  EXPECT_NE(viewer.text.find("{\"ok\":true}"), std::string::npos);
  Viewer garbage(loop, port, "\x16\x03\x01 not http\r\n\r\n");
  EXPECT_TRUE(garbage.until("400"));
  Viewer large(loop, port, head("/healthz", "X-Long: " + std::string(20'000, 'x') + "\r\n"));
  EXPECT_TRUE(large.until("431"));
  Viewer body(loop, port, "POST /api/meetings HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 999999\r\n\r\n");
  EXPECT_TRUE(body.until("413"));
}

TEST_F(ServerTest, APushMayBeLargerThanARequestAndKeepsItsHeaders) {
  const std::string rest =
      " HTTP/1.1\r\nHost: push.example.org\r\nX-Own: yes\r\nContent-Length: 80000\r\n\r\n" + std::string(80'000, 'x');
  Viewer push(loop, port, "POST /hooks/calendar/work" + rest);
  EXPECT_TRUE(push.until("work:80000:yes"));
  Viewer request(loop, port, "POST /api/meetings" + rest);
  EXPECT_TRUE(request.until("413"));
  Viewer large(loop, port, "POST /hooks/calendar/work HTTP/1.1\r\nHost: h\r\nContent-Length: 262145\r\n\r\n");
  EXPECT_TRUE(large.until("413"));
}

TEST_F(ServerTest, APortInUseIsSaid) {
  HttpServer other(loop, *hub);
  const auto bound = other.listen("127.0.0.1", port);
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, ErrorClass::kConflict);
  EXPECT_NE(bound.error().detail.find("in use"), std::string::npos);
  EXPECT_EQ(other.listen("nowhere", 0).error().code, ErrorClass::kInvalid);
}

}  // namespace
}  // namespace hansard
