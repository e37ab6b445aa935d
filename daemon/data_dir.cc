#include "daemon/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>

namespace hansard {

Result<posix::Descriptor> lock_data_dir(const std::string& data_dir) {
  const std::string path = data_lock_path(data_dir);
  posix::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return posix::failed("daemon", "open", path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  return fail(ErrorClass::kConflict, "daemon",
              "another hansard runs on " + data_dir + "; stop it, or give this one its own data_dir");
}

}  // namespace hansard
