#pragma once
// Cuts a track into utterances from one decision a window: speech or not. Pure; positions are samples on the track.
#include <cstdint>
#include <deque>
#include <optional>

namespace hansard::speech {

struct SegmentSettings {
  float threshold = 0.3F;           ///< voice activity probability
  std::int64_t end_silence = 0;     ///< samples of silence that end an utterance
  std::int64_t least_speech = 0;    ///< a shorter run of speech opens no utterance
  std::int64_t longest = 0;         ///< an utterance is cut at its quietest recent point when it gets longer
  std::int64_t padding_before = 0;  ///< audio given to the recognizer before the utterance
  std::int64_t padding_after = 0;   ///< ... and behind it
};

/// The measured settings. They differ in the longest utterance: in a meeting its final is waited for.
SegmentSettings live_settings();
SegmentSettings file_settings();

/// One utterance [start, end). A side is `joined` where the neighbour utterance continues the same speech: it was cut
/// there for its length only, and padding would repeat words.
struct Span {
  std::int64_t start = 0;
  std::int64_t end = 0;
  bool joined_before = false;
  bool joined_after = false;
  bool operator==(const Span&) const = default;
};

class Segmenter {
 public:
  explicit Segmenter(const SegmentSettings& settings) : settings_(settings) {}

  /// Takes the next window. `power` is its mean square. Returns an utterance that this window ended.
  std::optional<Span> push(bool speech, float power);
  /// Ends the open utterance, if any.
  std::optional<Span> flush();
  /// Continues at `position` (not before the present one) after a flush: what lies between was not heard.
  void jump(std::int64_t position);

  std::int64_t position() const { return position_; }
  bool open() const { return open_; }
  /// The utterance as it would be if it ended now (while open()).
  Span current() const { return {start_, last_speech_, joined_, false}; }
  /// Samples since the last window of speech (while open()).
  std::int64_t silence() const { return position_ - last_speech_; }
  /// No utterance will begin before this position.
  std::int64_t settled() const;
  /// The best place to cut inside [from, to): the middle of the longest pause there, else the quietest spot.
  std::int64_t quietest(std::int64_t from, std::int64_t to) const;

 private:
  struct Window {
    bool speech;
    float power;
  };

  SegmentSettings settings_;
  std::int64_t position_ = 0;     // end of the last window
  std::int64_t last_speech_ = 0;  // end of the last window of speech
  std::int64_t run_start_ = -1;   // start of the run of speech that may open an utterance
  std::int64_t start_ = 0;        // of the open utterance
  std::int64_t least_start_ = 0;  // an utterance may not reach back before this
  bool open_ = false;
  bool joined_ = false;
  std::deque<Window> history_;  // the windows of the open utterance; the last one ends at position_
};

}  // namespace hansard::speech
