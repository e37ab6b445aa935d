#include "daemon/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "adapters/files/files.h"
#include "core/base/text.h"
#include "daemon/system.h"

namespace hansard {

Result<posix::Descriptor> lock_data_dir(const std::string& data_dir) {
  const std::string path = data_lock_path(data_dir);
  posix::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return posix::failed("daemon", "open", path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    // For people alone: what counts is the lock.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) == 0) (void)!::pwrite(file.get(), pid.data(), pid.size(), 0);
    return file;
  }
  char text[24];
  const ssize_t size = ::pread(file.get(), text, sizeof text, 0);
  std::int64_t pid = 0;
  const bool known = size > 0 && parse_digits(trim(std::string_view(text, static_cast<std::size_t>(size))), pid);
  return fail(ErrorClass::kConflict, "daemon",
              "another hansard" + (known ? " (process " + std::to_string(pid) + ")" : std::string()) + " runs on " + data_dir +
                  "; stop it (`hansard stop --now`), or give this one its own data_dir");
}

Result<std::string> keep_api_token(const std::string& data_dir) {
  const std::string path = api_token_path(data_dir);
  const auto kept = read_file(path, 4096);
  if (kept && trim(*kept).size() >= 16) return std::string(trim(*kept));
  const std::string made = random_hex(24);
  if (auto written = write_file(path, made + "\n", 0600); !written) return pass(written);
  return made;
}

bool data_dir_in_use(const std::string& data_dir) {
  const posix::Descriptor file(::open(data_lock_path(data_dir).c_str(), O_RDONLY | O_CLOEXEC));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0;
}

}  // namespace hansard
