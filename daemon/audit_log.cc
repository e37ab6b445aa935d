#include "daemon/audit_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "adapters/files/files.h"
#include "adapters/files/posix.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "audit";
constexpr Duration kAnchorRetry = minutes(1);

}  // namespace

std::optional<audit::Act> Refusals::due(Instant at, Duration since) {
  if (count_ == 0 || (told_ && since - *told_ < kRefusalGap)) return std::nullopt;
  told_ = since;
  return rest(at);
}

std::optional<audit::Act> Refusals::rest(Instant at) {
  if (count_ == 0) return std::nullopt;
  return audit::Act{at, std::string(audit::kByDaemon), std::string(audit::kRequestRefuse),
                    "count:" + std::to_string(std::exchange(count_, 0)), "no token"};
}

Result<void> AnchorFile::keep(Store& store, const Clock& clock, bool now) {
  if (path_.empty() || (!now && next_ && clock.monotonic() < *next_)) return {};
  next_ = clock.monotonic() + std::min(every_, kAnchorRetry);
  failing_ = true;
  const auto head = store.audit_head();
  if (!head) return std::unexpected(head.error());
  if (head->seq != written_) {
    if (auto r = add(audit::anchor_line(*head, clock.now())); !r) return r;
  }
  written_ = head->seq;
  next_ = clock.monotonic() + every_;
  failing_ = false;
  return {};
}

Result<void> AnchorFile::add(const std::string& line) {
  // A pipe that nobody reads is an error, not a wait.
  const posix::Descriptor file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600));
  const std::string text = (torn_ ? "\n" : "") + line;
  const ssize_t wrote = file ? ::write(file.get(), text.data(), text.size()) : -1;
  const bool whole = wrote == static_cast<ssize_t>(text.size());
  if (wrote > 0) torn_ = !whole;
  // What is no file on a disk cannot be synced and need not be.
  if (whole && (::fsync(file.get()) == 0 || errno == EINVAL || errno == EROFS)) return {};
  if (wrote >= 0 && !whole) errno = ENOSPC;
  return posix::failed(kArea, "add an anchor to", path_);
}

Result<audit::AnchorFile> read_anchor_file(const std::string& path) {
  const auto text = read_file(path, kMaxAnchorFile);
  if (!text) return std::unexpected(text.error());
  auto out = audit::read_anchors(*text);
  if (out.anchors.empty())
    return fail(ErrorClass::kInvalid, kArea,
                path + " holds no anchor: a line of it is SEQ HASH, as `hansard audit head` prints it");
  return out;
}

}  // namespace hansard
