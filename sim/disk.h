#pragma once
// The files of the simulated machine: captured audio and the minutes. Both outlive the daemon.
#include <map>
#include <string>
#include <vector>

#include "ports/audio_spool.h"
#include "ports/files.h"
#include "sim/voice.h"
#include "sim/world.h"

namespace hansard::sim {

/// Keeps what the samples say, not the samples.
class Spool final : public AudioSpool {
 public:
  explicit Spool(World& world) : world_(world) {}

  Result<void> append(const std::string& meeting, const std::string& participant, MediaTime start,
                      std::span<const std::int16_t> samples) override;
  Result<void> read(const std::string& meeting, const std::string& participant, MediaTime from,
                    const std::function<bool(const SpooledPiece&)>& take) override;
  Result<std::vector<SpooledTrack>> tracks(const std::string& meeting) override;
  Result<void> remove(const std::string& meeting) override;

  void full(Duration length) { full_until_ = world_.now() + length; }
  void not_removable(Duration length) { stuck_until_ = world_.now() + length; }
  /// Not longer than audio is asked for again.
  void not_readable(Duration length) {
    if (world_.now() > unreadable_until_ + minutes(2)) unreadable_until_ = world_.now() + length;
  }
  /// The machine loses power: the last record of every second track was not written whole, and is cut off.
  void tear();
  std::size_t meetings() const { return audio_.size(); }

  std::vector<std::string> violations;

 private:
  struct Piece {
    MediaTime start;
    MediaTime end;
    std::vector<Stretch> sounds;
  };
  World& world_;
  std::map<std::string, std::map<std::string, std::vector<Piece>>> audio_;
  Instant full_until_;
  Instant stuck_until_;
  Instant unreadable_until_;
};

class Disk final : public Files {
 public:
  explicit Disk(World& world) : world_(world) {}
  Result<std::string> write(const std::string& name, const std::string& bytes) override;
  Result<std::string> read(const std::string& path, std::size_t max_bytes) override;
  Result<std::vector<std::string>> list(const std::string& folder, std::string_view suffix, std::size_t max_files) override;
  Result<std::uint64_t> free_bytes() override { return std::uint64_t{1} << 40; }

  void full(Duration length) { full_until_ = world_.now() + length; }

  std::map<std::string, std::string> files;

 private:
  World& world_;
  Instant full_until_;
};

}  // namespace hansard::sim
