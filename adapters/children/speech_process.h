#pragma once
// The machine's one speech process, as a SpeechRecognizer: restarted when it dies, with growing delays.
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/children/child.h"
#include "ipc/messages.h"
#include "ports/speech_recognizer.h"

namespace hansard {

struct SpeechProcessOptions {
  std::string executable;
  std::vector<std::string> args{"speech", "--fd", "3"};
  Duration first_restart = milliseconds(500);
  Duration last_restart = seconds(30);
  /// A process that has lived this long is started again without much delay.
  Duration stable = seconds(60);
  std::function<void(const std::string& what, pid_t pid)> log;
};

class SpeechProcess final : public SpeechRecognizer {
 public:
  /// Starts the process when `start()` is called.
  SpeechProcess(Loop& loop, SpeechProcessOptions options);
  ~SpeechProcess() override;

  void start();
  void listen(SpeechListener* listener) override { listener_ = listener; }
  bool ready() const override { return ready_; }
  std::uint32_t open(const std::string& language, MediaTime start) override;
  bool feed(std::uint32_t track, MediaTime start, std::span<const std::int16_t> samples) override;
  void gap(std::uint32_t track, MediaTime start, MediaTime end) override;
  void flush(std::uint32_t track) override;
  void drop(std::uint32_t track) override;

  pid_t pid() const { return child_ ? child_->pid() : 0; }
  const std::string& model() const { return model_; }
  /// Why there is none, or empty.
  const std::string& unavailable() const { return unavailable_; }

 private:
  void on_frame(ipc::Frame frame);
  void on_gone();
  void restart();

  Loop& loop_;
  SpeechProcessOptions options_;
  SpeechListener* listener_ = nullptr;
  std::unique_ptr<children::Child> child_;
  Loop::TimerId timer_ = 0;
  Loop::TimerId stable_timer_ = 0;
  Duration next_delay_;
  bool ready_ = false;
  std::string model_;
  std::string unavailable_;
  std::uint32_t last_track_ = 0;
  std::set<std::uint32_t> open_;  ///< tracks of the running process
  std::int64_t credit_ = 0;
};

}  // namespace hansard
