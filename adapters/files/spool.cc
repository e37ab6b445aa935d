#include "adapters/files/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "adapters/files/files.h"
#include "core/base/hash.h"
#include "core/base/json.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "spool";
constexpr std::size_t kHeader = 16;
constexpr std::size_t kMaxSamples = 16'000;
constexpr std::size_t kMaxName = 4096;
constexpr int kSamplesPerMs = 16;
/// Bytes read at a time while looking for the record behind a damaged one.
constexpr std::size_t kSearchWindow = 64 << 10;

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}
std::uint64_t get(const char* s, int bytes) {
  std::uint64_t v = 0;
  for (int i = 0; i < bytes; ++i) v |= static_cast<std::uint64_t>(static_cast<unsigned char>(s[i])) << (8 * i);
  return v;
}

std::string encode(MediaTime start, std::span<const std::int16_t> samples) {
  std::string body;
  body.reserve(8 + 2 * samples.size());
  put(body, static_cast<std::uint64_t>(start.ms), 8);
  for (const std::int16_t s : samples) put(body, static_cast<std::uint16_t>(s), 2);
  std::string out;
  put(out, samples.size(), 4);
  put(out, crc32c(body), 4);
  return out + body;
}

MediaTime end_of(MediaTime start, std::size_t samples) { return {start.ms + static_cast<std::int64_t>(samples) / kSamplesPerMs}; }

struct Record {
  MediaTime start;
  std::vector<std::int16_t> samples;
  std::size_t bytes = 0;
};

