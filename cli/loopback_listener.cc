#include "cli/loopback_listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "core/base/encoding.h"
#include "core/base/text.h"

namespace hansard::cli {
namespace {

constexpr std::string_view kArea = "sign-in";
constexpr std::size_t kMaxRequest = 32 << 10;
/// Browsers open connections ahead and leave them silent.
constexpr std::size_t kMaxConnections = 32;

using Parameters = std::map<std::string, std::string>;

struct Connection {
  posix::Descriptor socket;
  std::string text;
};

std::unexpected<Error> failed(const char* what) {
  return fail(ErrorClass::kUnavailable, kArea, std::string("cannot ") + what + " on 127.0.0.1: " + std::strerror(errno));
}

std::string form_decode(std::string text) {
  std::replace(text.begin(), text.end(), '+', ' ');
  return sanitize_utf8(percent_decode(text));
}

/// The query of "GET /?... HTTP/1.1"; nothing when it is another request.
std::optional<Parameters> read_query(std::string_view request) {
  const std::string_view line = request.substr(0, request.find_first_of("\r\n"));
  if (!line.starts_with("GET /?")) return std::nullopt;
  std::string_view target = line.substr(6);
  target = target.substr(0, target.find(' '));
  Parameters out;
  for (const std::string_view pair : split(target, '&')) {
    const auto eq = pair.find('=');
    const std::string_view value = eq == std::string_view::npos ? std::string_view() : pair.substr(eq + 1);
    out.emplace(form_decode(std::string(pair.substr(0, eq))), form_decode(std::string(value)));
  }
  return out;
}

std::string page(std::string_view status, std::string_view sentence) {
  const std::string body = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>hansard</title><p>" +
                           std::string(sentence) + "</p></html>\n";
  return "HTTP/1.1 " + std::string(status) +
         "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
         "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\nConnection: close\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// The page is far smaller than a socket's buffer: it is sent at once or not at all.
void answer(Connection& connection, std::string_view status, std::string_view sentence) {
  const std::string text = page(status, sentence);
  (void)!::send(connection.socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(connection.socket.get(), SHUT_WR);
}

/// Reads what is there. False when the connection is of no more use.
bool read_more(Connection& connection) {
  char bytes[4096];
  const ssize_t n = ::recv(connection.socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  connection.text.append(bytes, static_cast<std::size_t>(n));
  return connection.text.size() <= kMaxRequest;
}

bool is_complete(const Connection& connection) { return connection.text.find("\r\n\r\n") != std::string::npos; }

/// Answers a whole request; its parameters when it is the one that was waited for.
std::optional<Parameters> settle(Connection& connection, std::string_view state) {
  auto query = read_query(connection.text);
  if (!query) {
    answer(connection, "404 Not Found", "There is nothing here.");
    return std::nullopt;
  }
  // Another page may send a browser here with a code of its own: only our own request has this state.
  if ((*query)["state"] != state) {
    answer(connection, "400 Bad Request", "This is not the sign-in that hansard waits for.");
    return std::nullopt;
  }
  if (query->contains("code")) {
    answer(connection, "200 OK", "hansard has the answer. Close this window and go back to the terminal.");
  } else {
    answer(connection, "200 OK", "The sign-in was not granted. Close this window and go back to the terminal.");
  }
  return query;
}

}  // namespace

Result<LoopbackListener> LoopbackListener::open(std::string_view host) {
  posix::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return failed("open a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), raw, size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) return failed("listen");
  if (::getsockname(socket.get(), raw, &size) != 0) return failed("listen");
  return LoopbackListener(std::move(socket), std::string(host), ntohs(address.sin_port));
}

std::string LoopbackListener::redirect_uri() const { return "http://" + host_ + ":" + std::to_string(port_) + "/"; }

Result<Parameters> LoopbackListener::wait(std::string_view state, Duration limit) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(limit.ms);
  std::vector<Connection> open;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return fail(ErrorClass::kCancelled, kArea, "nobody signed in in time; run the command again");
    std::vector<pollfd> polled{{socket_.get(), POLLIN, 0}};
    for (const Connection& c : open) polled.push_back({c.socket.get(), POLLIN, 0});
    if (::poll(polled.data(), polled.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0 && errno != EINTR) {
      return failed("wait");
    }
    for (std::size_t i = open.size(); i-- > 0;) {
      if (polled[i + 1].revents == 0) continue;
      const bool usable = read_more(open[i]);
      if (usable && !is_complete(open[i])) continue;
      auto found = usable ? settle(open[i], state) : std::nullopt;
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
      if (found) return std::move(*found);
    }
    while (true) {
      posix::Descriptor socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket) break;
      if (open.size() >= kMaxConnections) open.erase(open.begin());
      open.push_back({std::move(socket), {}});
    }
  }
}

}  // namespace hansard::cli
