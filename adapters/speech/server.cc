#include "adapters/speech/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "ipc/pipe.h"

namespace hansard::speech {
namespace {

using Input = std::variant<ipc::ToSpeech, ipc::AudioFrame>;

/// What passes between the two threads. The input is bounded by the credit the peer has.
class Exchange {
 public:
  Exchange() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Exchange() { ::close(wake_); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  int wake_fd() const { return wake_; }

  void put(Input input) {
    {
      const std::lock_guard lock(mutex_);
      input_.push_back(std::move(input));
    }
    arrived_.notify_one();
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    arrived_.notify_one();
  }
  /// Takes all input; with `wait` blocks until there is some. False when the work is to stop.
  bool take(std::deque<Input>& out, bool wait) {
    std::unique_lock lock(mutex_);
    if (wait) arrived_.wait(lock, [&] { return stop_ || !input_.empty(); });
    out.swap(input_);
    return !stop_;
  }

  void send(ipc::FromSpeech message) {
    {
      const std::lock_guard lock(mutex_);
      output_.push_back(std::move(message));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
  }
  std::vector<ipc::FromSpeech> sent() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = ::read(wake_, &count, sizeof count);
    const std::lock_guard lock(mutex_);
    return std::exchange(output_, {});
  }

 private:
  int wake_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Input> input_;
  std::vector<ipc::FromSpeech> output_;
  bool stop_ = false;
};

double steady_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void work(Exchange& exchange, Engine& engine) {
  bool busy = false;
  std::deque<Input> input;
  while (exchange.take(input, !busy)) {
    for (Input& one : input) {
      if (auto* frame = std::get_if<ipc::AudioFrame>(&one)) {
        engine.handle(std::move(*frame));
      } else {
        engine.handle(std::get<ipc::ToSpeech>(one));
      }
    }
    input.clear();
    busy = engine.run_one();
  }
}

/// Reads what has come; `allowance` is the peer's credit in bytes. nullopt: go on; else the exit code.
std::optional<int> receive(ipc::Pipe& pipe, Exchange& exchange, std::int64_t& allowance) {
  if (!pipe.read_some()) return 0;
  while (true) {
    auto frame = pipe.next();
    if (!frame) {
      std::fprintf(stderr, "hansard speech: %s; closing\n", frame.error().detail.c_str());
      return 1;
    }
    if (!*frame) return std::nullopt;
    if (auto* audio = std::get_if<ipc::AudioFrame>(&**frame)) {
      allowance -= static_cast<std::int64_t>(ipc::encoded_size(*audio));
      if (allowance < 0) {
        std::fprintf(stderr, "hansard speech: more audio than there was credit for; closing\n");
        return 1;
      }
      exchange.put(std::move(*audio));
      continue;
    }
    auto message = from_json<ipc::ToSpeech>(std::get<Json>(**frame));
    if (!message) {
      std::fprintf(stderr, "hansard speech: a message that is not understood (%s); closing\n", message.error().detail.c_str());
      return 1;
    }
    exchange.put(std::move(*message));
  }
}

int run(ipc::Pipe& pipe, Exchange& exchange) {
  std::int64_t allowance = kCreditWindow;
  while (true) {
    const short wanted = static_cast<short>(POLLIN | (pipe.queued_bytes() > 0 ? POLLOUT : 0));
    pollfd fds[2] = {{pipe.fd(), wanted, 0}, {exchange.wake_fd(), POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0) continue;
    if (fds[1].revents != 0) {
      for (const ipc::FromSpeech& message : exchange.sent()) {
        if (const auto* credit = std::get_if<ipc::Credit>(&message)) allowance += credit->bytes;
        pipe.send(message);
      }
    }
    if ((fds[0].revents & POLLOUT) != 0 && !pipe.flush()) return 0;
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      if (const auto code = receive(pipe, exchange, allowance)) return *code;
    }
  }
}

}  // namespace

int serve(int fd, const std::string& model_name, Recognizer& recognizer, VoiceDetectorFactory detectors) {
  ipc::Pipe pipe(fd);
  pipe.send(ipc::FromSpeech(ipc::SpeechReady{model_name}));
  pipe.send(ipc::FromSpeech(ipc::Credit{kCreditWindow}));
  Exchange exchange;
  Engine engine(recognizer, std::move(detectors), [&](ipc::FromSpeech m) { exchange.send(std::move(m)); }, steady_seconds);
  std::thread worker([&] { work(exchange, engine); });
  const int code = run(pipe, exchange);
  exchange.stop();
  worker.join();
  return code;
}

}  // namespace hansard::speech
