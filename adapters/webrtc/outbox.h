#pragma once
// What a media process wants to tell the daemon about its tracks, in order, while credit lasts: each track has its own
// bounded queue, so that one cannot push out another.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <variant>
#include <vector>

#include "ipc/frame.h"
#include "ipc/messages.h"

namespace hansard::webrtc {

using TrackItem = std::variant<ipc::AudioFrame, ipc::FromMedia>;

/// Cuts a track's samples into frames of whole milliseconds, 20 to 60 ms long where the flag stays the same.
class FrameCutter {
 public:
  /// `start` is the media position (16 kHz) of the first sample, a whole millisecond.
  FrameCutter(std::uint32_t track, std::int64_t start) : track_(track), position_(start) {}
  void add(std::span<const std::int16_t> samples, bool concealed, std::vector<ipc::AudioFrame>& out);
  /// Gives out all whole milliseconds that are left.
  void flush(std::vector<ipc::AudioFrame>& out);

 private:
  void cut(std::size_t samples, std::vector<ipc::AudioFrame>& out);

  std::uint32_t track_;
  std::int64_t position_;
  std::vector<std::int16_t> pending_;
  bool concealed_ = false;
};

class Outbox {
 public:
  explicit Outbox(Duration limit = seconds(2)) : limit_(limit) {}

  /// Beyond the limit the oldest audio of this track gives way to a TrackGap "overload".
  void add(ipc::AudioFrame frame);
  void add(std::uint32_t track, ipc::FromMedia message);
  void credit(std::uint32_t bytes) { credit_ += bytes; }

  /// Hands out what may go now: messages at once, audio as far as the credit goes, the tracks in turn.
  void pump(const std::function<void(TrackItem&)>& send);
  bool empty() const { return queues_.empty(); }
  Duration dropped() const { return dropped_; }

 private:
  struct Queue {
    std::deque<TrackItem> items;
    Duration audio;
  };
  void drop_oldest(std::uint32_t track, Queue& queue);
  bool still_growing(const Queue& queue) const;

  Duration limit_;
  std::map<std::uint32_t, Queue> queues_;
  std::uint64_t credit_ = 0;
  std::uint32_t next_ = 0;  ///< the track whose turn it is
  Duration dropped_;
};

}  // namespace hansard::webrtc
