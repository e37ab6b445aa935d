#include "adapters/files/secrets.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "adapters/files/files.h"
#include "adapters/files/posix.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "secrets";
constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxName = 100;
constexpr unsigned kOwnerOnlyFile = 0600;
constexpr unsigned kOwnerOnlyFolder = 0700;

bool is_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' && std::all_of(name.begin(), name.end(), good);
}

}  // namespace

Result<std::string> FileSecrets::path_of(std::string_view name) const {
  if (is_name(name)) return folder_ + "/" + std::string(name);
  return fail(ErrorClass::kInvalid, kArea, "a name may have letters, digits, '-', '_' and '.', and at most 80 characters");
}

Result<std::string> FileSecrets::read(std::string_view name) {
  auto path = path_of(name);
  return path ? read_file(*path, kMaxBytes) : path;
}

Result<void> FileSecrets::write(std::string_view name, std::string_view bytes) {
  auto path = path_of(name);
  if (!path) return pass(path);
  if (bytes.size() > kMaxBytes) return fail(ErrorClass::kInvalid, kArea, "a secret may have at most 1 MiB");
  if (auto made = make_folders(folder_, kOwnerOnlyFolder); !made) return made;
  return write_file(*path, bytes, kOwnerOnlyFile);
}

Result<void> FileSecrets::remove(std::string_view name) {
  auto path = path_of(name);
  if (!path) return pass(path);
  if (::unlink(path->c_str()) == 0 || errno == ENOENT) return {};
  return posix::failed(kArea, "remove", *path);
}

Result<std::vector<std::string>> FileSecrets::names() {
  std::vector<std::string> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (is_name(name)) out.push_back(name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(ErrorClass::kDenied, kArea, "cannot list " + folder_ + ": " + error.message());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace hansard
