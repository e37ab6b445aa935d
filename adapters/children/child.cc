#include "adapters/children/child.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

namespace hansard::children {
namespace {

/// Frames handled in one turn, so that one busy child leaves the loop to the others.
constexpr int kFramesPerTurn = 64;

}  // namespace

Result<std::unique_ptr<Child>> Child::start(Loop& loop, const std::string& executable, const std::vector<std::string>& args,
                                            Handler handler) {
  auto process = ipc::spawn_child(executable, args);
  if (!process) return pass(process);
  std::unique_ptr<Child> child(new Child(loop, *process, std::move(handler)));
  child->watch();
  return child;
}

Child::Child(Loop& loop, const ipc::ChildProcess& process, Handler handler)
    : loop_(loop), pid_(process.pid), pipe_(process.fd), handler_(std::move(handler)) {
  loop_.watch(pipe_.fd(), true, false, [this](bool r, bool w) { on_ready(r, w); });
}

Child::~Child() {
  *alive_ = false;
  close();
  // Whoever drops a child wants it gone; one that has ended already only leaves its status here.
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Child::watch() {
  const bool write = pipe_.queued_bytes() > 0;
  if (!open_ || write == watching_write_) return;
  watching_write_ = write;
  loop_.watch(pipe_.fd(), true, write, [this](bool r, bool w) { on_ready(r, w); });
}

void Child::close() {
  if (!open_) return;
  open_ = false;
  loop_.unwatch(pipe_.fd());
}

void Child::on_ready(bool readable, bool writable) {
  const auto alive = alive_;
  bool ended = false;
  // A child that is gone is noticed by reading, after what it said last.
  if (writable) pipe_.flush();
  if (readable && !pipe_.read_some()) ended = true;
  for (int n = 0;; ++n) {
    auto frame = pipe_.next();
    if (!frame) ended = true;
    if (!frame || !*frame) break;
    handler_.frame(std::move(**frame));
    if (!*alive) return;
    if (n >= kFramesPerTurn && !ended) {
      loop_.post([this, alive] {
        if (*alive && open_) on_ready(false, false);
      });
      break;
    }
  }
  if (ended) {
    close();
    handler_.gone();
    return;
  }
  watch();
}

}  // namespace hansard::children
