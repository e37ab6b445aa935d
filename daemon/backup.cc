#include "daemon/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "adapters/files/files.h"
#include "adapters/files/secrets.h"
#include "adapters/files/spool.h"
#include "adapters/files/tar.h"
#include "adapters/sqlite/sqlite_store.h"
#include "daemon/app.h"
#include "daemon/backup_file.h"
#include "daemon/data_dir.h"
#include "daemon/system.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kArea = "backup";

/// Removes what it names at the end of the scope.
struct Removed {
  std::string path;
  ~Removed() {
    if (!path.empty()) ::unlink(path.c_str());
  }
};

/// Tracks of the audio spool, held open: their bytes stay even when the daemon removes the files meanwhile.
class PinnedAudio {
 public:
  explicit PinnedAudio(std::string folder) : folder_(std::move(folder)) {}

  /// Opens what is there and not yet open. Call it before and after the store's moment is fixed.
  Result<void> pin() {
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() != ".pcm") continue;
      const std::string name = it->path().parent_path().filename().string() + "/" + it->path().filename().string();
      if (files_.contains(name)) continue;
      posix::Descriptor file(::open(it->path().c_str(), O_RDONLY | O_CLOEXEC));
      // Removed since it was listed: its meeting is over.
      if (!file && errno == ENOENT) continue;
      if (!file) return posix::failed(kArea, "read", it->path().string());
      files_.emplace(name, std::move(file));
    }
    if (error && error != std::errc::no_such_file_or_directory)
      return fail(ErrorClass::kDenied, kArea, "cannot list " + folder_ + ": " + error.message());
    return {};
  }

  const std::map<std::string, posix::Descriptor>& files() const { return files_; }

 private:
  std::string folder_;
  std::map<std::string, posix::Descriptor> files_;
};

class Backup {
 public:
  Backup(const Config& config, std::string target, Instant now, const WorkProgress& progress)
      : config_(config), target_(std::move(target)), created_(now), progress_(progress), audio_(audio_folder(config.data_dir)) {}

  Result<BackupReport> run() {
    if (auto r = choose_name(); !r) return pass(r);
    part_.path = target_ + ".part-" + std::to_string(::getpid());
    copy_.path = part_.path + "-store";
    auto r = copy_store();
    if (r) r = write();
    if (!r && r.error().code == ErrorClass::kExhausted) {
      return fail(ErrorClass::kExhausted, kArea,
                  "no room for the backup in " + folder() +
                      " (it needs about twice the store's size): free some space, or name another place; nothing was left there");
    }
    if (!r) return pass(r);
    auto report = verify_backup(part_.path, progress_);
    if (!report) return report;
    record(audit::kOk);
    if (auto named = publish(); !named) {
      record("failed");
      return pass(named);
    }
    report->path = target_;
    report->notes = std::move(notes_);
    return report;
  }

 private:
  std::string folder() const {
    const auto parent = fs::path(target_).parent_path().string();
    return parent.empty() ? "." : parent;
  }

  Result<void> choose_name() {
    std::error_code error;
    if (fs::is_directory(target_, error)) {
      std::string stamp = format_rfc3339(Instant{created_.ms / 1000 * 1000});
      std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
      target_ += (target_.ends_with('/') ? "" : "/") + ("hansard-backup-" + stamp + ".tar");
    }
    if (fs::exists(target_, error))
      return fail(ErrorClass::kConflict, kArea, target_ + " is there already: name another file, or a folder");
    if (!fs::is_directory(folder(), error))
      return fail(ErrorClass::kNotFound, kArea, "there is no folder " + folder() + ": make it, or name another one");
    const fs::path data = fs::weakly_canonical(config_.data_dir, error);
    const fs::path place = fs::weakly_canonical(folder(), error);
    if (std::mismatch(data.begin(), data.end(), place.begin(), place.end()).first == data.end()) {
      return fail(ErrorClass::kInvalid, kArea,
                  "a backup inside of " + config_.data_dir + " would be lost with it: name another place, best another disk");
    }
    return {};
  }

