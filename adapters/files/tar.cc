#include "adapters/files/tar.h"

#include <unistd.h>

#include <algorithm>

#include "adapters/files/posix.h"
#include "core/base/hash.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "backup";
constexpr std::size_t kBlock = 512;
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kShortName = 100;
constexpr std::size_t kMaxName = 4096;
constexpr std::string_view kLongName = "././@LongLink";
constexpr char kRegular = '0';
constexpr char kLong = 'L';
/// What twelve bytes of octal digits can say.
constexpr std::uint64_t kMaxOctal = (std::uint64_t{1} << 33) - 1;

struct Header {
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t mtime = 0;
  char type = kRegular;
};

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string out(digits, '0');
  for (std::size_t i = digits; i > 0; --i, value >>= 3) out[i - 1] = static_cast<char>('0' + (value & 7));
  return out;
}

/// A number field of twelve bytes.
std::string number(std::uint64_t value) {
  if (value <= kMaxOctal) return octal(value, 11) + '\0';
  std::string out(12, '\0');
  out[0] = static_cast<char>(0x80);
  for (std::size_t i = 12; i > 4; --i, value >>= 8) out[i - 1] = static_cast<char>(value & 0xff);
  return out;
}

std::uint64_t read_number(std::string_view field) {
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) {
    for (const char c : field.substr(4)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  for (const char c : field.substr(0, 11)) value = value << 3 | static_cast<std::uint64_t>((c - '0') & 7);
  return value;
}

std::string encode(const Header& h) {
  std::string out(kBlock, '\0');
  const auto set = [&out](std::size_t at, std::string_view bytes) { out.replace(at, bytes.size(), bytes); };
  set(0, std::string_view(h.name).substr(0, kShortName));
  set(100, "0000600");
  set(108, "0000000");
  set(116, "0000000");
  set(124, number(h.size));
  set(136, number(h.mtime));
  set(148, "        ");
  out[156] = h.type;
  set(257, std::string_view("ustar\0"
                            "00",
                            8));
  unsigned sum = 0;
  for (const char c : out) sum += static_cast<unsigned char>(c);
  set(148, octal(sum, 6) + '\0');
  return out;
}

Header decode(std::string_view block) {
  const std::string_view name = block.substr(0, kShortName);
  return {std::string(name.substr(0, name.find('\0'))), read_number(block.substr(124, 12)), read_number(block.substr(136, 12)),
          block[156]};
}

std::size_t padding_of(std::uint64_t size) { return static_cast<std::size_t>((kBlock - size % kBlock) % kBlock); }

bool all_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

}  // namespace

Result<void> TarWriter::put(std::string_view bytes) {
  if (!posix::write_all(fd_, bytes)) return posix::failed(kArea, "write", path_);
  return {};
}

Result<void> TarWriter::pad(std::uint64_t size) { return put(std::string(padding_of(size), '\0')); }

Result<void> TarWriter::header(const std::string& name, std::uint64_t size) {
  if (name.empty() || name.size() > kMaxName)
    return fail(ErrorClass::kInvalid, kArea, "a file name that is too long for a backup");
  const auto mtime = static_cast<std::uint64_t>(at_.ms / 1000);
  if (name.size() > kShortName) {
    const std::string text = name + '\0';
    if (auto r = put(encode({std::string(kLongName), text.size(), mtime, kLong}) + text); !r) return r;
    if (auto r = pad(text.size()); !r) return r;
  }
  return put(encode({name, size, mtime, kRegular}));
}

Result<std::string> TarWriter::add(const std::string& name, std::string_view bytes) {
  if (auto r = header(name, bytes.size()); !r) return pass(r);
  if (auto r = put(bytes); !r) return pass(r);
  if (auto r = pad(bytes.size()); !r) return pass(r);
  return sha256_hex(bytes);
}

Result<std::string> TarWriter::add_file(const std::string& name, int from, std::uint64_t size,
                                        const std::function<bool(std::uint64_t)>& wrote) {
  if (auto r = header(name, size); !r) return pass(r);
  Sha256 hash;
  std::string buffer(kPiece, '\0');
  for (std::uint64_t at = 0; at < size;) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size - at, kPiece));
    const ssize_t n = ::pread(from, buffer.data(), want, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return posix::failed(kArea, "read what goes into", path_);
    if (n == 0) return fail(ErrorClass::kCorrupt, kArea, name + " became shorter while it was copied: start the backup again");
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(n));
    hash.update(piece);
    if (auto r = put(piece); !r) return pass(r);
    at += piece.size();
    if (!wrote(piece.size())) return fail(ErrorClass::kCancelled, kArea, "interrupted; no backup was left");
  }
  if (auto r = pad(size); !r) return pass(r);
  return hash.finish_hex();
}

Result<void> TarWriter::finish() { return put(std::string(2 * kBlock, '\0')); }

std::unexpected<Error> TarReader::damaged(const std::string& what) const {
  return fail(ErrorClass::kCorrupt, kArea,
              path_ + " is damaged or cut off (" + what + ", near byte " + std::to_string(at_) + "): use another backup");
}

Result<std::string> TarReader::get(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t have = 0; have < size;) {
    const ssize_t n = ::read(fd_, out.data() + have, size - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return posix::failed(kArea, "read", path_);
    if (n == 0) return damaged("it ends too early");
    have += static_cast<std::size_t>(n);
    at_ += static_cast<std::uint64_t>(n);
  }
  return out;
}

Result<std::optional<TarEntry>> TarReader::next() {
  if (auto r = content([](std::string_view) { return Result<void>(); }); !r) return pass(r);
  std::string long_name;
  while (true) {
    auto block = get(kBlock);
    if (!block) return pass(block);
    if (all_zero(*block)) {
      if (!long_name.empty()) return damaged("a name without a file");
      if (auto r = end(); !r) return pass(r);
      return std::nullopt;
    }
    const Header h = decode(*block);
    // The same bytes again, or a byte has changed.
    const bool fits =
        (h.type == kRegular && !h.name.empty() && long_name.substr(0, kShortName) == (long_name.empty() ? "" : h.name)) ||
        (h.type == kLong && long_name.empty() && h.name == kLongName && h.size > kShortName + 1 && h.size <= kMaxName + 1);
    if (!fits || encode(h) != *block) return damaged("a header");
    if (h.type == kLong) {
      auto text = get(static_cast<std::size_t>(h.size));
      if (!text) return pass(text);
      auto zeros = get(padding_of(h.size));
      if (!zeros) return pass(zeros);
      if (text->find('\0') != text->size() - 1 || !all_zero(*zeros)) return damaged("a long name");
      text->pop_back();
      long_name = std::move(*text);
      continue;
    }
    left_ = h.size;
    padding_ = padding_of(h.size);
    return TarEntry{long_name.empty() ? h.name : long_name, h.size};
  }
}

Result<void> TarReader::content(const std::function<Result<void>(std::string_view)>& take) {
  while (left_ > 0) {
    auto piece = get(static_cast<std::size_t>(std::min<std::uint64_t>(left_, kPiece)));
    if (!piece) return pass(piece);
    left_ -= piece->size();
    if (auto r = take(*piece); !r) return r;
  }
  auto zeros = get(std::exchange(padding_, 0));
  if (!zeros) return pass(zeros);
  if (!all_zero(*zeros)) return damaged("padding");
  return {};
}

Result<void> TarReader::end() {
  auto second = get(kBlock);
  if (!second) return pass(second);
  char more = 0;
  if (!all_zero(*second) || ::read(fd_, &more, 1) != 0) return damaged("its end");
  return {};
}

}  // namespace hansard
