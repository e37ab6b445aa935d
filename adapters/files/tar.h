#pragma once
// A tar file of regular files (POSIX.1-1988 ustar; GNU long names and base-256 sizes where ustar ends), as any tar program
// reads it. The reader takes only what the writer writes, so that every byte of a file is checked: a header is compared with
// the one that the writer would have made, padding must be zero, and nothing may follow the end.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/time.h"

namespace hansard {

class TarWriter {
 public:
  /// Writes to `fd` from where it stands; each entry is owned by nobody in particular, mode 0600, changed at `at`.
  TarWriter(int fd, std::string path, Instant at) : fd_(fd), path_(std::move(path)), at_(at) {}

  /// Adds `bytes` as the file `name` ("a/b", at most 4096 bytes). The answer is its SHA-256 in hexadecimal.
  /// Errors: kExhausted (disk full), kUnavailable.
  Result<std::string> add(const std::string& name, std::string_view bytes);
  /// As add, from the first `size` bytes of `from`. `wrote` hears of each piece and says whether to go on.
  /// Errors: also kCorrupt (`from` has become shorter), kCancelled.
  Result<std::string> add_file(const std::string& name, int from, std::uint64_t size,
                               const std::function<bool(std::uint64_t)>& wrote);
  /// The end of the archive.
  Result<void> finish();

 private:
  Result<void> header(const std::string& name, std::uint64_t size);
  Result<void> put(std::string_view bytes);
  Result<void> pad(std::uint64_t size);

  int fd_;
  std::string path_;  ///< for messages
  Instant at_;
};

struct TarEntry {
  std::string name;
  std::uint64_t size = 0;
};

class TarReader {
 public:
  TarReader(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  /// The next file; nullopt at the end. What is left of the file before is passed over, and checked. Errors: kCorrupt (cut
  /// off, or a byte that does not fit), kUnavailable.
  Result<std::optional<TarEntry>> next();
  /// Gives the rest of the present file to `take`, in pieces of at most 64 KiB. Errors: as next, and those of `take`.
  Result<void> content(const std::function<Result<void>(std::string_view)>& take);

 private:
  /// Exactly `size` bytes.
  Result<std::string> get(std::size_t size);
  Result<void> end();
  std::unexpected<Error> damaged(const std::string& what) const;

  int fd_;
  std::string path_;
  std::uint64_t at_ = 0;     ///< position in the file
  std::uint64_t left_ = 0;   ///< of the present file
  std::size_t padding_ = 0;  ///< behind it
};

}  // namespace hansard
