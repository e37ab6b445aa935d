#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "adapters/curl/guard.h"
#include "adapters/curl/http_client.h"
#include "ports/poll_loop.h"

namespace hansard {
namespace {

bool private_v4(const char* text) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  EXPECT_EQ(::inet_pton(AF_INET, text, &a.sin_addr), 1);
  return is_private_address(reinterpret_cast<sockaddr*>(&a));
}
bool private_v6(const char* text) {
  sockaddr_in6 a{};
  a.sin6_family = AF_INET6;
  EXPECT_EQ(::inet_pton(AF_INET6, text, &a.sin6_addr), 1);
  return is_private_address(reinterpret_cast<sockaddr*>(&a));
}

TEST(AddressGuard, KnowsPrivateAddresses) {
  for (const char* a : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
                        "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1"}) {
    EXPECT_TRUE(private_v4(a)) << a;
  }
  for (const char* a : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "1.1.1.1", "192.169.0.1"}) EXPECT_FALSE(private_v4(a)) << a;
  for (const char* a : {"::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::127.0.0.1",
                        "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1"}) {
    EXPECT_TRUE(private_v6(a)) << a;
  }
  for (const char* a : {"2606:4700::1111", "::ffff:8.8.8.8", "2a00:1450::1"}) EXPECT_FALSE(private_v6(a)) << a;
}

TEST(AddressGuard, ReadsUrls) {
  EXPECT_EQ(read_url("webcal://Example.org/x.ics")->origin(), "https://example.org:443");
  EXPECT_EQ(read_url("http://[::1]:80/x")->host, "::1");
  for (const char* bad : {"file:///etc/passwd", "gopher://x/", "http://", "http://u:p@x/", "http://x:99999/", "http://x\\@y/",
                          "x", "http://a b/"}) {
    EXPECT_FALSE(read_url(bad)) << bad;
  }
  EXPECT_EQ(*resolve_location("http://h/a/b?x=1", "c"), "http://h/a/c");
  EXPECT_EQ(*resolve_location("http://h/a/b", "/c"), "http://h/c");
  EXPECT_EQ(*resolve_location("https://h/a", "//g/d"), "https://g/d");
  EXPECT_FALSE(resolve_location("http://h/a", "file:///etc/passwd"));
}

/// Answers one prepared text to each connection.
class OneShotServer {
 public:
  explicit OneShotServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd_, reinterpret_cast<sockaddr*>(&a), sizeof a);
    ::listen(fd_, 8);
    socklen_t n = sizeof a;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &n);
    port = ntohs(a.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneShotServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  int port = 0;
  std::vector<std::string> requests;

 private:
  void serve() {
    for (const auto& answer : answers_) {
      const int c = ::accept(fd_, nullptr, nullptr);
      if (c < 0) return;
      char buffer[4096];
      const ssize_t n = ::read(c, buffer, sizeof buffer);
      requests.emplace_back(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
      (void)!::write(c, answer.data(), answer.size());
      ::close(c);
    }
  }
  std::vector<std::string> answers_;
  int fd_ = -1;
  std::thread thread_;
};

Result<HttpResponse> get(const std::string& url, std::vector<std::string> allowed, std::size_t max_bytes = 1 << 20) {
  PollLoop loop;
  CurlClient client(loop, {.allowed_hosts = std::move(allowed)});
  std::optional<Result<HttpResponse>> answer;
  client.send({.url = url, .timeout = seconds(5), .max_bytes = max_bytes},
              [&](Result<HttpResponse> r) { answer = std::move(r); });
  EXPECT_TRUE(loop.run_until([&] { return answer.has_value(); }));
  return *answer;
}

TEST(CurlClient, ReadsAnAllowedHostAndItsHeaders) {
  OneShotServer server({"HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 2\r\n\r\nhi"});
  const auto answer = get("http://127.0.0.1:" + std::to_string(server.port) + "/a", {"127.0.0.1"});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hi");
  EXPECT_EQ(answer->headers[0], (std::pair<std::string, std::string>("etag", "\"x\"")));
}

TEST(CurlClient, RefusesPrivateAddressesAlsoByName) {
  EXPECT_EQ(get("http://127.0.0.1:9/", {}).error().code, ErrorClass::kDenied);
  EXPECT_EQ(get("http://localhost:9/", {}).error().code, ErrorClass::kDenied);
  EXPECT_EQ(get("http://127.0.0.1:9/", {"127.0.0.1:10"}).error().code, ErrorClass::kDenied);
}

TEST(CurlClient, ChecksWhereARedirectLeads) {
  OneShotServer server({"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:9/secret\r\nContent-Length: 0\r\n\r\n"});
  const std::string host = "127.0.0.1:" + std::to_string(server.port);
  EXPECT_EQ(get("http://" + host + "/a", {host}).error().code, ErrorClass::kDenied);
}

TEST(CurlClient, FollowsARedirectOnAnAllowedHost) {
  OneShotServer server(
      {"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"});
  const auto answer = get("http://127.0.0.1:" + std::to_string(server.port) + "/a", {"127.0.0.1"});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "b");
}

TEST(CurlClient, StopsAtTheLimitAndSaysWhatToCheck) {
  OneShotServer server({"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x')});
  EXPECT_EQ(get("http://127.0.0.1:" + std::to_string(server.port) + "/", {"127.0.0.1"}, 100).error().code,
            ErrorClass::kExhausted);
  const auto dead = get("http://127.0.0.1:1/", {"127.0.0.1"});
  EXPECT_EQ(dead.error().code, ErrorClass::kUnavailable);
  EXPECT_NE(dead.error().detail.find("nothing answers"), std::string::npos);
  EXPECT_EQ(get("file:///etc/passwd", {}).error().code, ErrorClass::kInvalid);
}

TEST(CurlClient, RequestsBeyondTheLimitWaitTheirTurn) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  OneShotServer server(std::vector<std::string>(20, answer));
  PollLoop loop;
  CurlClient client(loop, {.allowed_hosts = {"127.0.0.1"}, .max_requests = 2, .max_waiting = 18});
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port) + "/";
  int good = 0, refused = 0;
  for (int i = 0; i < 25; ++i) {
    client.send({.url = url + std::to_string(i), .timeout = seconds(20)}, [&](const Result<HttpResponse>& r) {
      r ? ++good : ++refused;
      EXPECT_TRUE(r || r.error().detail.find("too many requests") != std::string::npos);
    });
  }
  EXPECT_TRUE(loop.run_until([&] { return good + refused == 25; }));
  EXPECT_EQ(good, 20);
  EXPECT_EQ(refused, 5);
  // In order, but for the two that run at the same time.
  ASSERT_EQ(server.requests.size(), 20u);
  EXPECT_NE(server.requests.back().find("GET /1"), std::string::npos);
}

TEST(CurlClient, SaysThatAnAnswerIsDamagedOrBrokenOff) {
  OneShotServer server({"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nnogzi",
                        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf"});
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port) + "/";
  EXPECT_NE(get(url, {"127.0.0.1"}).error().detail.find("compression"), std::string::npos);
  EXPECT_NE(get(url, {"127.0.0.1"}).error().detail.find("broke off"), std::string::npos);
}

}  // namespace
}  // namespace hansard
