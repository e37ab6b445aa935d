#pragma once
// Where participants' audio comes from. One attempt to be in a meeting is (meeting, epoch).
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard {

struct MediaJoin {
  std::string meeting;
  std::uint32_t epoch = 0;
  std::string platform;
  std::string url;
  std::string token;
  std::string display_name;
};

enum class MediaUpdate : std::uint8_t { kWaitingRoom, kInCall, kLost, kEnded, kRefused, kLeft };

struct MediaNews {
  MediaUpdate update = MediaUpdate::kLost;
  std::string code{};  ///< lifecycle failure code for kRefused
  std::string vendor_code{};
  std::string announced{};
  std::string reason{};  ///< for kLost: "network", "media_process"
};

/// Called on the host's thread.
class MediaListener {
 public:
  virtual ~MediaListener() = default;
  virtual void on_media(const std::string& meeting, std::uint32_t epoch, const MediaNews& news) = 0;
  virtual void on_participant(const std::string& meeting, std::uint32_t epoch, const std::string& id, const std::string& name,
                              bool present, bool bot) = 0;
  /// 16 kHz mono. Along one participant and epoch the audio is contiguous. `concealed`: filler, a gap report follows.
  virtual void on_audio(const std::string& meeting, std::uint32_t epoch, const std::string& participant, MediaTime start,
                        bool concealed, std::span<const std::int16_t> samples) = 0;
  /// [start, end) was lost, or nothing was sent in it (`lost` false).
  virtual void on_gap(const std::string& meeting, std::uint32_t epoch, const std::string& participant, MediaTime start,
                      MediaTime end, bool lost, const std::string& reason) = 0;
};

class MediaSource {
 public:
  virtual ~MediaSource() = default;
  virtual void listen(MediaListener* listener) = 0;
  /// Never blocks; what becomes of it is told to the listener. An older epoch of the same meeting is ended first.
  virtual void start(const MediaJoin& join) = 0;
  /// Deliver audio from now on; media time zero is `origin` on the clock of Clock::monotonic() (before zero when the recording
  /// began before the machine was last started).
  virtual void capture(const std::string& meeting, std::uint32_t epoch, Duration origin) = 0;
  virtual void pause(const std::string& meeting, std::uint32_t epoch) = 0;
  /// Leave politely. kLeft is told when done, also when there was nothing to leave.
  virtual void stop(const std::string& meeting, std::uint32_t epoch) = 0;
};

}  // namespace hansard
