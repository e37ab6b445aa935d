#pragma once
// Calendars in files: one file, or every .ics file of a folder. A file that cannot be read (half written by another program,
// no permission) keeps its last readable version for as long as it is there: its meetings are not taken for deleted.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/calendar/event.h"
#include "ports/files.h"

namespace hansard::host {

class CalendarFiles {
 public:
  explicit CalendarFiles(Files& files) : files_(files) {}

  /// Reads `path` again. Errors: the file's own, when it is one; for a folder kNotFound, kDenied, kExhausted.
  Result<void> read(const std::string& path);
  /// What the last read() of `path` gave, each file by itself, in the order of their names.
  std::vector<const calendar::Calendar*> documents(const std::string& path) const;
  /// Which files of the folder could not be read. At most 10.
  std::vector<std::string> notes(const std::string& path) const;

 private:
  struct File {
    std::string hash;  ///< of the bytes that `calendar` was read from
    std::shared_ptr<const calendar::Calendar> calendar;
  };
  struct Place {
    std::map<std::string, File> files;  ///< by name
    std::vector<std::string> notes;
  };
  Result<void> read_one(const std::string& path, std::size_t max_bytes, File& file, std::size_t& size);

  Files& files_;
  std::map<std::string, Place> places_;
};

}  // namespace hansard::host
