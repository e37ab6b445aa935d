#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "adapters/files/files.h"
#include "adapters/sqlite/sqlite_store.h"
#include "daemon/app.h"
#include "daemon/backup.h"
#include "daemon/backup_file.h"
#include "daemon/data_dir.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kArea = "restore";

/// Removes a folder with all that is in it at the end of the scope.
struct RemovedFolder {
  std::string path;
  ~RemovedFolder() {
    std::error_code error;
    if (!path.empty()) fs::remove_all(path, error);
  }
};

Result<void> sync_folder(const fs::path& path) {
  const posix::Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return posix::failed(kArea, "write", path.string());
  return {};
}

class Restore {
 public:
  Restore(const Config& config, std::string backup, bool force, Instant now, const WorkProgress& progress)
      : config_(config), backup_(std::move(backup)), force_(force), now_(now), progress_(progress) {}

  Result<RestoreReport> run() {
    if (auto r = look_at_place(); !r) return pass(r);
    if (auto r = unpack(); !r) {
      if (r.error().code != ErrorClass::kExhausted) return pass(r);
      return fail(ErrorClass::kExhausted, kArea,
                  "no room for the restored data beside " + data_dir_ + ": free some space; nothing was changed");
    }
    if (auto r = verify(); !r) return pass(r);
    if (auto r = record(); !r) return pass(r);
    if (auto r = switch_over(); !r) return pass(r);
    place_minutes();
    report_.notes.insert(report_.notes.begin(), report_.backup.notes.begin(), report_.backup.notes.end());
    return std::move(report_);
  }

 private:
  Result<void> look_at_place() {
    std::error_code error;
    // The folder itself, not a link to it, is what gets another name.
    data_dir_ = fs::weakly_canonical(config_.data_dir, error).string();
    if (error) return fail(ErrorClass::kDenied, kArea, "cannot look at " + config_.data_dir + ": " + error.message());
    while (data_dir_.size() > 1 && data_dir_.ends_with('/')) data_dir_.pop_back();
    there_ = fs::exists(data_dir_, error);
    if (!there_) {
      if (auto r = make_folders(fs::path(data_dir_).parent_path().string(), 0700); !r) return r;
    } else if (!fs::is_directory(data_dir_, error)) {
      return fail(ErrorClass::kInvalid, kArea, data_dir_ + " is not a folder: name another data_dir");
    } else {
      auto locked = lock_data_dir(data_dir_);
      if (!locked && locked.error().code == ErrorClass::kConflict)
        return fail(ErrorClass::kConflict, kArea, "a hansard runs on " + data_dir_ + ": stop it first; nothing was changed");
      if (!locked) return pass(locked);
      old_lock_ = std::move(*locked);
      for (fs::directory_iterator it(data_dir_, error), end; !error && it != end; it.increment(error))
        empty_ = empty_ && it->path() == data_lock_path(data_dir_);
      if (!empty_ && !force_) {
        return fail(ErrorClass::kConflict, kArea,
                    data_dir_ +
                        " holds data: name another data_dir, or say --force, which keeps that data aside under another name; "
                        "nothing was changed");
      }
    }
    const std::string output = fs::weakly_canonical(config_.output_dir, error).string();
    if (output.starts_with(data_dir_ + "/")) minutes_inside_ = output.substr(data_dir_.size() + 1);
    return {};
  }

  std::string minutes_folder() const { return staging_.path + "/" + (minutes_inside_.empty() ? ".minutes" : minutes_inside_); }

  Result<posix::Descriptor> place(const std::string& name) {
    std::string path;
    if (name == backup_file::kStore) {
      path = store_path(staging_.path);
    } else if (name.starts_with(backup_file::kSecrets)) {
      path = secrets_folder(staging_.path) + "/" + name.substr(backup_file::kSecrets.size());
    } else if (name.starts_with(backup_file::kAudio)) {
      path = audio_folder(staging_.path) + "/" + name.substr(backup_file::kAudio.size());
    } else if (name.starts_with(backup_file::kMinutes)) {
      path = minutes_folder() + "/" + name.substr(backup_file::kMinutes.size());
    } else {
      return posix::Descriptor();  // the configuration: the one in force stays
    }
    if (auto r = make_folders(fs::path(path).parent_path().string(), 0700); !r) return pass(r);
    posix::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return posix::failed(kArea, "write", path);
    return file;
  }

