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
    EXPECT_TRUE(spool.read("m", "p", from, [&](const SpooledPiece& piece) {
      if (out.first < 0) out.first = piece.start.ms;
      out.second.insert(out.second.end(), piece.samples.begin(), piece.samples.end());
      if (piece.samples.empty()) damaged.emplace_back(piece.start.ms, piece.end.ms);
      return true;
    }));
    return out;
  }
  static std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path the_file() {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".pcm") return entry.path();
    }
    return {};
  }

  std::string folder;
  std::vector<std::pair<std::int64_t, std::int64_t>> damaged;  ///< what the last all() was told
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

/// The machine may have died at any byte of the last record.
TEST_F(SpoolTest, CutsATornRecordAndGoesOn) {
  {
    DiskSpool spool(folder);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(spool.append("m", "p", {i * 20}, ramp(320, i)));
  }
  const auto path = the_file();
  const auto whole = fs::file_size(path);
  const std::string bytes = contents(path);
  for (std::uintmax_t lost = 1; lost <= 16 + 640; ++lost) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes.substr(0, whole - lost);
    DiskSpool spool(folder);
    ASSERT_EQ(spool.tracks("m")->front().end.ms, 40) << lost;
    ASSERT_EQ(all(spool).second.size(), 640u) << lost;
    ASSERT_TRUE(damaged.empty()) << lost;
    ASSERT_TRUE(spool.append("m", "p", {40}, ramp(320, 7)));
    const auto back = all(spool);
    ASSERT_EQ(back.second.size(), 960u) << lost;
    ASSERT_EQ(back.second[640], 7) << lost;
    ASSERT_EQ(fs::file_size(path), whole) << lost;
  }
}

/// One bit of a record in the middle is wrong, whichever: that record is told as damaged with its time, all others come, also for
/// a spool that has written the file itself.
TEST_F(SpoolTest, StepsOverADamagedRecord) {
  DiskSpool writer(folder);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(writer.append("m", "p", {i * 20}, ramp(320, i)));
  const auto path = the_file();
  const std::string bytes = contents(path);
  const std::size_t second = bytes.size() - 3 * (16 + 640);
  const std::vector<std::pair<std::int64_t, std::int64_t>> expected{{20, 40}};
  for (std::size_t at = second; at < second + 656; at += at < second + 20 ? 1 : 53) {
    for (const char bit : {'\x01', '\x40'}) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(bad[at] ^ bit);
      std::ofstream(path, std::ios::binary) << bad;
      for (int again = 0; again < 2; ++again) {
        DiskSpool reader(folder);
        DiskSpool& spool = again == 0 ? writer : reader;
        damaged.clear();
        ASSERT_EQ(all(spool).second.size(), 960u) << at;
        ASSERT_EQ(damaged, expected) << at;
        damaged.clear();
        ASSERT_EQ(all(spool, {40}).second.size(), 640u) << at;
        ASSERT_TRUE(damaged.empty()) << at;
      }
    }
  }
}

TEST_F(SpoolTest, ADamagedLastRecordIsToldByWhoWroteItAndCutAfterANewStart) {
  DiskSpool writer(folder);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(writer.append("m", "p", {i * 20}, ramp(320, i)));
  std::string bytes = contents(the_file());
  bytes[bytes.size() - 300] ^= 1;
  std::ofstream(the_file(), std::ios::binary) << bytes;
  EXPECT_EQ(all(writer).second.size(), 320u);
  EXPECT_EQ(damaged, (std::vector<std::pair<std::int64_t, std::int64_t>>{{20, 40}}));
  DiskSpool reader(folder);
  EXPECT_EQ(reader.tracks("m")->front().end.ms, 20);
}

TEST_F(SpoolTest, APauseBesideADamagedRecordIsNoDamage) {
  DiskSpool spool(folder);
  for (const int at : {0, 1000, 5000}) ASSERT_TRUE(spool.append("m", "p", {at}, ramp(320, 1)));
  std::string bytes = contents(the_file());
  bytes[bytes.size() - 656 - 300] ^= 1;  // of the second
  std::ofstream(the_file(), std::ios::binary) << bytes;
  EXPECT_EQ(all(spool).second.size(), 640u);
  EXPECT_EQ(damaged, (std::vector<std::pair<std::int64_t, std::int64_t>>{{1000, 1020}}));
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
    EXPECT_EQ(inspect()->records, 2u) << at;
    EXPECT_TRUE(inspect()->damaged) << at;
    file.seekp(static_cast<std::streamoff>(at));
    file.put(was).flush();
  }
  // A record that was being written is no damage.
  fs::resize_file(path, size - 7);
  EXPECT_EQ(inspect()->records, 2u);
  EXPECT_FALSE(inspect()->damaged);
  EXPECT_EQ(fs::file_size(path), size - 7);
}

TEST_F(SpoolTest, HoldsNoMoreFilesOpenThanItsLimit) {
  const auto open_files = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); };
  const auto before = open_files();
  DiskSpool spool(folder);
  const int tracks = static_cast<int>(kMaxOpenTracks) + 20;
  for (int round = 0; round < 3; ++round) {
    for (int t = 0; t < tracks; ++t) ASSERT_TRUE(spool.append("m", std::to_string(t), {round * 20}, ramp(320, round)));
  }
  EXPECT_LE(open_files() - before, static_cast<std::ptrdiff_t>(kMaxOpenTracks));
  std::size_t samples = 0;
  ASSERT_TRUE(spool.read("m", "0", {0}, [&](const SpooledPiece& piece) {
    samples += piece.samples.size();
    return true;
  }));
  EXPECT_EQ(samples, 960u);
  EXPECT_EQ(spool.tracks("m")->size(), static_cast<std::size_t>(tracks));
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
