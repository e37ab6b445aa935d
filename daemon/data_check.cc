#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "adapters/files/posix.h"
#include "adapters/files/spool.h"
#include "adapters/sqlite/sqlite_store.h"
#include "daemon/app.h"
#include "daemon/audit_log.h"
#include "daemon/backup.h"
#include "daemon/data_dir.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeep = "keep a copy of the data folder, then restore the newest sound backup";

std::vector<fs::path> entries(const std::string& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) out.push_back(it->path());
  std::sort(out.begin(), out.end());
  return out;
}

void check_track(const fs::path& path, const std::string& where, DataCheck& out) {
  const posix::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return;  // recognized meanwhile
  if (!file) {
    out.faults.push_back({where, "audio that waits for a recognizer cannot be read", "check the file's owner and permissions"});
    return;
  }
  const auto track = inspect_spool_file(file.get());
  ++out.audio;
  if (!track || spool_file_name(track->participant) != path.filename().string()) {
    out.faults.push_back({where, "audio that waits for a recognizer has lost its first line: it will not be transcribed",
                          "restore a backup if you need it; the meeting's ledger will say it is lost"});
  } else if (track->damaged) {
    out.faults.push_back({where,
                          "audio that waits for a recognizer is damaged at byte " + std::to_string(track->whole) +
                              ": what follows will not be transcribed",
                          "restore a backup if you need it; the meeting's ledger will say it is lost"});
  } else if (track->whole < track->size) {
    out.notes.push_back(
        where +
        " ends in the middle of a record: it is being written, or a crash cut it, and is then cut to its last whole record");
  }
}

/// `folders` were listed before the store was read: a meeting that has audio was in the store before.
void check_audio(const std::vector<fs::path>& folders, const std::vector<std::string>& living, DataCheck& out) {
  std::set<std::string> waiting;
  for (const std::string& id : living) waiting.insert(spool_folder_name(id));
  for (const fs::path& folder : folders) {
    const std::string where = "audio/" + folder.filename().string();
    std::error_code error;
    if (!fs::exists(folder, error)) continue;  // recognized and removed meanwhile
    if (!waiting.contains(folder.filename().string())) {
      out.faults.push_back({where, "audio of no meeting that still waits for it: nobody will remove it", "remove this folder"});
      continue;
    }
    for (const fs::path& file : entries(folder.string())) check_track(file, where + "/" + file.filename().string(), out);
  }
}

void check_rights(const std::string& path, const std::string& where, DataCheck& out) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 077) == 0) return;
  out.faults.push_back({where, "others on this machine may read it, and nothing in it is encrypted", "chmod go= " + path});
}

/// Before the store is read: it has all rows that an anchor knows of.
std::vector<audit::Anchor> read_anchors(const Config& config, DataCheck& out) {
  if (config.audit_anchor_file.empty()) return {};
  auto file = read_anchor_file(config.audit_anchor_file);
  if (!file) {
    out.notes.push_back("the audit log is not compared with its anchors: " + file.error().detail);
    return {};
  }
  if (file->unreadable > 0)
    out.notes.push_back(std::to_string(file->unreadable) + " lines of " + config.audit_anchor_file + " are no anchors");
  return std::move(file->anchors);
}

}  // namespace

Result<DataCheck> check_data(const Config& config, const WorkProgress& progress) {
  DataCheck out;
  auto anchors = read_anchors(config, out);
  const auto folders = entries(audio_folder(config.data_dir));
  const std::string path = store_path(config.data_dir);
  progress("reading every page", 0, 0);
  auto examined = examine_store_file(path);
  if (!examined && examined.error().code == ErrorClass::kCorrupt) {
    out.faults.push_back({"store", "it cannot be opened: " + examined.error().detail, std::string(kKeep)});
    return out;
  }
  if (!examined) return pass(examined);
  for (const auto& line : examined->damage) out.faults.push_back({"store", "the file is damaged: " + line, std::string(kKeep)});
  for (const auto& line : examined->faults) out.faults.push_back({"store", line, std::string(kKeep)});
  out.store = examined->counts;
  if (!examined->damage.empty()) return out;
  auto store = open_sqlite_snapshot(path);
  if (!store) return pass(store);
  auto checked = host::check_store(
      **store, [&](auto done, auto total) { return progress("reading meetings", done, total); }, std::move(anchors));
  if (!checked && checked.error().code == ErrorClass::kCorrupt) {
    out.faults.push_back({"store", "a table cannot be read to its end", std::string(kKeep)});
    return out;
  }
  if (!checked) return pass(checked);
  out.audit = checked->audit;
  out.meetings = checked->meetings;
  out.utterances = checked->utterances;
  out.faults.insert(out.faults.end(), checked->faults.begin(), checked->faults.end());
  check_audio(folders, checked->living, out);
  check_rights(path, "store", out);
  for (const fs::path& secret : entries(secrets_folder(config.data_dir)))
    check_rights(secret.string(), "secrets/" + secret.filename().string(), out);
  return out;
}

}  // namespace hansard
