#include "daemon/backup.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>

#include "adapters/files/files.h"
#include "adapters/files/spool.h"
#include "daemon/app.h"
#include "daemon/data_dir.h"
#include "daemon/testing.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

class BackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/hansard-backup-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    config = at("data");
    ASSERT_TRUE(make_folders(config.data_dir, 0700));
    auto opened = open_sqlite_store(store_path(config.data_dir));
    ASSERT_TRUE(opened);
    store = std::move(*opened);
    fence = *store->acquire("test", Instant{1});
  }
  void TearDown() override {
    store.reset();
    fs::remove_all(folder);
  }
  Config at(const std::string& name) const {
    Config c;
    c.data_dir = folder + "/" + name;
    c.output_dir = folder + "/minutes-" + name;
    return c;
  }

  /// A meeting that records, with `utterances` of 100 ms each.
  void commit(std::uint64_t utterances, meeting::State state = meeting::State::kRecording) {
    flow::MeetingState m;
    m.id = "m1";
    m.state = state;
    m.utterances = utterances;
    flow::ParticipantState& ann = m.participants.emplace_back();
    ann.id = "p";
    ann.name = "Ann";
    ann.covered_until = {static_cast<std::int64_t>(utterances) * 100};
    Commit c;
    c.aggregate = "m1";
    c.kind = "meeting";
    c.expected_version = version++;
    c.finished = flow::finished(flow::State(m));
    c.state = host::encode(flow::State(m), host::state_binding("m1"));
    c.journal = host::encode(flow::Event(flow::HostStarted{}), host::journal_binding("m1"));
    const auto add = [&c](const flow::Record& record) {
      const std::string kind(host::type_of(record));
      c.records.push_back({0, {}, kind, Instant{}, host::encode(record, host::record_binding("m1", kind))});
    };
    if (said == 0) add(flow::ParticipantRecord{"p", "Ann", true, false, {0}});
    for (; said < utterances; ++said) {
      const MediaTime start{static_cast<std::int64_t>(said) * 100};
      const MediaTime end = start + milliseconds(100);
      add(flow::UtteranceRecord{{"u" + std::to_string(said + 1), "p", "Ann", start, end, "words", {}}});
      add(flow::CoverageRecord{{"p", start, end, Coverage::kTranscribed, ""}});
    }
    const auto done = store->commit(fence, std::array{c});
    ASSERT_TRUE(done) << done.error().detail;
  }
  void capture(int pieces) {
    DiskSpool spool(audio_folder(config.data_dir));
    for (int i = 0; i < pieces; ++i) ASSERT_TRUE(spool.append("m1", "p", {i * 100}, std::vector<std::int16_t>(1600, 7)));
  }
  std::string track(const Config& c) const {
    return audio_folder(c.data_dir) + "/" + spool_folder_name("m1") + "/" + spool_file_name("p");
  }
  static bool go_on(std::string_view, std::uint64_t, std::uint64_t) { return true; }
  std::vector<std::string> beside() const {
    std::vector<std::string> out;
    for (const auto& e : fs::directory_iterator(folder)) out.push_back(e.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
  }

  std::string folder;
  Config config;
  std::unique_ptr<Store> store;
  std::uint64_t fence = 0;
  std::uint64_t version = 0;
  std::uint64_t said = 0;
  const Instant now{1'763'860'000'000};
};

TEST_F(BackupTest, KeepsTheAudioThatItsStoreWaitsForEvenWhenItIsRemovedMeanwhile) {
  capture(8);
  commit(3);
  bool removed = false;
  // As soon as the store is copied, the meeting ends and its audio goes: the copy knows nothing of that.
  const auto made =
      make_backup(config, folder + "/b.tar", now, [&](std::string_view what, std::uint64_t done, std::uint64_t total) {
        if (!removed && what.starts_with("copying") && done == total) {
          removed = true;
          commit(8, meeting::State::kDone);
          EXPECT_TRUE(DiskSpool(audio_folder(config.data_dir)).remove("m1"));
        }
        return true;
      });
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_TRUE(removed);
  EXPECT_EQ(made->audio, 1u);
  const Config other = at("other");
  ASSERT_TRUE(restore_backup(other, folder + "/b.tar", false, now, go_on));
  const auto check = check_data(other, go_on);
  ASSERT_TRUE(check);
  EXPECT_TRUE(check->faults.empty());
  EXPECT_EQ(check->utterances, 3u);
  const auto tracks = DiskSpool(audio_folder(other.data_dir)).tracks("m1");
  ASSERT_EQ(tracks->size(), 1u);
  EXPECT_EQ((*tracks)[0].end.ms, 800);
  // The next backup is of a meeting that has ended: no audio.
  EXPECT_EQ(make_backup(config, folder + "/c.tar", now, go_on)->audio, 0u);
}