/// All that lies at `offset`, up to `bytes`. Errors: kUnavailable (the disk does not give it).
Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t bytes) {
  std::string out(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t n = ::pread(fd, out.data() + got, bytes - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(ErrorClass::kUnavailable, kArea, std::string("audio cannot be read: ") + std::strerror(errno));
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  out.resize(got);
  return out;
}

std::size_t size_of(std::size_t samples) { return kHeader + 2 * samples; }

struct Head {
  std::string participant;
  std::uint64_t bytes = 0;  ///< with the line break: the first record follows
};

/// The first line of a file. Errors: kCorrupt (there is none), kUnavailable.
Result<Head> read_head(int fd) {
  const auto text = read_at(fd, 0, kMaxName);
  if (!text) return std::unexpected(text.error());
  const auto line = text->find('\n');
  const auto head = Json::parse(std::string_view(*text).substr(0, line));
  if (line == std::string::npos || !head || !head->is_object()) {
    return fail(ErrorClass::kCorrupt, kArea, "an audio file without its first line");
  }
  return Head{head->text_or("participant"), line + 1};
}

/// The record at `offset`; false when there is no whole one. Errors: kUnavailable.
Result<bool> read_record(int fd, std::uint64_t offset, Record& out) {
  const auto header = read_at(fd, offset, kHeader);
  if (!header) return std::unexpected(header.error());
  if (header->size() < kHeader) return false;
  const std::size_t n = get(header->data(), 4);
  if (n == 0 || n > kMaxSamples) return false;
  const auto body = read_at(fd, offset + 8, size_of(n) - 8);
  if (!body) return std::unexpected(body.error());
  if (body->size() != size_of(n) - 8 || crc32c(*body) != get(header->data() + 4, 4)) return false;
  out.start.ms = static_cast<std::int64_t>(get(body->data(), 8));
  out.samples.resize(n);
  for (std::size_t i = 0; i < n; ++i) out.samples[i] = static_cast<std::int16_t>(get(body->data() + 8 + 2 * i, 2));
  out.bytes = size_of(n);
  return true;
}

/// Where the next whole record begins behind a place where there is none, or `size`. First where the damaged one should end;
/// else anywhere: its length itself may be damaged. What looks like a record must be of a time between `after` and a day later.
/// Errors: kUnavailable.
Result<std::uint64_t> next_record(int fd, std::uint64_t offset, std::uint64_t size, MediaTime after, Record& out) {
  const auto is_one = [&](std::uint64_t at) -> Result<bool> {
    auto whole = read_record(fd, at, out);
    return whole && *whole && (out.start < after || out.start > after + hours(24)) ? Result<bool>(false) : whole;
  };
  std::string window;
  std::uint64_t window_at = offset;
  for (std::uint64_t at = offset; at + kHeader < size; ++at) {
    if (at + kHeader > window_at + window.size()) {
      auto read = read_at(fd, at, kSearchWindow);
      if (!read) return std::unexpected(read.error());
      window = std::move(*read);
      window_at = at;
      if (window.size() < kHeader) break;
    }
    const char* header = window.data() + (at - window_at);
    const std::uint64_t n = get(header, 4);
    if (n == 0 || n > kMaxSamples) continue;
    if (at == offset) {
      const auto whole = at + size_of(n) < size ? is_one(at + size_of(n)) : Result<bool>(false);
      if (!whole) return std::unexpected(whole.error());
      if (*whole) return at + size_of(n);
      continue;
    }
    const MediaTime start{static_cast<std::int64_t>(get(header + 8, 8))};
    if (at + size_of(n) > size || start < after || start > after + hours(24)) continue;
    const auto whole = is_one(at);
    if (!whole) return std::unexpected(whole.error());
    if (*whole) return at;
  }
  return size;
}

/// The time of a damaged record that takes the bytes from `offset` to `next`: the begin that it says itself and the length that
/// it has when that fits between its neighbours, else all between them.
std::pair<MediaTime, MediaTime> damaged_span(int fd, std::uint64_t offset, std::uint64_t next, MediaTime after,
                                             MediaTime before) {
  const auto header = read_at(fd, offset, kHeader);
  if (!header || header->size() < kHeader || next < offset + kHeader) return {after, before};
  const MediaTime start{static_cast<std::int64_t>(get(header->data() + 8, 8))};
  if (start < after || start > before) return {after, before};
  const MediaTime end = end_of(start, (next - offset - kHeader) / 2);
  return end > start && end <= before ? std::pair(start, end) : std::pair(after, before);
}

/// Calls `take(offset, record)` for each whole record from `offset` on and `damaged(offset, next, after, before)` for what lies
/// between two of them, in bytes and in time, until one returns false; answers where the last whole record taken ends. What does
/// not verify at the end of the file is neither: it was being written. `end` is the time where what stands before `offset` ends.
/// Errors: kUnavailable.
template <class Take, class Damaged>
Result<std::uint64_t> walk(int fd, std::uint64_t offset, std::uint64_t size, MediaTime end, const Take& take,
                           const Damaged& damaged) {
  Record record;
  while (offset < size) {
    const auto whole = read_record(fd, offset, record);
    if (!whole) return std::unexpected(whole.error());
    if (!*whole) {
      const auto next = next_record(fd, offset, size, end, record);
      if (!next) return std::unexpected(next.error());
      if (*next >= size || !damaged(offset, *next, end, record.start)) return offset;
      offset = *next;
    }
    const std::uint64_t at = offset;
    offset += record.bytes;
    end = end_of(record.start, record.samples.size());
    if (!take(at, record)) break;
  }
  return offset;
}

}  // namespace

std::string spool_folder_name(const std::string& meeting) { return sha256_hex(meeting, 32); }
std::string spool_file_name(const std::string& participant) { return sha256_hex(participant, 32) + ".pcm"; }

Result<SpoolFile> inspect_spool_file(int fd) {
  SpoolFile out;
  struct stat info{};
  if (::fstat(fd, &info) != 0) return posix::failed(kArea, "look at", "an audio file");
  out.size = static_cast<std::uint64_t>(info.st_size);
  const auto head = read_head(fd);
  if (!head) return std::unexpected(head.error());
  out.participant = head->participant;
  auto whole = walk(
      fd, head->bytes, out.size, {},
      [&](std::uint64_t, const Record&) {
        ++out.records;
        return true;
      },
      [&](std::uint64_t, std::uint64_t, MediaTime, MediaTime) { return out.damaged = true; });
  if (!whole) return pass(whole);
  out.whole = *whole;
  // A record that was being written ends beyond the file; one that does not is damaged.
  char length[4];
  if (out.size - std::min(out.size, out.whole) >= kHeader &&
      ::pread(fd, length, sizeof length, static_cast<off_t>(out.whole)) == sizeof length) {
    const std::uint64_t n = get(length, 4);
    out.damaged = out.damaged || n == 0 || n > kMaxSamples || out.whole + size_of(n) <= out.size;
  }
  return out;
}

void DiskSpool::Track::add(MediaTime at, std::uint64_t offset, std::size_t samples) {
  if (seconds.empty()) start = at;
  if (seconds.empty() || at - seconds.back().first >= hansard::seconds(1)) seconds.emplace_back(at, offset);
  end = end_of(at, samples);
}

std::string DiskSpool::folder_of(const std::string& meeting) const { return folder_ + "/" + spool_folder_name(meeting); }

Result<DiskSpool::Track> DiskSpool::scan(const std::string& path) {
  Track track;
  track.file = posix::Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!track.file) return posix::failed(kArea, "open", path);
  const auto head = read_head(track.file.get());
  if (!head) return std::unexpected(head.error());
  track.participant = head->participant;
  struct stat info{};
  if (::fstat(track.file.get(), &info) != 0) return posix::failed(kArea, "look at", path);
  auto whole = walk(
      track.file.get(), head->bytes, static_cast<std::uint64_t>(info.st_size), {},
      [&](std::uint64_t at, const Record& record) {
        track.add(record.start, at, record.samples.size());
        return true;
      },
      [](std::uint64_t, std::uint64_t, MediaTime, MediaTime) { return true; });
  if (!whole) return pass(whole);
  track.size = *whole;
  if (::ftruncate(track.file.get(), static_cast<off_t>(track.size)) != 0) return posix::failed(kArea, "cut", path);
  return track;
}

