#include "ipc/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <climits>
#include <cstring>

namespace hansard::ipc {

Result<std::string> self_executable() {
  char path[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path);
  if (n <= 0) return fail(ErrorClass::kInternal, "process", "cannot read /proc/self/exe");
  return std::string(path, static_cast<std::size_t>(n));
}

Result<ChildProcess> spawn_child(const std::string& executable, const std::vector<std::string>& args) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return fail(ErrorClass::kUnavailable, "process", std::string("no socketpair: ") + std::strerror(errno));
  }
  // Everything that allocates happens before fork: the child of a threaded parent may only call async-signal-safe functions.
  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(executable.c_str()));
  static char child_word[] = "child";
  argv.push_back(child_word);
  for (const auto& a : args) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int error = errno;
    ::close(fds[0]);
    ::close(fds[1]);
    return fail(ErrorClass::kUnavailable, "process", std::string("cannot start a process: ") + std::strerror(error));
  }
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    const int null = ::open("/dev/null", O_RDONLY);
    if (null > 0) ::dup2(null, 0);
    if (fds[1] == kChildFd) {
      ::fcntl(kChildFd, F_SETFD, 0);
    } else {
      ::dup2(fds[1], kChildFd);
    }
    // Sockets of libraries do not all close on exec; a child that outlives its parent by a moment must not hold its port.
    ::close_range(kChildFd + 1, ~0U, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    // What ends a group of processes (Ctrl-C, a service manager) is for the parent: it says when its children end.
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGTERM, SIG_IGN);
    ::execv(executable.c_str(), argv.data());
    ::_exit(127);
  }
  ::close(fds[1]);
  return ChildProcess{pid, fds[0]};
}

}  // namespace hansard::ipc
