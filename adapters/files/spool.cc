#include "adapters/files/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

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

struct Record {
  MediaTime start;
  std::vector<std::int16_t> samples;
  std::size_t bytes = 0;
};

/// The record at `offset`; false when there is no whole one.
bool read_record(int fd, std::uint64_t offset, Record& out) {
  char header[8];
  if (::pread(fd, header, sizeof header, static_cast<off_t>(offset)) != static_cast<ssize_t>(sizeof header)) return false;
  const std::size_t n = get(header, 4);
  if (n == 0 || n > kMaxSamples) return false;
  std::string body(8 + 2 * n, '\0');
  if (::pread(fd, body.data(), body.size(), static_cast<off_t>(offset + 8)) != static_cast<ssize_t>(body.size())) return false;
  if (crc32c(body) != get(header + 4, 4)) return false;
  out.start.ms = static_cast<std::int64_t>(get(body.data(), 8));
  out.samples.resize(n);
  for (std::size_t i = 0; i < n; ++i) out.samples[i] = static_cast<std::int16_t>(get(body.data() + 8 + 2 * i, 2));
  out.bytes = kHeader + 2 * n;
  return true;
}

MediaTime end_of(MediaTime start, std::size_t samples) { return {start.ms + static_cast<std::int64_t>(samples) / kSamplesPerMs}; }

}  // namespace

std::string spool_folder_name(const std::string& meeting) { return sha256_hex(meeting, 32); }
std::string spool_file_name(const std::string& participant) { return sha256_hex(participant, 32) + ".pcm"; }

Result<SpoolFile> inspect_spool_file(int fd) {
  SpoolFile out;
  struct stat info {};
  if (::fstat(fd, &info) != 0) return posix::failed(kArea, "look at", "an audio file");
  out.size = static_cast<std::uint64_t>(info.st_size);
  std::string head(kMaxName, '\0');
  const ssize_t got = ::pread(fd, head.data(), head.size(), 0);
  head.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const auto line = head.find('\n');
  const auto name = line == std::string::npos ? Result<Json>(fail(ErrorClass::kCorrupt, kArea, "")) : Json::parse(head.substr(0, line));
  if (!name || !name->is_object()) return fail(ErrorClass::kCorrupt, kArea, "an audio file without its first line");
  out.participant = name->text_or("participant");
  out.whole = line + 1;
  Record record;
  while (out.whole < out.size && read_record(fd, out.whole, record)) {
    out.whole += record.bytes;
    ++out.records;
  }
  // A record that was being written ends beyond the file; one that does not is damaged.
  char length[4];
  if (out.size - std::min(out.size, out.whole) >= kHeader && ::pread(fd, length, sizeof length, static_cast<off_t>(out.whole)) == sizeof length) {
    const std::uint64_t n = get(length, 4);
    out.damaged = n == 0 || n > kMaxSamples || out.whole + kHeader + 2 * n <= out.size;
  }
  return out;
}

std::string DiskSpool::folder_of(const std::string& meeting) const { return folder_ + "/" + spool_folder_name(meeting); }

Result<DiskSpool::Track> DiskSpool::scan(const std::string& path) {
  Track track;
  track.file = posix::Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!track.file) return posix::failed(kArea, "open", path);
  std::string head(kMaxName, '\0');
  const ssize_t got = ::pread(track.file.get(), head.data(), head.size(), 0);
  head.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const auto line = head.find('\n');
  const auto name = line == std::string::npos ? Result<Json>(fail(ErrorClass::kCorrupt, kArea, "")) : Json::parse(head.substr(0, line));
  if (!name) return fail(ErrorClass::kCorrupt, kArea, "an audio file without its first line");
  track.participant = name->text_or("participant");
  track.size = line + 1;
  Record record;
  while (read_record(track.file.get(), track.size, record)) {
    if (track.seconds.empty()) track.start = record.start;
    if (track.seconds.empty() || record.start - track.seconds.back().first >= seconds(1)) track.seconds.emplace_back(record.start, track.size);
    track.end = end_of(record.start, record.samples.size());
    track.size += record.bytes;
  }
  if (::ftruncate(track.file.get(), static_cast<off_t>(track.size)) != 0) return posix::failed(kArea, "cut", path);
  return track;
}

Result<DiskSpool::Track*> DiskSpool::open(const std::string& meeting, const std::string& participant, bool create) {
  const auto key = std::pair(meeting, participant);
  if (const auto it = open_.find(key); it != open_.end()) return &it->second;
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
  return &open_.emplace(key, std::move(*track)).first->second;
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
    if (track.seconds.empty()) track.start = start;
    if (track.seconds.empty() || start - track.seconds.back().first >= seconds(1)) track.seconds.emplace_back(start, track.size);
    track.size += bytes.size();
    track.end = end_of(start, piece.size());
    start = track.end;
    samples = samples.subspan(piece.size());
  }
  return {};
}

Result<void> DiskSpool::read(const std::string& meeting, const std::string& participant, MediaTime from,
                             const std::function<bool(MediaTime, std::span<const std::int16_t>)>& take) {
  auto found = open(meeting, participant, false);
  if (!found) return pass(found);
  if (*found == nullptr || (*found)->seconds.empty()) return {};
  const Track& track = **found;
  // The last known place at or before `from`, or the first one.
  auto it = std::upper_bound(track.seconds.begin(), track.seconds.end(), from, [](MediaTime t, const auto& entry) { return t < entry.first; });
  if (it != track.seconds.begin()) --it;
  std::uint64_t offset = it->second;
  const std::uint64_t size = track.size;
  const int fd = track.file.get();
  Record record;
  while (offset < size && read_record(fd, offset, record)) {
    offset += record.bytes;
    if (end_of(record.start, record.samples.size()) <= from) continue;
    if (!take(record.start, record.samples)) return {};
  }
  return {};
}

Result<std::vector<SpooledTrack>> DiskSpool::tracks(const std::string& meeting) {
  std::vector<SpooledTrack> out;
  const std::string folder = folder_of(meeting);
  DIR* dir = ::opendir(folder.c_str());
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
    if (!track || track->seconds.empty()) continue;
    out.push_back({track->participant, track->start, track->end});
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