Result<DiskSpool::Track*> DiskSpool::open(const std::string& meeting, const std::string& participant, bool create) {
  const auto key = std::pair(meeting, participant);
  if (const auto it = open_.find(key); it != open_.end()) {
    if (auto r = reopen(meeting, it->second); !r) return pass(r);
    return &it->second;
  }
  const std::string path = folder_of(meeting) + "/" + spool_file_name(participant);
  auto track = scan(path);
  if (!track && track.error().code != ErrorClass::kNotFound && track.error().code != ErrorClass::kCorrupt) return pass(track);
  if (!track) {
    if (!create) return nullptr;
    if (auto made = make_folders(folder_of(meeting), 0700); !made) return pass(made);
    Json head = Json::object();
    head.set("participant", participant);
    const posix::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file || !posix::write_all(file.get(), head.dump() + "\n")) return posix::failed(kArea, "write", path);
    track = scan(path);
    if (!track) return pass(track);
  }
  Track& known = open_.emplace(key, std::move(*track)).first->second;
  if (auto r = reopen(meeting, known); !r) return pass(r);
  return &known;
}

Result<void> DiskSpool::reopen(const std::string& meeting, Track& track) {
  track.used = ++uses_;
  if (!track.file) {
    const std::string path = folder_of(meeting) + "/" + spool_file_name(track.participant);
    track.file = posix::Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!track.file) return posix::failed(kArea, "open", path);
  }
  Track* oldest = nullptr;
  std::size_t count = 0;
  for (auto& [key, other] : open_) {
    if (!other.file) continue;
    ++count;
    if (&other != &track && (oldest == nullptr || other.used < oldest->used)) oldest = &other;
  }
  if (count > kMaxOpenTracks) oldest->file = posix::Descriptor();
  return {};
}

