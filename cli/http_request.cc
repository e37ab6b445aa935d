#include "cli/http_request.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/text.h"

namespace hansard::cli {
namespace {

constexpr int kConnectMs = 3000;
constexpr int kAnswerMs = 30'000;
constexpr int kTickMs = 200;

std::unexpected<Error> unavailable(std::string detail) { return fail(ErrorClass::kUnavailable, "http", std::move(detail)); }

class Connection {
 public:
  ~Connection() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<void> open(const std::string& address, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
      return unavailable("'" + address + "' is not an address");
    fd_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{kConnectMs / 1000, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int r = fd_ < 0 ? -1 : ::connect(fd_, found->ai_addr, found->ai_addrlen);
    const int error = errno;
    ::freeaddrinfo(found);
    if (r != 0)
      return unavailable("nothing answers at " + address + " port " + std::to_string(port) + ": " + std::strerror(error));
    return {};
  }

  Result<void> send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return unavailable("the connection broke off");
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  /// More bytes into `buffer`: 1 some, 0 the end, -1 nothing within the time.
  int read(std::string& buffer, int limit_ms) {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, limit_ms) <= 0) return -1;
    char bytes[16384];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return 0;
    buffer.append(bytes, static_cast<std::size_t>(n));
    return 1;
  }

 private:
  int fd_ = -1;
};

std::string head_of(const LocalRequest& r) {
  const std::string host =
      (r.address.find(':') != std::string::npos ? "[" + r.address + "]" : r.address) + ":" + std::to_string(r.port);
  std::string out = r.method + " " + r.path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : r.headers) out += name + ": " + value + "\r\n";
  if (!r.body.empty() || r.method == "POST" || r.method == "PUT")
    out += "Content-Length: " + std::to_string(r.body.size()) + "\r\n";
  return out + "\r\n" + r.body;
}

struct Head {
  int status = 0;
  std::size_t length = std::string::npos;  ///< npos: until the end
  bool chunked = false;
};

/// Reads until the head is complete and takes it off the buffer.
Result<Head> read_head(Connection& connection, std::string& buffer) {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (buffer.size() > 65536 || connection.read(buffer, kAnswerMs) <= 0) return unavailable("no answer came");
  }
  Head head;
  std::int64_t status = 0;
  if (buffer.size() < 12 || !parse_digits(std::string_view(buffer).substr(9, 3), status))
    return unavailable("the answer is not HTTP");
  head.status = static_cast<int>(status);
  for (const auto raw : split(std::string_view(buffer).substr(0, end), '\n')) {
    const auto line = trim(raw);
    std::int64_t n = 0;
    if (starts_with_ignore_case(line, "content-length:") && parse_digits(trim(line.substr(15)), n))
      head.length = static_cast<std::size_t>(n);
    if (starts_with_ignore_case(line, "transfer-encoding:") && find_ignore_case(line, "chunked") != std::string_view::npos)
      head.chunked = true;
  }
  buffer.erase(0, end + 4);
  return head;
}

std::string unchunk(std::string_view body) {
  std::string out;
  while (!body.empty()) {
    const auto eol = body.find("\r\n");
    if (eol == std::string_view::npos) break;
    const std::size_t n = std::strtoul(std::string(body.substr(0, eol)).c_str(), nullptr, 16);
    if (n == 0 || eol + 2 + n > body.size()) break;
    out += body.substr(eol + 2, n);
    body.remove_prefix(std::min(body.size(), eol + 2 + n + 2));
  }
  return out;
}

}  // namespace

Result<LocalReply> local_request(const LocalRequest& request) {
  Connection connection;
  if (auto r = connection.open(request.address, request.port); !r) return pass(r);
  if (auto r = connection.send(head_of(request)); !r) return pass(r);
  std::string buffer;
  auto head = read_head(connection, buffer);
  if (!head) return pass(head);
  const bool no_body = request.method == "HEAD" || head->status == 204 || head->status == 304;
  while (!no_body && buffer.size() < head->length) {
    const int r = connection.read(buffer, kAnswerMs);
    if (r < 0 || (r == 0 && head->length != std::string::npos)) return unavailable("the answer broke off");
    if (r == 0) break;
  }
  return LocalReply{head->status, head->chunked ? unchunk(buffer) : buffer};
}

Result<void> local_stream(const LocalRequest& request, const std::function<bool(std::string_view)>& take) {
  Connection connection;
  if (auto r = connection.open(request.address, request.port); !r) return pass(r);
  if (auto r = connection.send(head_of(request)); !r) return pass(r);
  std::string buffer;
  auto head = read_head(connection, buffer);
  if (!head) return pass(head);
  if (head->status != 200)
    return fail(ErrorClass::kDenied, "http", "the server answered with status " + std::to_string(head->status));
  while (true) {
    if (!take(buffer)) return {};
    buffer.clear();
    if (connection.read(buffer, kTickMs) == 0) return {};
  }
}

}  // namespace hansard::cli
