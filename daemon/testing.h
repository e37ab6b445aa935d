#pragma once
// A store in a temporary folder, filled by hand, for tests of this folder.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/sqlite/sqlite_store.h"
#include "host/stored.h"

namespace hansard {

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/hansard-daemon-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    auto opened = open_sqlite_store(folder + "/h.db");
    ASSERT_TRUE(opened) << opened.error().detail;
    store = std::move(*opened);
    const auto owner = store->acquire("test", Instant{1});
    ASSERT_TRUE(owner);
    fence = *owner;
  }
  void TearDown() override {
    store.reset();
    std::filesystem::remove_all(folder);
  }

  /// Commits rows of a meeting; the sequence number of the last one.
  std::uint64_t commit(const std::string& id, meeting::State state, const std::vector<flow::Record>& records) {
    flow::MeetingState m;
    m.id = id;
    m.state = state;
    m.spec.title = "Standup <b>";
    m.spec.start = {1'000'000};
    m.spec.end = {2'000'000};
    Commit c;
    c.aggregate = id;
    c.kind = std::string(flow::MeetingState::kType);
    c.expected_version = versions[id]++;
    c.finished = meeting::is_final(state);
    c.at = {1'000'000};
    c.state = host::encode(flow::State(m), host::state_binding(id));
    c.journal = host::encode(flow::Event(flow::HostStarted{}), host::journal_binding(id));
    for (const auto& r : records) {
      const std::string kind(host::type_of(r));
      c.records.push_back({0, id, kind, c.at, host::encode(r, host::record_binding(id, kind))});
    }
    const auto seqs = store->commit(fence, std::vector<Commit>{c});
    EXPECT_TRUE(seqs) << seqs.error().detail;
    return seqs && !seqs->empty() ? seqs->back() : 0;
  }

  static flow::Record utterance(const std::string& id, const std::string& text) {
    return flow::UtteranceRecord{Utterance{id, "p1", "Ann", {1000}, {2000}, text, {}}};
  }

  std::string folder;
  std::unique_ptr<Store> store;
  std::uint64_t fence = 0;
  std::map<std::string, std::uint64_t> versions;
};

}  // namespace hansard
