#pragma once
// Test support: drives a real speech process over its descriptor.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/messages.h"
#include "ipc/pipe.h"
#include "ipc/process.h"

namespace hansard::speech {

using Samples = std::vector<std::int16_t>;

/// Samples of a 16-bit mono 16 kHz WAV file; nullopt when it is not there or something else.
std::optional<Samples> read_wav(const std::string& path);
/// Lower-case words without punctuation.
std::vector<std::string> words_of(std::string_view text);
/// Substitutions, deletions and insertions of a least-cost alignment.
std::size_t word_errors(const std::vector<std::string>& reference, const std::vector<std::string>& heard);

class TestChild {
 public:
  explicit TestChild(std::vector<std::string> further_args = {});
  ~TestChild();
  TestChild(const TestChild&) = delete;
  TestChild& operator=(const TestChild&) = delete;

  ipc::Pipe& pipe() { return *pipe_; }
  std::vector<ipc::FromSpeech>& messages() { return messages_; }
  template <class M>
  std::vector<M> of(std::uint32_t track) const {
    std::vector<M> found;
    for (const auto& message : messages_) {
      if (const auto* m = std::get_if<M>(&message); m != nullptr && m->track == track) found.push_back(*m);
    }
    return found;
  }

  /// Waits until `done` or the process has closed its end. False then, and after a minute.
  bool wait(const std::function<bool()>& done);
  void send(const ipc::ToSpeech& message) { pipe_->send(message); }
  /// Sends audio as credit allows, in frames of 100 ms.
  bool feed(std::uint32_t track, MediaTime start, const Samples& samples);
  /// Opens, feeds, flushes and waits for the end of a track.
  bool run(std::uint32_t track, ipc::Profile profile, const Samples& samples, MediaTime start = {0});
  /// Waits until all audio sent so far has been worked on.
  bool settle();
  /// The exit code when the process has closed its end (128 + signal when killed by one, also by us after a minute).
  int exit_code();
  std::string text(std::uint32_t track) const;

 private:
  bool receive();

  ipc::ChildProcess process_;
  std::unique_ptr<ipc::Pipe> pipe_;
  std::vector<ipc::FromSpeech> messages_;
  std::int64_t credit_ = 0;
  std::uint32_t barrier_ = 1'000'000;
  bool gone_ = false;
};

}  // namespace hansard::speech
