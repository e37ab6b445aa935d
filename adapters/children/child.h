#pragma once
// One child process on the loop: frames in, messages out, and its end as one call.
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ipc/pipe.h"
#include "ipc/process.h"
#include "ports/loop.h"

namespace hansard::children {

class Child {
 public:
  struct Handler {
    std::function<void(ipc::Frame)> frame;
    /// The pipe is closed or broke the protocol. Called once; never after kill() or the destructor.
    std::function<void()> gone;
  };

  /// Starts `executable child ARGS...`. Errors: kUnavailable.
  static Result<std::unique_ptr<Child>> start(Loop& loop, const std::string& executable, const std::vector<std::string>& args,
                                              Handler handler);
  /// Kills what still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  std::size_t queued_bytes() const { return pipe_.queued_bytes(); }

  template <class... Messages>
  void send(const std::variant<Messages...>& message) {
    pipe_.send(message);
    watch();
  }
  void send(const ipc::AudioFrame& audio) {
    pipe_.send(audio);
    watch();
  }

 private:
  Child(Loop& loop, const ipc::ChildProcess& process, Handler handler);
  void watch();
  void on_ready(bool readable, bool writable);
  void close();

  Loop& loop_;
  pid_t pid_;
  ipc::Pipe pipe_;
  Handler handler_;
  bool open_ = true;
  bool watching_write_ = false;
  /// Outlives the object: tells a running callback that it is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace hansard::children
