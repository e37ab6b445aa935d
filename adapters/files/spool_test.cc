#include "adapters/files/spool.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "adapters/files/files.h"
#include "adapters/files/posix.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

class SpoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/hansard-spool-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { fs::remove_all(folder); }

  std::vector<std::int16_t> ramp(std::size_t n, int from) {
    std::vector<std::int16_t> out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::int16_t>(from + static_cast<int>(i % 1000));
    return out;
  }
  /// Everything from `from` on as (start of the first piece, samples).
  std::pair<std::int64_t, std::vector<std::int16_t>> all(DiskSpool& spool, MediaTime from = {0}) {
    std::pair<std::int64_t, std::vector<std::int16_t>> out{-1, {}};
    EXPECT_TRUE(spool.read("m", "p", from, [&](MediaTime start, std::span<const std::int16_t> samples) {
      if (out.first < 0) out.first = start.ms;
      out.second.insert(out.second.end(), samples.begin(), samples.end());
      return true;
    }));
    return out;
  }
  fs::path the_file() {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".pcm") return entry.path();
    }
    return {};
  }

  std::string folder;
};

TEST_F(SpoolTest, GivesBackWhatWasWrittenAlsoAfterANewStart) {
  {
    DiskSpool spool(folder);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(spool.append("m", "p", {i * 100}, ramp(1600, i)));
    EXPECT_EQ(all(spool, {2500}).first, 2500 - 2500 % 100);
  }
  DiskSpool spool(folder);
  const auto tracks = spool.tracks("m");
  ASSERT_TRUE(tracks);
  ASSERT_EQ(tracks->size(), 1u);
  EXPECT_EQ((*tracks)[0].participant, "p");
  EXPECT_EQ((*tracks)[0].end.ms, 5000);
  EXPECT_EQ(all(spool).second.size(), 80'000u);
  EXPECT_EQ(all(spool, {4950}).first, 4900);
  EXPECT_EQ(all(spool, {5000}).first, -1);
}

TEST_F(SpoolTest, CutsATornRecordAndGoesOn) {
  for (const int lost : {1, 7, 100, 3000}) {
    fs::remove_all(folder);
    {
      DiskSpool spool(folder);
      ASSERT_TRUE(spool.append("m", "p", {0}, ramp(1600, 1)));
      ASSERT_TRUE(spool.append("m", "p", {100}, ramp(1600, 2)));
    }
    const auto path = the_file();
    fs::resize_file(path, fs::file_size(path) - static_cast<std::uintmax_t>(lost));
    DiskSpool spool(folder);
    EXPECT_EQ(all(spool).second.size(), 1600u) << lost;
    ASSERT_TRUE(spool.append("m", "p", {100}, ramp(1600, 3)));
    const auto back = all(spool);
    EXPECT_EQ(back.second.size(), 3200u);
    EXPECT_EQ(back.second[1600], 3);
  }
}

TEST_F(SpoolTest, ADamagedRecordEndsTheTrackThere) {
  {
    DiskSpool spool(folder);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(spool.append("m", "p", {i * 100}, ramp(1600, i)));
  }
  {
    std::fstream file(the_file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5000);
    file.put('\x7f');
  }
  DiskSpool spool(folder);
  EXPECT_EQ(all(spool).second.size(), 1600u);
}

TEST_F(SpoolTest, InspectsWithoutChangingAFile) {
  {
    DiskSpool spool(folder);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(spool.append("m", "p", {i * 100}, ramp(1600, i)));
  }
  const auto path = the_file();
  EXPECT_EQ(path, fs::path(folder) / spool_folder_name("m") / spool_file_name("p"));
  const auto size = fs::file_size(path);
  const auto inspect = [&] {
    const posix::Descriptor file(::open(path.c_str(), O_RDONLY));
    return inspect_spool_file(file.get());
  };
  auto sound = inspect();
  ASSERT_TRUE(sound);
  EXPECT_EQ(sound->participant, "p");
  EXPECT_EQ(sound->records, 3u);
  EXPECT_EQ(sound->whole, size);
  EXPECT_FALSE(sound->damaged);
  // Every byte of a record counts.
  const auto first = size - 3 * (16 + 3200);
  for (std::uintmax_t at = first; at < first + 3216; at += at < first + 20 ? 1 : 401) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char was = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(was ^ 0x40)).flush();
    EXPECT_EQ(inspect()->records, 0u) << at;
    file.seekp(static_cast<std::streamoff>(at));
    file.put(was).flush();
  }
  // A record that was being written is no damage.
  fs::resize_file(path, size - 7);
  EXPECT_EQ(inspect()->records, 2u);
  EXPECT_FALSE(inspect()->damaged);
  EXPECT_EQ(fs::file_size(path), size - 7);
}

TEST_F(SpoolTest, RemovesAMeetingAndNothingElse) {
  DiskSpool spool(folder);
  ASSERT_TRUE(spool.append("m", "p", {0}, ramp(16, 1)));
  ASSERT_TRUE(spool.append("other", "p", {0}, ramp(16, 1)));
  ASSERT_TRUE(spool.remove("m"));
  ASSERT_TRUE(spool.remove("m"));
  EXPECT_TRUE(spool.tracks("m")->empty());
  EXPECT_EQ(spool.tracks("other")->size(), 1u);
}

TEST_F(SpoolTest, AFolderIsListedInOrder) {
  DiskFiles files(folder + "/out", folder);
  EXPECT_EQ(files.list(folder + "/out", ".ics", 9).error().code, ErrorClass::kNotFound);
  for (const char* name : {"b.ics", "a.ICS", ".hidden.ics", "c.txt", "sub.ics/x"}) ASSERT_TRUE(files.write(name, "x"));
  EXPECT_EQ(*files.list(folder + "/out", ".ics", 9), (std::vector<std::string>{"a.ICS", "b.ics"}));
  EXPECT_EQ(files.list(folder + "/out", ".ics", 1).error().code, ErrorClass::kExhausted);
  EXPECT_EQ(files.list(folder + "/out/c.txt", ".ics", 1).error().code, ErrorClass::kConflict);
}

TEST_F(SpoolTest, FilesAreWrittenWholeAndStayInTheirFolder) {
  DiskFiles files(folder + "/out", folder);
  const auto path = files.write("a/b.md", "hello");
  ASSERT_TRUE(path);
  EXPECT_EQ(*files.read(*path, 100), "hello");
  EXPECT_EQ(files.read(*path, 4).error().code, ErrorClass::kExhausted);
  EXPECT_EQ(files.read(folder + "/nothing", 4).error().code, ErrorClass::kNotFound);
  EXPECT_EQ(files.write("../x", "y").error().code, ErrorClass::kDenied);
  EXPECT_EQ(files.write("/x", "y").error().code, ErrorClass::kDenied);
  EXPECT_GT(*files.free_bytes(), 0u);
}

}  // namespace
}  // namespace hansard
