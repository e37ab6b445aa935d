#pragma once
// Captured audio on disk. One file a participant: MEETING/HASH.pcm, beginning with a line of JSON that names the
// participant, then records of u32 n | u32 crc32c of the rest | i64 media ms | n s16 samples, little endian. A file is cut
// behind its last whole record when it is opened, so a crash in the middle of a write loses that record alone; a damaged record
// between two whole ones is stepped over.
#include <list>
#include <map>
#include <string>

#include "adapters/files/posix.h"
#include "ports/audio_spool.h"

namespace hansard {

/// Files of tracks held open. One more closes the one that was used the longest ago; it is opened again when it is needed.
constexpr std::size_t kMaxOpenTracks = 128;

/// A track's file, read without changing it.
struct SpoolFile {
  std::string participant;
  std::uint64_t size = 0;   ///< of the file
  std::uint64_t whole = 0;  ///< up to the end of the last whole record
  std::uint64_t records = 0;
  bool damaged = false;  ///< a record does not verify, other than one that was being written
};

/// Reads every record of an open track file. Errors: kCorrupt (it does not begin with its first line).
Result<SpoolFile> inspect_spool_file(int fd);
/// The name of a meeting's folder, and of a participant's file in it.
std::string spool_folder_name(const std::string& meeting);
std::string spool_file_name(const std::string& participant);

class DiskSpool final : public AudioSpool {
 public:
  explicit DiskSpool(std::string folder) : folder_(std::move(folder)) {}

  Result<void> append(const std::string& meeting, const std::string& participant, MediaTime start,
                      std::span<const std::int16_t> samples) override;
  Result<void> read(const std::string& meeting, const std::string& participant, MediaTime from,
                    const std::function<bool(const SpooledPiece&)>& take) override;
  Result<std::vector<SpooledTrack>> tracks(const std::string& meeting) override;
  Result<void> remove(const std::string& meeting) override;

 private:
  struct Track {
    /// A record of so many samples stands at `offset`.
    void add(MediaTime at, std::uint64_t offset, std::size_t samples);
    std::string participant;
    posix::Descriptor file;  ///< empty: not open now
    std::uint64_t used = 0;  ///< when, as a count of uses
    std::uint64_t size = 0;  ///< of the whole records
    MediaTime start;
    MediaTime end;
    std::vector<std::pair<MediaTime, std::uint64_t>> seconds;  ///< where to begin reading, about one entry a second
  };

  std::string folder_of(const std::string& meeting) const;
  Result<Track*> open(const std::string& meeting, const std::string& participant, bool create);
  Result<Track> scan(const std::string& path);
  /// Opens the track's file when it is not.
  Result<void> reopen(const std::string& meeting, Track& track);

  std::string folder_;
  std::map<std::pair<std::string, std::string>, Track> open_;  ///< known tracks
  std::uint64_t uses_ = 0;
};

}  // namespace hansard