  /// Audio first, then the store's moment, then the audio that came in between: whatever the copied store still waits for is
  /// held open, and what it says was recognized needs no audio any more.
  Result<void> copy_store() {
    if (auto r = audio_.pin(); !r) return r;
    auto r = copy_store_file(
        store_path(config_.data_dir), copy_.path, [this] { return audio_.pin(); },
        [this](std::uint64_t done, std::uint64_t total) { return progress_("copying the store, pages", done, total); });
    if (!r) return r;
    progress_("checking the copy", 0, 0);
    auto examined = examine_store_file(copy_.path);
    if (!examined) return pass(examined);
    if (!examined->damage.empty()) {
      return fail(ErrorClass::kCorrupt, kArea,
                  "the store is damaged, and a backup would be as well (`hansard check` says where): keep a copy of " +
                      config_.data_dir + ", then restore an older backup");
    }
    counts_ = examined->counts;
    std::size_t faults = examined->faults.size();
    auto store = open_sqlite_snapshot(copy_.path);
    if (!store && store.error().code == ErrorClass::kInvalid) {
      waiting_unknown_ = true;  // an older schema: kept with all its audio
      return {};
    }
    if (!store) return pass(store);
    auto checked =
        host::check_store(**store, [this](auto done, auto total) { return progress_("checking meetings", done, total); });
    if (!checked) return pass(checked);
    faults += checked->faults.size();
    if (faults > 0)
      notes_.push_back("the store has " + std::to_string(faults) +
                       " faults, and the backup holds it as it is: see `hansard check`");
    for (const auto& id : checked->living) waiting_.insert(spool_folder_name(id));
    minutes_ = std::move(checked->minutes);
    return {};
  }

