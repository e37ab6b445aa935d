#pragma once
// The simulated recognizer: it knows only what the samples say. A final's text ends with "#NUMBER:FROM-TO" (the part of
// the speech in it, ms), by which the checks find what was said twice or not at all.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ports/speech_recognizer.h"
#include "sim/scenario.h"
#include "sim/voice.h"
#include "sim/world.h"

namespace hansard::sim {

class Ear final : public SpeechRecognizer {
 public:
  Ear(World& world, const Scenario& scenario);

  void listen(SpeechListener* listener) override;
  bool ready() const override { return up_; }
  std::uint32_t open(const std::string& language, MediaTime start) override;
  bool feed(std::uint32_t track, MediaTime start, std::span<const std::int16_t> samples) override;
  void gap(std::uint32_t track, MediaTime start, MediaTime end) override;
  void flush(std::uint32_t track) override;
  void drop(std::uint32_t track) override { tracks_.erase(track); }

  void daemon_died();
  /// The process dies and is back after `back`.
  void kill(Duration back);
  /// There is none until `length` is over.
  void remove(Duration length);
  void busy(Duration length) { busy_until_ = world_.now() + length; }

  std::vector<std::string> violations;

 private:
  struct Track {
    MediaTime position;               ///< end of what was taken
    MediaTime told;                   ///< everything before was answered
    std::optional<Stretch> speaking;  ///< open utterance
    MediaTime quiet_since;            ///< end of the last speech
    Instant answer_at;                ///< answers keep their order
  };

  void take(std::uint32_t id, Track& track, const Stretch& stretch);
  void end_utterance(std::uint32_t id, Track& track);
  void tell_silence(std::uint32_t id, Track& track, MediaTime until);
  void answer(std::uint32_t id, Track& track, std::function<void(SpeechListener&)> f);

  World& world_;
  SpeechListener* listener_ = nullptr;
  std::map<std::int16_t, std::string> words_;
  std::map<std::uint32_t, Track> tracks_;
  std::uint32_t last_ = 0;
  std::uint64_t process_ = 1;
  bool up_ = true;
  Instant missing_until_;
  Instant busy_until_;
};

}  // namespace hansard::sim
