#pragma once
// One track of audio in the speech process: takes frames and gaps, finds utterances, keeps the audio that is still
// needed, and accounts for every millisecond (ipc::HeardReport). What to recognize and when is the engine's business.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "adapters/speech/recognizer.h"
#include "adapters/speech/segmenter.h"
#include "ipc/frame.h"
#include "ipc/messages.h"

namespace hansard::speech {

using Emit = std::function<void(ipc::FromSpeech)>;

class Track {
 public:
  /// `order` counts utterances over all tracks; it and `emit` must outlive the track.
  Track(const ipc::OpenTrack& opened, std::unique_ptr<VoiceDetector> detector, const SegmentSettings& settings, const Emit& emit,
        std::uint64_t& order);

  // ---- input, in the order in which it arrived ------------------------------------------------------------------
  /// False when the track has ended and takes nothing more.
  bool add(ipc::AudioFrame& frame);
  void add(const ipc::TrackGap& gap);
  void end() { ending_ = true; }

  bool has_input() const { return !input_.empty() || (ending_ && !ended_); }
  /// Takes in about one second of the input. Returns the encoded bytes of the frames that are done with.
  std::size_t consume();
  /// Encoded bytes of the frames still waiting.
  std::size_t waiting_bytes() const { return waiting_bytes_; }

  // ---- utterances that wait for recognition ---------------------------------------------------------------------
  struct Final {
    Span span;
    std::vector<float> audio;  ///< with padding
    std::uint64_t order = 0;   ///< of its end, over all tracks
    double audio_start_s = 0;  ///< of audio, from the track's first sample
  };
  bool has_final() const { return !finals_.empty(); }
  /// Samples of all of them together.
  std::int64_t backlog() const { return backlog_; }
  const Final& next_final() const { return finals_.front(); }
  /// Gives the recognition of next_final(): sends the final or says why there is none. nullopt: it was not recognized,
  /// for `reason`.
  void finish(const std::optional<Recognition>& recognition, const std::string& reason);

  // ---- the open utterance ---------------------------------------------------------------------------------------
  bool open() const { return segmenter_.open(); }
  const Segmenter& segmenter() const { return segmenter_; }
  void send_partial(std::int64_t start, std::int64_t end, const std::string& text) const;

  /// All input is in, all utterances are finished and reported.
  bool done() const { return ended_ && finals_.empty(); }

  /// Samples of a span inside the open utterance, with its padding as far as it was heard.
  std::vector<float> audio(const Span& span) const;

  std::uint32_t id() const { return opened_.track; }
  bool live() const { return opened_.profile == ipc::Profile::kLive; }
  const std::string& language() const { return opened_.language; }

 private:
  struct Gap {
    std::int64_t end = 0;
  };

  std::int64_t to_sample(MediaTime t) const;
  MediaTime to_time(std::int64_t sample) const;
  std::size_t take(const ipc::AudioFrame& frame);
  void take_gap(std::int64_t end);
  void append_silence(std::int64_t samples);
  void run_windows();
  void queue_final(const std::optional<Span>& span);
  void close_input();
  void report_silence(std::int64_t until);
  void report(std::int64_t until, Coverage state, std::string reason);
  void trim();

  ipc::OpenTrack opened_;
  std::unique_ptr<VoiceDetector> detector_;
  SegmentSettings settings_;
  const Emit& emit_;
  std::uint64_t& order_;
  Segmenter segmenter_;

  std::deque<std::variant<ipc::AudioFrame, Gap>> input_;
  std::size_t waiting_bytes_ = 0;
  std::int64_t planned_ = 0;  // where the input, once taken in, will end
  bool ending_ = false;
  bool ended_ = false;

  std::vector<std::int16_t> audio_;  // samples from base_ on
  std::int64_t base_ = 0;
  std::int64_t heard_ = 0;     // end of the audio taken in
  std::int64_t reported_ = 0;  // coverage has been sent up to here

  std::deque<Final> finals_;
  std::int64_t backlog_ = 0;
};

}  // namespace hansard::speech