TEST_F(BackupTest, AudioThatGrowsMeanwhileIsCutToWholeRecords) {
  capture(2);
  commit(1);
  const auto made =
      make_backup(config, folder + "/b.tar", now, [&](std::string_view what, std::uint64_t done, std::uint64_t total) {
        if (what.starts_with("copying") && done == total) {
          capture(1);
          std::ofstream(track(config), std::ios::app | std::ios::binary) << std::string("\x40\x06\0\0half", 8);
        }
        return true;
      });
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_TRUE(made->notes.empty());
  const Config other = at("other");
  ASSERT_TRUE(restore_backup(other, folder + "/b.tar", false, now, go_on));
  EXPECT_EQ((*DiskSpool(audio_folder(other.data_dir)).tracks("m1"))[0].participant, "p");
  EXPECT_TRUE(check_data(other, go_on)->notes.empty());
}

TEST_F(BackupTest, LeavesNothingWhenItIsStopped) {
  capture(8);
  commit(3);
  const auto before = beside();
  for (const std::string_view stage : {"copying", "checking meetings", "writing", "verifying"}) {
    bool reached = false;
    const auto made = make_backup(config, folder + "/b.tar", now, [&](std::string_view what, std::uint64_t, std::uint64_t) {
      reached = reached || what.starts_with(stage);
      return !what.starts_with(stage);
    });
    EXPECT_TRUE(reached) << stage;
    // The copy of a small store is whole before anybody can say no; what follows goes on then.
    EXPECT_EQ(made.has_value(), stage == "copying") << stage;
    fs::remove(folder + "/b.tar");
    EXPECT_EQ(beside(), before) << stage;
  }
  ASSERT_TRUE(make_backup(config, folder + "/b.tar", now, go_on));
  const auto with_backup = beside();
  EXPECT_FALSE(restore_backup(at("other"), folder + "/b.tar", false, now,
                              [](std::string_view what, auto, auto) { return what != "unpacking"; }));
  EXPECT_EQ(beside(), with_backup);
}

TEST_F(BackupTest, ADamagedStoreIsNotBackedUp) {
  commit(3);
  store.reset();
  {
    std::fstream file(store_path(config.data_dir), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 3);
    file << std::string(64, '\x77');
  }
  const auto made = make_backup(config, folder + "/b.tar", now, go_on);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorClass::kCorrupt);
  EXPECT_FALSE(fs::exists(folder + "/b.tar"));
  const auto check = check_data(config, go_on);
  ASSERT_TRUE(check);
  EXPECT_FALSE(check->faults.empty());
}

TEST_F(BackupTest, MinutesGoToTheirFolderAndReplaceNothing) {
  commit(1, meeting::State::kDone);
  flow::MinutesRecord minutes;
  for (const std::string name : {"a/one.md", "a/two.md"}) {
    minutes.files.push_back(config.output_dir + "/" + name);
    ASSERT_TRUE(make_folders(config.output_dir + "/a", 0700));
    ASSERT_TRUE(write_file(minutes.files.back(), "minutes of " + name, 0600));
  }
  ASSERT_TRUE(write_file(config.output_dir + "/private.txt", "not ours", 0600));
  minutes.files.push_back("/etc/passwd");  // outside of the output folder: never taken
  const auto stored = store->load("m1");
  Commit c;
  c.aggregate = "m1";
  c.kind = "meeting";
  c.expected_version = version++;
  c.finished = true;
  c.state = (*stored)->state;
  c.journal = host::encode(flow::Event(flow::HostStarted{}), host::journal_binding("m1"));
  c.records = {{0, {}, "minutes", Instant{}, host::encode(flow::Record(minutes), host::record_binding("m1", "minutes"))}};
  ASSERT_TRUE(store->commit(fence, std::array{c}));
  const auto made = make_backup(config, folder + "/b.tar", now, go_on);
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->minutes, 2u);
  EXPECT_EQ(made->notes.size(), 1u);
  const Config other = at("other");
  ASSERT_TRUE(make_folders(other.output_dir + "/a", 0700));
  ASSERT_TRUE(write_file(other.output_dir + "/a/one.md", "edited", 0600));
  const auto restored = restore_backup(other, folder + "/b.tar", false, now, go_on);
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(*read_file(other.output_dir + "/a/one.md", 100), "edited");
  EXPECT_EQ(*read_file(other.output_dir + "/a/two.md", 100), "minutes of a/two.md");
  EXPECT_EQ(restored->notes.size(), 1u);
  EXPECT_FALSE(fs::exists(other.output_dir + "/private.txt"));
}

TEST_F(BackupTest, SaysWhatOthersMayRead) {
  commit(1);
  ASSERT_EQ(::chmod(store_path(config.data_dir).c_str(), 0644), 0);
  const auto check = check_data(config, go_on);
  ASSERT_EQ(check->faults.size(), 1u);
  EXPECT_NE(check->faults[0].advice.find("chmod"), std::string::npos);
}

}  // namespace
}  // namespace hansard
