#pragma once
// Decides what the speech process works on next. One thread calls it; it does no I/O and reads no clock of its own, so
// tests drive it with fakes. Order: audio of live tracks (cheap), their finals, their partials within a share of the time,
// then files. Partials are skipped when there is more to do than time; finals never are.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "adapters/speech/track.h"

namespace hansard::speech {

/// Audio the sender may have under way: two minutes of one track.
constexpr std::uint32_t kCreditWindow = 4U << 20;

class Engine {
 public:
  /// `now_s` is a steady clock in seconds. `emit` takes every message to the daemon, in order.
  Engine(Recognizer& recognizer, VoiceDetectorFactory detectors, Emit emit, std::function<double()> now_s);

  void handle(const ipc::ToSpeech& message);
  void handle(ipc::AudioFrame frame);

  /// Does the most urgent piece of work. False when there is none.
  bool run_one();

 private:
  // What is known about the open utterance of a live track.
  struct Open {
    std::int64_t start = -1;                            // of the utterance this is about
    std::int64_t tail = 0;                              // recognized anew with each partial from here on
    std::string stable;                                 // text of what lies before `tail`
    std::int64_t seen = 0;                              // position at the last partial
    std::optional<std::pair<Span, Recognition>> whole;  // the whole utterance, if it ended where it seems to
  };
  struct Entry {
    std::unique_ptr<Track> track;
    Open open;
  };

  /// Offers the work to each track, first to the one behind `last`, until one takes it, which is `last` then. With more to do
  /// than time, one that always came first would leave others behind for minutes.
  template <class Work>
  bool in_turn(std::uint32_t& last, const Work& work);
  bool consume(bool live);
  bool finish_one(bool live);
  bool partial();
  bool partial_of(Entry& entry);
  void close_done();
  void owe(std::size_t bytes);

  Recognizer& recognizer_;
  VoiceDetectorFactory detectors_;
  Emit emit_;
  std::function<double()> now_s_;
  std::map<std::uint32_t, Entry> tracks_;
  std::uint64_t order_ = 0;
  std::uint32_t last_partial_ = 0;  // track, for taking turns
  std::uint32_t last_taken_ = 0;    // the same for audio
  double partials_from_s_ = 0;
  std::size_t owed_ = 0;
};

}  // namespace hansard::speech
