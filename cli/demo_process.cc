#include "cli/demo_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace hansard::cli {

Result<DemoProcess> DemoProcess::start(const std::vector<std::string>& argv, const std::string& log) {
  std::vector<char*> words;
  for (const auto& a : argv) words.push_back(const_cast<char*>(a.c_str()));
  words.push_back(nullptr);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) return fail(ErrorClass::kDenied, "demo", "cannot write " + log + ": " + std::strerror(errno));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    // Its own group: Ctrl-C is for the demo, which stops its processes in order.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  const int error = errno;
  ::close(out);
  if (pid < 0) return fail(ErrorClass::kUnavailable, "demo", std::string("cannot start a process: ") + std::strerror(error));
  return DemoProcess(pid);
}

DemoProcess::DemoProcess(DemoProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)), code_(other.code_) {}
DemoProcess& DemoProcess::operator=(DemoProcess&& other) noexcept {
  if (this != &other) {
    stop(0);
    pid_ = std::exchange(other.pid_, -1);
    code_ = other.code_;
  }
  return *this;
}
DemoProcess::~DemoProcess() { stop(0); }

std::optional<int> DemoProcess::poll() {
  if (code_ || pid_ < 0) return code_;
  int status = 0;
  const pid_t r = ::waitpid(pid_, &status, WNOHANG);
  if (r == pid_) code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

void DemoProcess::stop(int limit_ms) {
  if (pid_ < 0 || poll()) return;
  if (limit_ms > 0) ::kill(pid_, SIGTERM);
  for (int waited = 0; waited < limit_ms && !poll(); waited += 20) ::usleep(20'000);
  if (poll()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  code_ = 137;
}

}  // namespace hansard::cli