  Result<void> write() {
    posix::Descriptor out(::open(part_.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!out) return posix::failed(kArea, "write", target_);
    TarWriter tar(out.get(), target_, created_);
    const backup_file::Head head{backup_file::kFormat, HANSARD_VERSION, format_rfc3339(created_), counts_};
    if (auto r = add(tar, std::string(backup_file::kHead), json_text(head) + "\n"); !r) return r;
    const posix::Descriptor copy(::open(copy_.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!copy) return posix::failed(kArea, "read", copy_.path);
    if (auto r = add_open(tar, std::string(backup_file::kStore), copy.get()); !r) return r;
    if (auto r = add_settings(tar); !r) return r;
    if (auto r = add_audio(tar); !r) return r;
    if (auto r = add_minutes(tar); !r) return r;
    if (auto r = tar.add(std::string(backup_file::kSums), sums_); !r) return pass(r);
    if (auto r = tar.finish(); !r) return r;
    if (::fsync(out.get()) != 0) return posix::failed(kArea, "write", target_);
    // So that it is read back from the disk, as far as the system allows.
    ::posix_fadvise(out.get(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
  }

  void summed(const std::string& name, const std::string& hash) { sums_ += hash + "  " + name + "\n"; }

  Result<void> add(TarWriter& tar, const std::string& name, std::string_view bytes) {
    auto hash = tar.add(name, bytes);
    if (!hash) return pass(hash);
    summed(name, *hash);
    return {};
  }

  Result<void> add_open(TarWriter& tar, const std::string& name, int fd, std::optional<std::uint64_t> size = {}) {
    struct stat info{};
    if (!size && ::fstat(fd, &info) != 0) return posix::failed(kArea, "read", name);
    const std::uint64_t bytes = size.value_or(static_cast<std::uint64_t>(info.st_size));
    std::uint64_t done = 0;
    auto hash = tar.add_file(name, fd, bytes, [&](std::uint64_t n) { return progress_("writing", done += n, bytes); });
    if (!hash) return pass(hash);
    summed(name, *hash);
    return {};
  }

  /// The secrets after the store: a token that was renewed meanwhile has made the older one worthless.
  Result<void> add_settings(TarWriter& tar) {
    if (!config_.path.empty()) {
      auto text = read_file(config_.path, 16u << 20);
      if (!text) return pass(text);
      if (auto r = add(tar, std::string(backup_file::kConfiguration), *text); !r) return r;
    }
    FileSecrets secrets(secrets_folder(config_.data_dir));
    auto names = secrets.names();
    if (!names) return pass(names);
    for (const std::string& name : *names) {
      if (name.ends_with(".part")) continue;  // being written
      auto secret = secrets.read(name);
      if (!secret && secret.error().code == ErrorClass::kNotFound) continue;
      if (!secret) return pass(secret);
      if (auto r = add(tar, std::string(backup_file::kSecrets) + name, *secret); !r) return r;
    }
    return {};
  }

  Result<void> add_audio(TarWriter& tar) {
    for (const auto& [name, file] : audio_.files()) {
      if (!waiting_unknown_ && !waiting_.contains(name.substr(0, name.find('/')))) continue;  // its meeting is over
      const auto track = inspect_spool_file(file.get());
      if (!track) {
        notes_.push_back("audio/" + name + " cannot be read and is not in the backup");
        continue;
      }
      if (track->damaged)
        notes_.push_back("audio/" + name + " is damaged after " + std::to_string(track->records) +
                         " records; what comes before is in the backup");
      if (auto r = add_open(tar, std::string(backup_file::kAudio) + name, file.get(), track->whole); !r) return r;
    }
    return {};
  }

  /// The files that the records name, as far as they lie in the output folder: a folder of yours may hold more than minutes.
  Result<void> add_minutes(TarWriter& tar) {
    const std::string base = config_.output_dir + "/";
    std::uint64_t missing = 0;
    std::set<std::string> seen;
    for (const std::string& path : minutes_) {
      const std::string name = path.starts_with(base) ? std::string(backup_file::kMinutes) + path.substr(base.size()) : "";
      if (!name.empty() && !seen.insert(name).second) continue;
      const posix::Descriptor file(name.empty() || !backup_file::good_name(name) ? -1
                                                                                 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      struct stat info{};
      if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        ++missing;
        continue;
      }
      if (auto r = add_open(tar, name, file.get()); !r) return r;
    }
    if (missing > 0)
      notes_.push_back(std::to_string(missing) + " files of minutes are not in " + config_.output_dir +
                       " any more and not in the backup; the store has what they say");
    return {};
  }

  /// In the log of the store that was copied, before anybody can have the copy.
  void record(std::string_view outcome) {
    const audit::Act act{system_now(), std::string(audit::kByCli), std::string(audit::kBackupMake),
                         "seq:" + std::to_string(counts_.audit_seq), std::string(outcome)};
    if (auto r = append_to_audit(store_path(config_.data_dir), {&act, 1}); !r)
      notes_.push_back("the audit log of the store does not tell of this backup: " + r.error().detail);
  }

  Result<void> publish() {
    if (::renameat2(AT_FDCWD, part_.path.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) != 0) {
      if (errno == EEXIST)
        return fail(ErrorClass::kConflict, kArea, target_ + " is there already: name another file, or a folder");
      // A file system that cannot promise it: the name was free a moment ago.
      if (errno != EINVAL || ::rename(part_.path.c_str(), target_.c_str()) != 0) return posix::failed(kArea, "write", target_);
    }
    part_.path.clear();
    const posix::Descriptor parent(::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) != 0) return posix::failed(kArea, "write", target_);
    return {};
  }

  const Config& config_;
  std::string target_;
  Instant created_;
  const WorkProgress& progress_;
  PinnedAudio audio_;
  Removed part_;
  Removed copy_;
  StoreCounts counts_;
  bool waiting_unknown_ = false;
  std::set<std::string> waiting_;  ///< spool folders of the meetings that live in the copied store
  std::vector<std::string> minutes_;
  std::string sums_;
  std::vector<std::string> notes_;
};

}  // namespace

Result<BackupReport> make_backup(const Config& config, const std::string& target, Instant now, const WorkProgress& progress) {
  return Backup(config, target, now, progress).run();
}

Result<BackupReport> verify_backup(const std::string& path, const WorkProgress& progress) {
  return backup_file::read(path, [](const std::string&) -> Result<posix::Descriptor> { return posix::Descriptor(); }, progress);
}

}  // namespace hansard
