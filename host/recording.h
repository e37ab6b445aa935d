#pragma once
// One meeting's audio on its way: into the spool first, then to the recognizer. A recognizer that lags, crashes or is
// missing is caught up from the spool; every hole between what was captured is reported. One participant's trouble
// stays with that participant.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/flow/effects.h"
#include "core/flow/events.h"
#include "ports/audio_spool.h"
#include "ports/clock.h"
#include "ports/speech_recognizer.h"

namespace hansard::host {

class Recording {
 public:
  /// `post` takes the events that come out: SegmentFinal, SpanHeard, GapDetected, SpeechDrained, HostNotice.
  Recording(std::string meeting, AudioSpool& spool, SpeechRecognizer& speech, const Clock& clock,
            std::function<void(flow::Event)> post);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// Capture begins (again). The cursors count only for participants that this object does not know yet: after a
  /// restart, when they come from the store.
  void begin(const flow::StartCapture& capture);
  /// No audio will come for now ("paused", "disconnected"): utterances in progress are ended.
  void suspend(const std::string& reason);
  /// Recognize all that is captured, then post SpeechDrained once.
  void drain(const std::string& language, const std::vector<flow::TrackCursor>& cursors);

  void participant_joined(const std::string& participant, MediaTime at);
  /// What was not captured before `at` is lost: the end of a connection takes its last moments along.
  void participant_left(const std::string& participant, MediaTime at);
  void audio(const std::string& participant, MediaTime start, std::span<const std::int16_t> samples);
  void gap(const std::string& participant, MediaTime start, MediaTime end, bool lost, const std::string& reason);

  // From the recognizer; false: not a track of this meeting.
  bool on_final(std::uint32_t track, MediaTime start, MediaTime end, const std::string& text, const std::vector<Word>& words);
  bool on_heard(std::uint32_t track, MediaTime start, MediaTime end, Coverage state, const std::string& reason);
  bool on_flushed(std::uint32_t track);
  /// The participant whose open track this is, nullptr when it is none of ours.
  const std::string* participant_of(std::uint32_t track) const;
  void recognizer_lost();
  /// There is none and there will be none soon: a drain in progress ends incomplete.
  void recognizer_unavailable();

  /// Feeds what is behind.
  void poll();
  /// While held the recognizer is given nothing: its answers could not be kept. Audio goes to the spool.
  void hold(bool held) { held_ = held; }
  /// While the recognizer has taken no more of somebody's audio, here or in another meeting, new audio is not given to it past
  /// that: poll() does, in turn.
  void take_turns(bool queue) { queue_ = queue; }
  /// The last poll() left audio behind that the recognizer did not take.
  bool blocked() const { return blocked_; }
  /// There is captured audio that the recognizer could be given now or soon.
  bool has_backlog() const;
  /// How far the recognizer's answers are behind what was captured, at the participant where that is worst. Some seconds are
  /// the utterance that is being spoken.
  Duration behind() const;
  bool far_behind() const { return far_behind_; }
  /// Audio does not reach the disk now.
  bool unwritable() const { return unwritable_; }

 private:
  struct Track {
    std::string participant;
    bool present = false;
    bool resumes = false;  ///< was there before this capture began: its next hole has the capture's reason
    MediaTime adopted;     ///< where the audio ends that an earlier run captured
    MediaTime captured;    ///< end of what was captured, or where capture should begin
    MediaTime spooled;     ///< end of what the spool holds
    /// Fed without having reached the spool (disk full), since the open track began.
    std::vector<std::pair<MediaTime, MediaTime>> unspooled;
    std::optional<CoverageInterval> unkept;  ///< lost because it could not be written, not posted yet
    MediaTime fed;                           ///< everything before was given to the recognizer
    MediaTime heard;                         ///< everything before was answered by it
    std::optional<std::uint32_t> speech;     ///< open track of the recognizer
    bool flushing = false;
    bool end_wanted = false;  ///< flush once fed up to `captured`
    // While the spool does not give what it has:
    std::optional<Duration> unreadable_since;  ///< monotonic
    Duration read_delay;
    Duration read_again;  ///< monotonic
  };

  Track* find(const std::string& participant);
  Track& ensure(const std::string& participant, MediaTime start);
  bool adopt(const std::vector<flow::TrackCursor>& cursors);
  Track* by_speech(std::uint32_t track);
  std::string hole_reason(const Track& track, const char* otherwise) const;
  void lost(Track& track, MediaTime start, MediaTime end, const std::string& reason);
  /// Gives [start, ...) to the recognizer if it is next in line. False when it takes no more now.
  bool feed(Track& track, MediaTime start, std::span<const std::int16_t> samples);
  void catch_up(Track& track);
  void read_failed(Track& track);
  void skip(Track& track, MediaTime start, MediaTime end, const std::string& reason);
  void pass_over(Track& track, MediaTime to);
  void written(bool ok, ErrorClass error);
  void unkept(Track& track, MediaTime start, MediaTime end, const std::string& reason);
  void post_unkept(Track& track);
  void watch_distance();
  void notice(std::string note);
  void end_utterances();
  void close_when_fed(Track& track);
  void give_up_on(Track& track);
  void check_drained();

  std::string meeting_;
  AudioSpool& spool_;
  SpeechRecognizer& speech_;
  const Clock& clock_;
  std::function<void(flow::Event)> post_;
  std::string language_;
  std::string gap_reason_;   ///< of the hole before the next audio of those who were there
  std::string idle_reason_;  ///< why no audio comes now; empty while capturing
  std::map<std::string, Track> tracks_;
  std::optional<std::vector<flow::TrackCursor>> adopting_;  ///< the spool has not said yet what a run before left in it
  bool draining_ = false;
  bool held_ = false;
  bool queue_ = false;
  bool blocked_ = false;
  bool unwritable_ = false;
  Duration write_failed_at_;  ///< when writing last failed, monotonic
  bool far_behind_ = false;
  int crashes_ = 0;  ///< of the recognizer since it last answered anything
};

}  // namespace hansard::host
