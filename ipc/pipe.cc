#include "ipc/pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace hansard::ipc {

Pipe::Pipe(int fd) : fd_(fd) {
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd_, F_SETFD, FD_CLOEXEC);
}

Pipe::~Pipe() { ::close(fd_); }

bool Pipe::read_some() {
  char buffer[65536];
  while (true) {
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) {
      decoder_.push({buffer, static_cast<std::size_t>(n)});
      return true;
    }
    if (n == 0) return false;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK;
  }
}

void Pipe::queue(std::string bytes) {
  if (queued_bytes() + bytes.size() > kMaxQueuedBytes) {
    // Both ends see the end of the connection: what follows is what follows the death of the other side.
    ::shutdown(fd_, SHUT_RDWR);
    return;
  }
  if (written_ == out_.size()) {
    out_.clear();
    written_ = 0;
  }
  out_ += bytes;
  flush();
}

bool Pipe::flush() {
  while (written_ < out_.size()) {
    const ssize_t n = ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (n > 0) {
      written_ += static_cast<std::size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (written_ > (1u << 16)) {
      out_.erase(0, written_);
      written_ = 0;
    }
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
  out_.clear();
  written_ = 0;
  return true;
}

bool Pipe::flush_all(int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    if (!flush()) return false;
    if (queued_bytes() == 0) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd p{fd_, POLLOUT, 0};
    ::poll(&p, 1, static_cast<int>(left));
  }
}

}  // namespace hansard::ipc
