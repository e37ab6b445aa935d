#include "sim/disk.h"

#include <iterator>
#include <utility>

namespace hansard::sim {

Result<void> Spool::append(const std::string& meeting, const std::string& participant, MediaTime start,
                           std::span<const std::int16_t> samples) {
  if (full_until_ > world_.now() || world_.must_fail()) {
    ++world_.faults[Fault::kSpoolFull];
    return fail(ErrorClass::kExhausted, "spool", "disk full");
  }
  auto& pieces = audio_[meeting][participant];
  if (!pieces.empty() && start < pieces.back().end) violations.push_back("audio was written before the end of what is there");
  Piece piece{start, start + Duration{static_cast<std::int64_t>(samples.size() / kSamplesPerMs)}, {}};
  listen(start, samples, [&](const Stretch& s) { piece.sounds.push_back(s); });
  pieces.push_back(std::move(piece));
  return {};
}

void Spool::tear() {
  bool second = false;
  for (auto& [meeting, tracks] : audio_) {
    for (auto it = tracks.begin(); it != tracks.end();) {
      if (!std::exchange(second, !second)) {
        it->second.pop_back();
        ++world_.faults[Fault::kSpoolTorn];
      }
      it = it->second.empty() ? tracks.erase(it) : std::next(it);
    }
  }
}

Result<void> Spool::read(const std::string& meeting, const std::string& participant, MediaTime from,
                         const std::function<bool(const SpooledPiece&)>& take) {
  if (unreadable_until_ > world_.now() || world_.must_fail()) {
    ++world_.faults[Fault::kSpoolReadFails];
    return fail(ErrorClass::kUnavailable, "spool", "read error");
  }
  const auto m = audio_.find(meeting);
  if (m == audio_.end()) return {};
  const auto p = m->second.find(participant);
  if (p == m->second.end()) return {};
  std::vector<std::int16_t> samples;
  for (const Piece& piece : p->second) {
    if (piece.end <= from) continue;
    samples.assign(static_cast<std::size_t>((piece.end - piece.start).ms) * kSamplesPerMs, 0);
    for (const Stretch& s : piece.sounds) {
      Sound sound = s.sound;
      const std::int64_t into_frame = s.start.ms % kFrameMs;
      if (sound.speech != 0) sound.offset_ms -= static_cast<std::int32_t>(into_frame);
      render(std::span(samples).subspan(static_cast<std::size_t>((s.start - piece.start).ms) * kSamplesPerMs,
                                        static_cast<std::size_t>((s.end - s.start).ms) * kSamplesPerMs),
             sound);
    }
    if (!take({piece.start, piece.end, samples})) break;
  }
  return {};
}

Result<std::vector<SpooledTrack>> Spool::tracks(const std::string& meeting) {
  std::vector<SpooledTrack> out;
  const auto m = audio_.find(meeting);
  if (m == audio_.end()) return out;
  for (const auto& [participant, pieces] : m->second) out.push_back({participant, pieces.front().start, pieces.back().end});
  return out;
}

Result<void> Spool::remove(const std::string& meeting) {
  if (stuck_until_ > world_.now() || world_.must_fail()) {
    ++world_.faults[Fault::kSpoolNotRemoved];
    return fail(ErrorClass::kUnavailable, "spool", "busy");
  }
  audio_.erase(meeting);
  return {};
}

Result<std::string> Disk::write(const std::string& name, const std::string& bytes) {
  if (full_until_ > world_.now() || world_.must_fail()) {
    ++world_.faults[Fault::kMinutesFailed];
    return fail(ErrorClass::kExhausted, "files", "disk full");
  }
  files[name] = bytes;
  return "/minutes/" + name;
}

Result<std::string> Disk::read(const std::string& path, std::size_t max_bytes) {
  const auto it = files.find(path);
  if (it == files.end()) return fail(ErrorClass::kNotFound, "files", "no such file");
  if (it->second.size() > max_bytes) return fail(ErrorClass::kExhausted, "files", "too large");
  return it->second;
}

Result<std::vector<std::string>> Disk::list(const std::string& folder, std::string_view suffix, std::size_t max_files) {
  if (files.contains(folder)) return fail(ErrorClass::kConflict, "files", "not a folder");
  std::vector<std::string> out;
  for (auto it = files.lower_bound(folder + "/"); it != files.end() && it->first.starts_with(folder + "/"); ++it) {
    const std::string name = it->first.substr(folder.size() + 1);
    if (name.ends_with(suffix) && name.find('/') == std::string::npos) out.push_back(name);
  }
  if (out.empty()) return fail(ErrorClass::kNotFound, "files", "no such folder");
  if (out.size() > max_files) return fail(ErrorClass::kExhausted, "files", "too many files");
  return out;
}

}  // namespace hansard::sim
