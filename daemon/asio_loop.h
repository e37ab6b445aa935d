#pragma once
// The loop of the daemon over Boost.Asio. One thread calls turn(); everything else happens inside it.
#include <functional>
#include <memory>

#include "ports/loop.h"

namespace boost::asio {
class io_context;
}

namespace hansard {

class AsioLoop final : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;

  void watch(int fd, bool read, bool write, std::function<void(bool, bool)> ready) override;
  void unwatch(int fd) override;
  TimerId after(Duration delay, std::function<void()> f) override;
  void cancel(TimerId timer) override;
  void post(std::function<void()> f) override;

  /// Waits for something to do, at most `limit`, and does it (a bounded number of things).
  void turn(Duration limit);
  /// Calls `f` for SIGINT and SIGTERM.
  void on_stop_signal(std::function<void(int)> f);

  boost::asio::io_context& context();

 private:
  struct Impl;
  bool closing_ = false;  ///< what is destroyed with the last callbacks may still call here
  std::unique_ptr<Impl> impl_;
};

}  // namespace hansard
