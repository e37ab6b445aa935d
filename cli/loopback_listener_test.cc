#include "cli/loopback_listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>
#include <optional>
#include <vector>

#include "cli/http_request.h"

namespace hansard::cli {
namespace {

std::uint16_t port_of(const LoopbackListener& listener) {
  const std::string uri = listener.redirect_uri();
  return static_cast<std::uint16_t>(std::stoi(uri.substr(uri.rfind(':') + 1)));
}

LocalReply get(std::uint16_t port, const std::string& path, const std::string& method = "GET") {
  const auto reply = local_request({"127.0.0.1", port, method, path, {}, {}});
  return reply ? *reply : LocalReply{};
}

class LoopbackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = LoopbackListener::open();
    ASSERT_TRUE(opened) << opened.error().detail;
    listener.emplace(std::move(*opened));
    port = port_of(*listener);
    answer = std::async(std::launch::async, [this] { return listener->wait("s t", seconds(20)); });
  }
  std::optional<LoopbackListener> listener;
  std::uint16_t port = 0;
  std::future<Result<std::map<std::string, std::string>>> answer;
};

TEST_F(LoopbackTest, TakesTheAnswerWithItsStateAndNothingElse) {
  EXPECT_EQ(get(port, "/favicon.ico").status, 404);
  EXPECT_EQ(get(port, "/other?code=x&state=s%20t").status, 404);
  EXPECT_EQ(get(port, "/?code=x&state=s%20t", "POST").status, 404);
  const auto forged = get(port, "/?code=evil&state=wrong");
  EXPECT_EQ(forged.status, 400);
  EXPECT_EQ(forged.body.find("evil"), std::string::npos);
  EXPECT_EQ(get(port, "/?code=evil").status, 400);
  const auto page = get(port, "/?state=s+t&code=4%2F0Ab%3D&scope=a%20b&code=second");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("go back to the terminal"), std::string::npos);
  EXPECT_EQ(page.body.find("4/0Ab"), std::string::npos);
  const auto found = answer.get();
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ(found->at("code"), "4/0Ab=");
  EXPECT_EQ(found->at("scope"), "a b");
}

TEST_F(LoopbackTest, ARefusalIsAnAnswerToo) {
  EXPECT_EQ(get(port, "/?error=access_denied&state=s%20t").status, 200);
  const auto found = answer.get();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at("error"), "access_denied");
  EXPECT_FALSE(found->contains("code"));
}

TEST_F(LoopbackTest, SilentConnectionsAndLongRequestsDoNotBlock) {
  // A browser's connection ahead of its first request.
  std::vector<posix::Descriptor> silent;
  for (int i = 0; i < 40; ++i) {
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    ASSERT_EQ(::connect(silent.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_EQ(get(port, "/" + std::string(40 << 10, 'x')).status, 0);
  EXPECT_EQ(get(port, "/?code=1&state=s%20t").status, 200);
  EXPECT_TRUE(answer.get());
}

TEST(LoopbackListener, NobodyCame) {
  auto listener = LoopbackListener::open("localhost");
  ASSERT_TRUE(listener);
  EXPECT_EQ(listener->redirect_uri().rfind("http://localhost:", 0), 0u);
  const auto found = listener->wait("s", milliseconds(30));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorClass::kCancelled);
  EXPECT_NE(found.error().detail.find("run the command again"), std::string::npos);
}

}  // namespace
}  // namespace hansard::cli
