#pragma once
// A small loop over poll(2) for tests of adapters; the daemon has its own (daemon/asio_loop.h).
#include <poll.h>

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "ports/loop.h"

namespace hansard {

class PollLoop final : public Loop {
 public:
  void watch(int fd, bool read, bool write, std::function<void(bool, bool)> ready) override {
    watched_[fd] = {read, write, std::move(ready)};
  }
  void unwatch(int fd) override { watched_.erase(fd); }
  TimerId after(Duration delay, std::function<void()> f) override {
    timers_[++last_timer_] = {now_ms() + delay.ms, std::move(f)};
    return last_timer_;
  }
  void cancel(TimerId timer) override { timers_.erase(timer); }
  void post(std::function<void()> f) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(f));
  }

  /// Runs until `done` is true (true) or the time is over (false).
  bool run_until(const std::function<bool()>& done, Duration limit = seconds(20)) {
    const std::int64_t end = now_ms() + limit.ms;
    while (!done()) {
      if (now_ms() > end) return false;
      turn();
    }
    return true;
  }

 private:
  struct Watched {
    bool read = false;
    bool write = false;
    std::function<void(bool, bool)> ready;
  };
  static std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  void turn() {
    std::vector<pollfd> fds;
    for (const auto& [fd, w] : watched_) {
      fds.push_back({fd, static_cast<short>((w.read ? POLLIN : 0) | (w.write ? POLLOUT : 0)), 0});
    }
    ::poll(fds.data(), fds.size(), 5);
    for (const auto& p : fds) {
      if (p.revents == 0) continue;
      const auto it = watched_.find(p.fd);
      if (it == watched_.end()) continue;
      const auto ready = it->second.ready;
      ready((p.revents & (POLLIN | POLLHUP | POLLERR)) != 0, (p.revents & POLLOUT) != 0);
    }
    std::vector<std::function<void()>> due;
    {
      const std::lock_guard lock(mutex_);
      due.swap(posted_);
    }
    for (auto it = timers_.begin(); it != timers_.end();) {
      if (it->second.first <= now_ms()) {
        due.push_back(std::move(it->second.second));
        it = timers_.erase(it);
      } else {
        ++it;
      }
    }
    for (const auto& f : due) f();
  }

  std::map<int, Watched> watched_;
  std::map<TimerId, std::pair<std::int64_t, std::function<void()>>> timers_;
  TimerId last_timer_ = 0;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace hansard
