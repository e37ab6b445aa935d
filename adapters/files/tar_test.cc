#include "adapters/files/tar.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "adapters/files/files.h"
#include "adapters/files/posix.h"
#include "core/base/hash.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

class TarTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/hansard-tar-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { fs::remove_all(folder); }

  std::string path() const { return folder + "/a.tar"; }

  void write(const std::map<std::string, std::string>& contents) {
    const posix::Descriptor out(::open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    TarWriter tar(out.get(), path(), Instant{1'700'000'000'000});
    for (const auto& [name, bytes] : contents) {
      const auto hash = tar.add(name, bytes);
      ASSERT_TRUE(hash);
      EXPECT_EQ(*hash, sha256_hex(bytes));
    }
    ASSERT_TRUE(tar.finish());
  }
  Result<std::map<std::string, std::string>> read() {
    const posix::Descriptor in(::open(path().c_str(), O_RDONLY));
    TarReader tar(in.get(), path());
    std::map<std::string, std::string> out;
    while (true) {
      auto entry = tar.next();
      if (!entry) return pass(entry);
      if (!*entry) return out;
      std::string& bytes = out[(*entry)->name];
      auto r = tar.content([&](std::string_view piece) {
        bytes += piece;
        return Result<void>();
      });
      if (!r) return pass(r);
    }
  }

  const std::map<std::string, std::string> files{
      {"a", ""}, {"b/c", "hello"}, {"d", std::string(512, 'x')}, {"e/" + std::string(200, 'n'), std::string(70'000, 'y')}};
  std::string folder;
};

TEST_F(TarTest, GivesBackWhatWasWritten) {
  write(files);
  const auto back = read();
  ASSERT_TRUE(back) << back.error().detail;
  EXPECT_EQ(*back, files);
}

TEST_F(TarTest, OtherProgramsReadIt) {
  write(files);
  const std::string out = folder + "/out";
  fs::create_directory(out);
  if (std::system("tar --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "there is no tar program";
  ASSERT_EQ(std::system(("tar -xf '" + path() + "' -C '" + out + "'").c_str()), 0);
  for (const auto& [name, bytes] : files) EXPECT_EQ(*read_file(out + "/" + name, 1 << 20), bytes);
}

TEST_F(TarTest, FindsEveryChangedByteOutsideOfContents) {
  write({{"a", ""}, {"long/" + std::string(120, 'n'), "hello"}});
  const std::string good = *read_file(path(), 1 << 20);
  const std::size_t content = good.find("hello");
  const std::size_t name = good.find("long/");  // its first hundred bytes stand in the header as well
  const posix::Descriptor file(::open(path().c_str(), O_WRONLY));
  for (std::size_t i = 0; i < good.size(); ++i) {
    if ((i >= content && i < content + 5) || (i >= name + 100 && i < name + 125)) continue;
    for (const char flip : {'\x01', '\x80'}) {
      const char bad = static_cast<char>(good[i] ^ flip);
      ASSERT_EQ(::pwrite(file.get(), &bad, 1, static_cast<off_t>(i)), 1);
      ASSERT_FALSE(read()) << "byte " << i;
    }
    ASSERT_EQ(::pwrite(file.get(), &good[i], 1, static_cast<off_t>(i)), 1);
  }
  EXPECT_TRUE(read());
}

TEST_F(TarTest, FindsEveryLengthThatIsNotTheWhole) {
  write(files);
  const auto size = fs::file_size(path());
  std::ofstream(path(), std::ios::binary | std::ios::app) << 'x';
  EXPECT_FALSE(read());
  for (auto left = static_cast<std::int64_t>(size) - 1; left >= 0; left -= 197) {
    fs::resize_file(path(), static_cast<std::uintmax_t>(left));
    const auto r = read();
    ASSERT_FALSE(r) << left;
    EXPECT_EQ(r.error().code, ErrorClass::kCorrupt);
  }
}

TEST_F(TarTest, CarriesSizesBeyondOctal) {
  // Only the header: nine gigabytes are not written in a test.
  const posix::Descriptor out(::open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
  TarWriter tar(out.get(), path(), Instant{});
  const posix::Descriptor nothing(::open("/dev/null", O_RDONLY));
  EXPECT_FALSE(tar.add_file("big", nothing.get(), std::uint64_t{9} << 30, [](std::uint64_t) { return true; }));
  const posix::Descriptor in(::open(path().c_str(), O_RDONLY));
  TarReader reader(in.get(), path());
  const auto entry = reader.next();
  ASSERT_TRUE(entry && *entry);
  EXPECT_EQ((*entry)->size, std::uint64_t{9} << 30);
}

}  // namespace
}  // namespace hansard
