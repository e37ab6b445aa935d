#pragma once
#include <string>

#include "ports/files.h"

namespace hansard {

/// Files on the local file system.
class DiskFiles final : public Files {
 public:
  /// `output_dir` takes what write() writes; free_bytes() looks at the file system of `data_dir`.
  DiskFiles(std::string output_dir, std::string data_dir) : output_dir_(std::move(output_dir)), data_dir_(std::move(data_dir)) {}

  Result<std::string> write(const std::string& name, const std::string& bytes) override;
  Result<std::string> read(const std::string& path, std::size_t max_bytes) override;
  Result<std::vector<std::string>> list(const std::string& folder, std::string_view suffix, std::size_t max_files) override;
  Result<std::uint64_t> free_bytes() override;

 private:
  std::string output_dir_;
  std::string data_dir_;
};

/// Makes the folder and those above it, with the mode for the new ones. Errors: kExhausted, kDenied, kInvalid.
Result<void> make_folders(const std::string& path, unsigned mode);

/// Writes whole or not at all to `path`, durable when it returns.
Result<void> write_file(const std::string& path, std::string_view bytes, unsigned mode);

/// The whole file. Errors: kNotFound, kDenied, kExhausted (larger than `max_bytes`).
Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

}  // namespace hansard