  /// Beside the data directory, on its file system, so that the switch is a change of names.
  Result<void> unpack() {
    const std::string path = data_dir_ + ".restoring-" + std::to_string(::getpid());
    if (::mkdir(path.c_str(), 0700) != 0) return posix::failed(kArea, "make the folder", path);
    staging_.path = path;
    auto report = backup_file::read(backup_, [this](const std::string& name) { return place(name); }, progress_);
    if (!report) return pass(report);
    report_.backup = std::move(*report);
    std::error_code error;
    for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      if (!it->is_directory()) continue;
      if (auto r = sync_folder(it->path()); !r) return r;
    }
    return sync_folder(path);
  }

  Result<void> verify() {
    progress_("checking the restored store", 0, 0);
    auto examined = examine_store_file(store_path(staging_.path));
    if (!examined) return pass(examined);
    if (!examined->damage.empty() || examined->counts != report_.backup.store) {
      return fail(ErrorClass::kCorrupt, kArea,
                  "the store in " + backup_ + " is damaged or not the one it was: use another backup; nothing was changed");
    }
    std::size_t faults = examined->faults.size();
    auto store = open_sqlite_snapshot(store_path(staging_.path));
    if (!store && store.error().code == ErrorClass::kInvalid) {
      older_schema_ = true;
      report_.notes.push_back("the store has an older schema; the next `hansard serve` brings it up to date");
    } else if (!store) {
      return pass(store);
    } else {
      auto checked =
          host::check_store(**store, [this](auto done, auto total) { return progress_("checking meetings", done, total); });
      if (!checked) return pass(checked);
      faults += checked->faults.size();
      if (checked->audit.fault != audit::Fault::kNone)
        report_.notes.push_back("the audit log was not whole when it was backed up: " + audit::describe(checked->audit));
    }
    if (faults > 0)
      report_.notes.push_back("the restored store has " + std::to_string(faults) +
                              " faults, as it had when it was backed up: see `hansard check`");
    return {};
  }

  /// A log that goes on from an earlier moment must say so. One of an older schema has no log yet; it begins at the next start.
  Result<void> record() {
    if (older_schema_) return {};
    const audit::Act act{now_, std::string(audit::kByCli), std::string(audit::kBackupRestore),
                         "seq:" + std::to_string(report_.backup.store.audit_seq), std::string(audit::kOk)};
    if (auto r = append_to_audit(store_path(staging_.path), {&act, 1}); !r) return r;
    return sync_folder(staging_.path);
  }

  std::unexpected<Error> not_switched() {
    if (errno == EBUSY) {
      return fail(
          ErrorClass::kConflict, kArea,
          data_dir_ + " is a mount point and cannot get another name: set data_dir to a folder below it; nothing was changed");
    }
    return posix::failed(kArea, "switch over", data_dir_);
  }

  /// A folder name that is free, which says when and why.
  std::string aside() const {
    std::string stamp = format_rfc3339(Instant{now_.ms / 1000 * 1000});
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
    std::string name = data_dir_ + ".before-restore-" + stamp;
    std::error_code error;
    for (int n = 2; fs::exists(name, error); ++n) name = data_dir_ + ".before-restore-" + stamp + "-" + std::to_string(n);
    return name;
  }

  /// One rename, or one exchange of two names: there is no moment with half of each. The new folder is locked before, so that
  /// no daemon starts on it while this still works.
  Result<void> switch_over() {
    auto locked = lock_data_dir(staging_.path);
    if (!locked) return pass(locked);
    new_lock_ = std::move(*locked);
    const fs::path parent = fs::path(data_dir_).parent_path();
    if (!there_) {
      if (::renameat2(AT_FDCWD, staging_.path.c_str(), AT_FDCWD, data_dir_.c_str(), RENAME_NOREPLACE) != 0 &&
          (errno != EINVAL || ::rename(staging_.path.c_str(), data_dir_.c_str()) != 0)) {
        return not_switched();
      }
      staging_.path.clear();
      return sync_folder(parent);
    }
    const std::string kept = aside();
    if (::renameat2(AT_FDCWD, staging_.path.c_str(), AT_FDCWD, data_dir_.c_str(), RENAME_EXCHANGE) != 0) {
      // A file system that cannot exchange: two renames; the first is undone if the second fails.
      if (errno != EINVAL || ::rename(data_dir_.c_str(), kept.c_str()) != 0) return not_switched();
      if (::rename(staging_.path.c_str(), data_dir_.c_str()) != 0) {
        auto error = not_switched();
        (void)std::rename(kept.c_str(), data_dir_.c_str());
        return error;
      }
    } else if (!empty_ && ::rename(staging_.path.c_str(), kept.c_str()) != 0) {
      // It has been switched, and the old data is safe under the other name.
      report_.kept_aside = std::exchange(staging_.path, {});
      return sync_folder(parent);
    }
    if (!empty_) {
      staging_.path.clear();
      report_.kept_aside = kept;
    }  // else the destructor removes the empty folder of before
    return sync_folder(parent);
  }

  /// Minutes outside of the data directory: those that are missing. What is there may have been edited, and stays.
  void place_minutes() {
    if (!minutes_inside_.empty()) return;
    const fs::path from = fs::path(data_dir_) / ".minutes";
    std::error_code error;
    std::uint64_t left = 0;
    std::uint64_t failed = 0;
    for (fs::recursive_directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
      if (!it->is_regular_file()) continue;
      const fs::path to = fs::path(config_.output_dir) / it->path().lexically_relative(from);
      auto bytes = read_file(it->path().string(), 1u << 30);
      const auto present = read_file(to.string(), 1u << 30);
      if (bytes && present) {
        left += *bytes == *present ? 0 : 1;
        continue;
      }
      if (!bytes || !make_folders(to.parent_path().string(), 0700) || !write_file(to.string(), *bytes, 0600)) ++failed;
    }
    const std::string how = "; tar -xf " + backup_ + " minutes gives them";
    if (left > 0)
      report_.notes.push_back(std::to_string(left) + " files of minutes in " + config_.output_dir +
                              " differ from the backup's and were left as they are" + how);
    if (failed > 0)
      report_.notes.push_back(std::to_string(failed) + " files of minutes could not be written to " + config_.output_dir + how);
    fs::remove_all(from, error);
  }

  const Config& config_;
  std::string backup_;
  bool force_;
  Instant now_;
  const WorkProgress& progress_;
  std::string data_dir_;
  bool there_ = false;
  bool older_schema_ = false;
  bool empty_ = true;
  std::string minutes_inside_;  ///< the output folder's place in the data directory, empty: it lies elsewhere
  posix::Descriptor old_lock_;
  posix::Descriptor new_lock_;
  RemovedFolder staging_;
  RestoreReport report_;
};

}  // namespace

Result<RestoreReport> restore_backup(const Config& config, const std::string& path, bool force, Instant now,
                                     const WorkProgress& progress) {
  return Restore(config, path, force, now, progress).run();
}

}  // namespace hansard
