#pragma once
// The rooms in which meetings take place, and the MediaSource that leads into them. Rooms live on when the daemon dies.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ports/media_source.h"
#include "sim/scenario.h"
#include "sim/voice.h"
#include "sim/world.h"

namespace hansard::sim {

/// What became of a guest's sound on its way to the host.
struct Passage {
  Stretch stretch;
  bool delivered = false;  ///< false: sent while the bot was there, but lost on the way
};

/// One attempt to be in a meeting, for the checks.
struct Attempt {
  std::string meeting;
  std::uint32_t epoch = 0;
  Instant at;
  std::string outcome;  ///< "", "in_call", "lost", "refused", ...
  Instant ended;
  std::uint64_t life = 0;  ///< of the daemon
};

class Rooms final : public MediaSource {
 public:
  Rooms(World& world, const Scenario& scenario);

  void listen(MediaListener* listener) override { listener_ = listener; }
  void start(const MediaJoin& join) override;
  void capture(const std::string& meeting, std::uint32_t epoch, Duration origin) override;
  void pause(const std::string& meeting, std::uint32_t epoch) override;
  void stop(const std::string& meeting, std::uint32_t epoch) override;

  /// The daemon's children die with it.
  void daemon_died();
  /// Drops the bot of a room: network or media process.
  void drop(std::size_t room, Fault kind, Duration length);
  void hang(std::size_t room, Duration length) { hangs_until_[room] = world_.now() + length; }
  void lose_packets(std::size_t room, std::size_t guest, Duration length);

  static std::string url_of(const Room& room) { return "https://rooms.example/whep/" + room.name; }

  // For the checks.
  std::map<std::string, std::map<std::string, std::vector<Passage>>> heard;  ///< meeting -> guest -> in order
  std::map<std::string, std::size_t> room_of;                                ///< meeting -> room
  /// When media time zero was, by the world's clock. It stays, unless the clock was set over a restart of the machine.
  struct Origin {
    MediaTime from;  ///< of the media time that counts from it
    Instant at;
    std::uint64_t boots = 0;  ///< World::boots() and World::clock_sets when it was last confirmed
    std::uint64_t clock_sets = 0;
  };
  std::map<std::string, std::vector<Origin>> origins_of;  ///< by meeting, in order
  std::vector<Attempt> attempts;
  std::vector<std::string> violations;

 private:
  enum class Phase { kConnecting, kWaiting, kIn };
  struct Line {
    std::string meeting;
    std::uint32_t epoch = 0;
    std::size_t room = 0;
    Phase phase = Phase::kConnecting;
    std::size_t attempt = 0;
    bool capturing = false;
    Instant origin;
    MediaTime next;                            ///< first frame not yet sent
    std::map<std::size_t, MediaTime> missing;  ///< guest -> begin of what is not reported yet
    std::map<std::size_t, bool> missing_lost;
  };

  Line* find(std::uint64_t id);
  std::uint64_t line_of(const std::string& meeting, std::uint32_t epoch) const;
  void arrive(std::uint64_t id);
  void enter(std::uint64_t id);
  void end_line(std::uint64_t id, MediaNews news);
  void tell(const Line& line, const MediaNews& news);
  void show(const Line& line, std::size_t guest, bool present);
  void guest_moves(std::size_t room, std::size_t guest, bool in);
  void close(std::size_t room);
  void tick(std::uint64_t id);
  void send(Line& line);
  void send_guest(Line& line, std::size_t guest, MediaTime until);
  void report_missing(Line& line, std::size_t guest, MediaTime until);
  bool there(const Guest& guest) const { return guest.in <= world_.now() && world_.now() < guest.out; }
  void count_from(Line& line, Instant origin);
  Sound sound_of(const Guest& guest, Instant at) const;

  World& world_;
  const Scenario& scenario_;
  MediaListener* listener_ = nullptr;
  std::map<std::uint64_t, Line> lines_;
  std::uint64_t next_line_ = 1;
  std::map<std::size_t, Instant> down_until_;
  std::map<std::size_t, Instant> hangs_until_;
  std::map<std::pair<std::size_t, std::size_t>, Instant> lossy_until_;
  std::map<std::size_t, bool> admitted_;
  std::vector<std::int16_t> buffer_;
};

}  // namespace hansard::sim