Result<void> DiskSpool::append(const std::string& meeting, const std::string& participant, MediaTime start,
                               std::span<const std::int16_t> samples) {
  auto found = open(meeting, participant, true);
  if (!found) return pass(found);
  Track& track = **found;
  while (!samples.empty()) {
    const auto piece = samples.first(std::min(samples.size(), kMaxSamples));
    const std::string bytes = encode(start, piece);
    ssize_t n = ::pwrite(track.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(track.size));
    if (n != static_cast<ssize_t>(bytes.size())) {
      if (n >= 0) errno = ENOSPC;  // a short write to a regular file: no room for the rest
      auto error = posix::failed(kArea, "write audio to", folder_);
      (void)!::ftruncate(track.file.get(), static_cast<off_t>(track.size));
      return error;
    }
    track.add(start, track.size, piece.size());
    track.size += bytes.size();
    start = track.end;
    samples = samples.subspan(piece.size());
  }
  return {};
}

Result<void> DiskSpool::read(const std::string& meeting, const std::string& participant, MediaTime from,
                             const std::function<bool(const SpooledPiece&)>& take) {
  auto found = open(meeting, participant, false);
  if (!found) return pass(found);
  if (*found == nullptr || (*found)->seconds.empty()) return {};
  const Track& track = **found;
  // The last known place at or before `from`, or the first one.
  auto it = std::upper_bound(track.seconds.begin(), track.seconds.end(), from,
                             [](MediaTime t, const auto& entry) { return t < entry.first; });
  if (it != track.seconds.begin()) --it;
  const int fd = track.file.get();
  bool more = true;
  MediaTime last = it->first;
  const auto give = [&](MediaTime start, MediaTime end, std::span<const std::int16_t> samples) {
    last = end;
    more = end <= from || take({start, end, samples});
    return more;
  };
  auto walked = walk(
      fd, it->second, track.size, it->first,
      [&](std::uint64_t, const Record& record) {
        return give(record.start, end_of(record.start, record.samples.size()), record.samples);
      },
      [&](std::uint64_t at, std::uint64_t next, MediaTime after, MediaTime before) {
        const auto [start, end] = damaged_span(fd, at, next, after, before);
        return give(start, end, {});
      });
  if (!walked) return pass(walked);
  // Damaged at the very end: no record behind it says so.
  if (more && *walked < track.size) {
    const auto [start, end] = damaged_span(fd, *walked, track.size, last, track.end);
    give(start, end, {});
  }
  return {};
}

Result<std::vector<SpooledTrack>> DiskSpool::tracks(const std::string& meeting) {
  std::vector<SpooledTrack> out;
  const std::string folder = folder_of(meeting);
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr && errno != ENOENT)
    return fail(ErrorClass::kUnavailable, kArea,
                std::string("the folder of a meeting's audio cannot be read: ") + std::strerror(errno));
  if (dir == nullptr) return out;
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir)) {
    if (std::string_view(entry->d_name).ends_with(".pcm")) names.emplace_back(entry->d_name);
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    // A file that cannot be read is not a reason to hide the others.
    const auto it = std::find_if(open_.begin(), open_.end(), [&](const auto& entry) {
      return entry.first.first == meeting && spool_file_name(entry.first.second) == name;
    });
    if (it != open_.end()) {
      if (!it->second.seconds.empty()) out.push_back({it->second.participant, it->second.start, it->second.end});
      continue;
    }
    auto track = scan(folder + "/" + name);
    if (!track && retryable(track.error().code)) return pass(track);
    if (!track || track->seconds.empty()) continue;
    out.push_back({track->participant, track->start, track->end});
    track->file = posix::Descriptor();
    const auto key = std::pair(meeting, track->participant);
    open_.emplace(key, std::move(*track));
  }
  return out;
}

Result<void> DiskSpool::remove(const std::string& meeting) {
  std::erase_if(open_, [&](const auto& entry) { return entry.first.first == meeting; });
  const std::string folder = folder_of(meeting);
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return {};
  while (const dirent* entry = ::readdir(dir)) {
    if (entry->d_name[0] != '.') ::unlink((folder + "/" + entry->d_name).c_str());
  }
  ::closedir(dir);
  if (::rmdir(folder.c_str()) != 0) return posix::failed(kArea, "remove", folder);
  return {};
}

}  // namespace hansard
