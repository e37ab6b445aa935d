#include "host/calendar_files.h"

#include <algorithm>

#include "core/base/hash.h"

namespace hansard::host {
namespace {

constexpr std::size_t kMaxFiles = 5'000;
constexpr std::size_t kMaxFolderBytes = 64u << 20;
constexpr std::size_t kMaxNotes = 10;

}  // namespace

Result<void> CalendarFiles::read_one(const std::string& path, std::size_t max_bytes, File& file, std::size_t& size) {
  const auto bytes = files_.read(path, max_bytes);
  if (!bytes) return std::unexpected(bytes.error());
  size = bytes->size();
  std::string hash = sha256_hex(*bytes);
  if (file.calendar && hash == file.hash) return {};
  auto calendar = calendar::read_calendar(*bytes);
  if (!calendar) return pass(calendar);
  file.hash = std::move(hash);
  file.calendar = std::make_shared<const calendar::Calendar>(std::move(*calendar));
  return {};
}

Result<void> CalendarFiles::read(const std::string& path) {
  Place& place = places_[path];
  std::size_t size = 0;
  auto names = files_.list(path, ".ics", kMaxFiles);
  if (!names && names.error().code == ErrorClass::kConflict) {
    return read_one(path, calendar::ReadLimits{}.max_bytes, place.files[""], size);
  }
  if (!names) return pass(names);
  place.notes.clear();
  std::erase_if(place.files, [&](const auto& f) { return !std::binary_search(names->begin(), names->end(), f.first); });
  if (names->empty()) place.notes.emplace_back("the folder holds no .ics file");
  std::size_t total = 0;
  for (const std::string& name : *names) {
    const std::size_t room = std::min(kMaxFolderBytes - total, calendar::ReadLimits{}.max_bytes);
    File& file = place.files[name];
    size = 0;
    const auto done = read_one(path + "/" + name, room, file, size);
    total += size;
    if (done || place.notes.size() >= kMaxNotes) continue;
    place.notes.push_back(name + (file.calendar ? " cannot be read, its last readable version is kept: " : " was left out: ") +
                          done.error().detail);
  }
  return {};
}

std::vector<const calendar::Calendar*> CalendarFiles::documents(const std::string& path) const {
  std::vector<const calendar::Calendar*> out;
  const auto place = places_.find(path);
  if (place == places_.end()) return out;
  for (const auto& [name, file] : place->second.files) {
    if (file.calendar) out.push_back(file.calendar.get());
  }
  return out;
}

std::vector<std::string> CalendarFiles::notes(const std::string& path) const {
  const auto place = places_.find(path);
  return place == places_.end() ? std::vector<std::string>{} : place->second.notes;
}

}  // namespace hansard::host
