#include "daemon/asio_loop.h"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

namespace hansard {
namespace asio = boost::asio;
namespace {

using Wait = asio::posix::stream_descriptor::wait_type;
/// Things done in one turn before the caller gets to look at its own work.
constexpr int kHandlersPerTurn = 512;

struct Watched : std::enable_shared_from_this<Watched> {
  Watched(asio::io_context& io, int fd) : descriptor(io, fd) {}

  void wait_read() {
    descriptor.async_wait(Wait::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (error || !self->active) return;
      const auto f = self->ready;  // the callback may replace or remove it
      f(true, false);
      if (self->active && self->read) self->wait_read();
    });
  }
  void wait_write() {
    descriptor.async_wait(Wait::wait_write, [self = shared_from_this()](const boost::system::error_code& error) {
      if (error || !self->active) return;
      const auto f = self->ready;
      f(false, true);
      if (self->active && self->write) self->wait_write();
    });
  }

  asio::posix::stream_descriptor descriptor;
  bool active = true;
  bool read = false;
  bool write = false;
  std::function<void(bool, bool)> ready;
};

}  // namespace

struct AsioLoop::Impl {
  asio::io_context io{1};
  std::map<int, std::shared_ptr<Watched>> watched;
  std::map<TimerId, std::shared_ptr<asio::steady_timer>> timers;
  TimerId last_timer = 0;
  asio::signal_set signals{io};
  std::function<void(int)> on_signal;

  void wait_signal() {
    signals.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      on_signal(number);
      wait_signal();
    });
  }
};

AsioLoop::AsioLoop() : impl_(std::make_unique<Impl>()) {}
AsioLoop::~AsioLoop() {
  closing_ = true;
  for (auto& [fd, w] : impl_->watched) {
    w->active = false;
    w->descriptor.release();
  }
}

void AsioLoop::watch(int fd, bool read, bool write, std::function<void(bool, bool)> ready) {
  // A descriptor watched anew starts afresh: pending waits of the old entry end with it.
  unwatch(fd);
  auto w = std::make_shared<Watched>(impl_->io, fd);
  w->read = read;
  w->write = write;
  w->ready = std::move(ready);
  impl_->watched[fd] = w;
  if (read) w->wait_read();
  if (write) w->wait_write();
}

void AsioLoop::unwatch(int fd) {
  if (closing_) return;
  const auto it = impl_->watched.find(fd);
  if (it == impl_->watched.end()) return;
  it->second->active = false;
  it->second->descriptor.release();
  impl_->watched.erase(it);
}

Loop::TimerId AsioLoop::after(Duration delay, std::function<void()> f) {
  const TimerId id = ++impl_->last_timer;
  auto timer = std::make_shared<asio::steady_timer>(impl_->io, std::chrono::milliseconds(delay.ms));
  impl_->timers[id] = timer;
  timer->async_wait([this, id, timer, f = std::move(f)](const boost::system::error_code& error) {
    if (error || impl_->timers.erase(id) == 0) return;
    f();
  });
  return id;
}

void AsioLoop::cancel(TimerId timer) {
  if (closing_) return;
  const auto it = impl_->timers.find(timer);
  if (it == impl_->timers.end()) return;
  it->second->cancel();
  impl_->timers.erase(it);
}

void AsioLoop::post(std::function<void()> f) { asio::post(impl_->io, std::move(f)); }

void AsioLoop::turn(Duration limit) {
  impl_->io.restart();
  if (impl_->io.run_one_for(std::chrono::milliseconds(limit.ms)) == 0) return;
  for (int i = 0; i < kHandlersPerTurn && impl_->io.poll_one() > 0; ++i) {
  }
}

void AsioLoop::on_stop_signal(std::function<void(int)> f) {
  impl_->on_signal = std::move(f);
  impl_->signals.add(SIGINT);
  impl_->signals.add(SIGTERM);
  impl_->wait_signal();
}

asio::io_context& AsioLoop::context() { return impl_->io; }

}  // namespace hansard
