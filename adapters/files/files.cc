#include "adapters/files/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <memory>

#include "adapters/files/posix.h"
#include "core/base/text.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "files";

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// A relative path that stays below its folder.
bool stays_below(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string::npos) return false;
  return name != ".." && !name.starts_with("../") && name.find("/../") == std::string::npos && !name.ends_with("/..");
}

}  // namespace

Result<void> make_folders(const std::string& path, unsigned mode) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) == 0 || errno == EEXIST) continue;
    struct stat info{};
    if (::stat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    return posix::failed(kArea, "make the folder", part);
  }
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return fail(ErrorClass::kInvalid, kArea, path + " is not a folder; remove it or choose another one");
  }
  return {};
}

Result<void> write_file(const std::string& path, std::string_view bytes, unsigned mode) {
  const std::string temporary = path + ".part";
  posix::Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file) return posix::failed(kArea, "write", path);
  if (!posix::write_all(file.get(), bytes) || ::fsync(file.get()) != 0) {
    auto error = posix::failed(kArea, "write", path);
    ::unlink(temporary.c_str());
    return error;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto error = posix::failed(kArea, "write", path);
    ::unlink(temporary.c_str());
    return error;
  }
  const posix::Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
  return {};
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const posix::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return posix::failed(kArea, "read", path);
  std::string out;
  char buffer[65536];
  while (true) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n == 0) return out;
    if (n < 0) {
      if (errno == EINTR) continue;
      return posix::failed(kArea, "read", path);
    }
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > max_bytes) {
      return fail(ErrorClass::kExhausted, kArea,
                  path + " is larger than " + std::to_string(max_bytes) + " bytes; it was not read");
    }
  }
}

Result<std::string> DiskFiles::write(const std::string& name, const std::string& bytes) {
  if (!stays_below(name)) return fail(ErrorClass::kDenied, kArea, "a file name that leaves the output folder");
  const std::string path = output_dir_ + "/" + name;
  if (auto made = make_folders(folder_of(path), 0700); !made) return pass(made);
  if (auto written = write_file(path, bytes, 0600); !written) return pass(written);
  return path;
}

Result<std::string> DiskFiles::read(const std::string& path, std::size_t max_bytes) { return read_file(path, max_bytes); }

Result<std::vector<std::string>> DiskFiles::list(const std::string& folder, std::string_view suffix, std::size_t max_files) {
  struct Close {
    void operator()(DIR* d) const { ::closedir(d); }
  };
  const std::unique_ptr<DIR, Close> dir(::opendir(folder.c_str()));
  if (!dir && errno == ENOTDIR) return fail(ErrorClass::kConflict, kArea, folder + " is not a folder");
  if (!dir) return posix::failed(kArea, "read the folder", folder);
  std::vector<std::string> out;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name.starts_with('.') || name.size() < suffix.size()) continue;
    if (!equals_ignore_case(std::string_view(name).substr(name.size() - suffix.size()), suffix)) continue;
    struct stat info{};
    if (::fstatat(::dirfd(dir.get()), name.c_str(), &info, 0) != 0 || !S_ISREG(info.st_mode)) continue;
    if (out.size() == max_files) {
      return fail(ErrorClass::kExhausted, kArea,
                  folder + " holds more than " + std::to_string(max_files) + " files; use a smaller folder");
    }
    out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::uint64_t> DiskFiles::free_bytes() {
  struct statvfs info{};
  if (::statvfs(data_dir_.c_str(), &info) != 0) return posix::failed(kArea, "look at", data_dir_);
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

}  // namespace hansard
