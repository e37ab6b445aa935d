#pragma once
// An open descriptor and errno as an Error.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hansard::posix {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = other.release();
    }
    return *this;
  }
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

/// What went wrong with `path`, from errno.
inline std::unexpected<Error> failed(std::string_view area, const std::string& what, const std::string& path) {
  const int error = errno;
  ErrorClass code = ErrorClass::kUnavailable;
  if (error == ENOENT || error == ENOTDIR) code = ErrorClass::kNotFound;
  if (error == EACCES || error == EPERM || error == EROFS) code = ErrorClass::kDenied;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) code = ErrorClass::kExhausted;
  if (error == EISDIR || error == ENAMETOOLONG) code = ErrorClass::kInvalid;
  std::string detail = "cannot " + what + " " + path + ": " + std::strerror(error);
  if (code == ErrorClass::kExhausted) detail += "; free some space and start again";
  return fail(code, area, std::move(detail));
}

/// Writes everything. False with errno set otherwise.
inline bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace hansard::posix
