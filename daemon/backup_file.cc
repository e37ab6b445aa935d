#include "daemon/backup_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <map>

#include "adapters/files/tar.h"
#include "core/base/hash.h"
#include "core/base/text.h"

namespace hansard::backup_file {
namespace {

constexpr std::string_view kArea = "backup";
constexpr std::uint64_t kMaxHead = 64 * 1024;
constexpr std::uint64_t kMaxSums = 64u << 20;

Result<std::string> read_text(TarReader& tar, const TarEntry& entry, std::uint64_t limit) {
  if (entry.size > limit)
    return fail(ErrorClass::kCorrupt, kArea, entry.name + " is too large for what it is: use another backup");
  std::string out;
  auto r = tar.content([&](std::string_view piece) {
    out += piece;
    return Result<void>();
  });
  if (!r) return pass(r);
  return out;
}

Result<Head> read_head(TarReader& tar, const std::string& path, std::string& sum) {
  const auto foreign = [&] {
    return fail(ErrorClass::kCorrupt, kArea, path + " is not a backup of hansard, or it is damaged: name another file");
  };
  auto entry = tar.next();
  if (!entry && entry.error().code != ErrorClass::kCorrupt) return pass(entry);
  if (!entry || !*entry || (*entry)->name != kHead) return foreign();
  auto text = read_text(tar, **entry, kMaxHead);
  if (!text) return pass(text);
  sum = sha256_hex(*text);
  const auto json = Json::parse(*text);
  // A newer format may say everything else in another way.
  const std::int64_t format = json ? json->int_or("format", 0) : 0;
  if (format > kFormat) {
    return fail(ErrorClass::kInvalid, kArea,
                path + " has backup format " + std::to_string(format) + ", this version of hansard knows " +
                    std::to_string(kFormat) + ": use the version that made it, or a newer one");
  }
  if (format < 1) return foreign();
  auto head = from_json<Head>(*json);
  if (!head) return foreign();
  return head;
}

/// "HEX  NAME" lines, as sha256sum reads them.
Result<std::map<std::string, std::string>> parse_sums(const std::string& text, const std::string& path) {
  std::map<std::string, std::string> out;
  for (const auto line : split(text, '\n')) {
    if (line.empty() && line.data() == text.data() + text.size()) continue;
    if (line.size() < 67 || line.substr(64, 2) != "  " || !out.emplace(line.substr(66), line.substr(0, 64)).second) {
      return fail(ErrorClass::kCorrupt, kArea, path + " is damaged (its list of sums): use another backup");
    }
  }
  return out;
}

void count(BackupReport& report, std::string_view name) {
  if (name.starts_with(kSecrets)) ++report.secrets;
  if (name.starts_with(kAudio)) ++report.audio;
  if (name.starts_with(kMinutes)) ++report.minutes;
  if (name == kConfiguration) report.configuration = true;
}

}  // namespace

bool good_name(std::string_view name) {
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7f) return false;
  }
  for (const auto part : split(name, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return name == kStore || name == kConfiguration || name.starts_with(kSecrets) || name.starts_with(kAudio) ||
         name.starts_with(kMinutes);
}

Result<BackupReport> read(const std::string& path, const std::function<Result<posix::Descriptor>(const std::string& name)>& place,
                          const WorkProgress& progress) {
  const posix::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0) return posix::failed(kArea, "read", path);
  if (!S_ISREG(info.st_mode))
    return fail(ErrorClass::kInvalid, kArea, path + " is not a file: name a backup that `hansard backup` wrote");
  BackupReport report;
  report.path = path;
  report.bytes = static_cast<std::uint64_t>(info.st_size);
  const auto damaged = [&](const std::string& what) {
    return fail(ErrorClass::kCorrupt, kArea, path + " is damaged (" + what + "): use another backup");
  };

  TarReader tar(file.get(), path);
  std::map<std::string, std::string> sums;
  auto head = read_head(tar, path, sums[std::string(kHead)]);
  if (!head) return pass(head);
  report.created = head->created;
  report.made_by = head->hansard;
  report.store = head->store;
  std::uint64_t done = 0;
  while (true) {
    auto entry = tar.next();
    if (!entry) return pass(entry);
    if (!*entry) return damaged("its end is missing");
    const std::string name = (*entry)->name;
    if (name == kSums) {
      auto text = read_text(tar, **entry, kMaxSums);
      if (!text) return pass(text);
      const auto wanted = parse_sums(*text, path);
      if (!wanted) return std::unexpected(wanted.error());
      if (*wanted != sums) return damaged("a file is not what its sum says, or one is missing");
      auto last = tar.next();
      if (!last) return pass(last);
      if (*last || !sums.contains(std::string(kStore))) return damaged("its list of sums is not the end");
      return report;
    }
    if (!good_name(name) || sums.contains(name)) return damaged("a name that does not belong there");
    count(report, name);
    auto out = place(name);
    if (!out) return pass(out);
    Sha256 hash;
    auto r = tar.content([&](std::string_view piece) -> Result<void> {
      hash.update(piece);
      if (*out && !posix::write_all(out->get(), piece)) return posix::failed(kArea, "write", name);
      done += piece.size();
      if (!progress(*out ? "unpacking" : "verifying", done, report.bytes))
        return fail(ErrorClass::kCancelled, kArea, "interrupted; nothing was changed");
      return {};
    });
    if (!r) return pass(r);
    if (*out && ::fsync(out->get()) != 0) return posix::failed(kArea, "write", name);
    sums[name] = hash.finish_hex();
  }
}

}  // namespace hansard::backup_file
