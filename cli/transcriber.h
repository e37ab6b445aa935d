#pragma once
// Files to text: one speech process and one decoding process for all files, and audio pumped between them. A file that ends the
// decoder costs that file alone: the next one gets a new decoder.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/transcript/utterance.h"
#include "ipc/messages.h"
#include "ipc/pipe.h"
#include "ipc/process.h"

namespace hansard {

struct FileTranscript {
  std::string file;  ///< as given
  Duration length;
  std::vector<Utterance> utterances;  ///< ids "u1", ...; without speaker
  /// Speech that gave no text.
  std::vector<CoverageInterval> unrecognized;
};

struct TranscriberOptions {
  std::string executable;
  std::string language;                  ///< BCP 47, empty: the model's own
  std::vector<std::string> speech_args;  ///< further arguments of the speech process
  /// Called now and then while a file is worked on. `total` is 0 when the file does not tell its length.
  std::function<void(Duration done, Duration total)> progress;
};

class Transcriber {
 public:
  explicit Transcriber(TranscriberOptions options) : options_(std::move(options)) {}
  ~Transcriber();
  Transcriber(const Transcriber&) = delete;
  Transcriber& operator=(const Transcriber&) = delete;

  /// Starts the speech process and waits until its models are loaded. Errors: kNotFound with what to do when there is no
  /// model, kUnavailable.
  Result<void> start();
  /// The files that transcribe() will be asked for, in this order: the decoder reads ahead, as far as the speech process gives it
  /// credit.
  void expect(std::vector<std::string> files);
  /// Errors: kInvalid or kNotFound (not a file with audio), kUnavailable (a process died; the next file may work).
  Result<FileTranscript> transcribe(const std::string& file);

 private:
  struct Child {
    ipc::ChildProcess process;
    std::unique_ptr<ipc::Pipe> pipe;
  };
  struct Job;

  Result<Child> spawn(const std::vector<std::string>& args);
  static void end(Child& child);
  Result<void> decode(const std::string& file);
  void end_decoder();
  void end_speech();
  Result<void> pump(Job& job);
  Result<void> from_decoder(Job& job);
  Result<void> from_speech(Job& job);
  Result<void> on_media(Job& job, const ipc::FromMedia& message);
  void grant();

  TranscriberOptions options_;
  Child speech_;
  Child decoder_;
  std::vector<std::string> expected_;
  std::size_t next_ = 0;  ///< of expected_: what the decoder, while there is one, sends next
  std::uint32_t track_ = 0;
  std::uint64_t credit_ = 0;   ///< bytes of audio the speech process would take beyond what the decoder may send
  std::uint64_t granted_ = 0;  ///< bytes the decoder may still send
};

}  // namespace hansard
