#include "daemon/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "daemon/testing.h"

namespace hansard {
namespace {

struct FixedClock final : Clock {
  Instant now() const override { return {1'790'000'000'000 + time.ms}; }
  Duration monotonic() const override { return time; }
  Duration time{5'000};
};

TEST(Refusals, TellsTheFirstAtOnceAndTheRestOfTheHourTogether) {
  Refusals refusals;
  EXPECT_FALSE(refusals.due(Instant{1}, hours(1)));
  refusals.count();
  const auto first = refusals.due(Instant{1}, hours(1));
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, (audit::Act{Instant{1}, "daemon", "request.refuse", "count:1", "no token"}));
  for (int i = 0; i < 100'000; ++i) refusals.count();
  EXPECT_FALSE(refusals.due(Instant{2}, hours(2) - milliseconds(1)));
  EXPECT_EQ(refusals.due(Instant{2}, hours(2))->object, "count:100000");
  EXPECT_FALSE(refusals.due(Instant{2}, hours(9))) << "nothing came since";
  refusals.count();
  refusals.count();
  EXPECT_EQ(refusals.rest(Instant{3})->object, "count:2");
  EXPECT_FALSE(refusals.rest(Instant{3}));
}

class AnchorFileTest : public StoreTest {
 protected:
  std::string path() const { return folder + "/anchors"; }
  std::string text() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string line() { return audit::anchor_line(*store->audit_head(), clock.now()); }
  void act() {
    Commit c;
    c.audit = {{clock.now(), "api", "meeting.stop", "m1", "ok"}};
    ASSERT_TRUE(store->commit(fence, {&c, 1}));
  }
  FixedClock clock;
};

TEST_F(AnchorFileTest, AddsTheHeadAtAnInterval) {
  AnchorFile anchors(path(), hours(1));
  ASSERT_TRUE(anchors.keep(*store, clock));
  std::string expected = line();
  EXPECT_EQ(text(), expected);
  struct stat info{};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  act();
  clock.time = clock.time + minutes(59);
  ASSERT_TRUE(anchors.keep(*store, clock));
  EXPECT_EQ(text(), expected) << "not yet";
  clock.time = clock.time + minutes(1);
  ASSERT_TRUE(anchors.keep(*store, clock));
  expected += line();
  EXPECT_EQ(text(), expected);
  clock.time = clock.time + hours(5);
  ASSERT_TRUE(anchors.keep(*store, clock));
  EXPECT_EQ(text(), expected) << "nothing was recorded since";
  act();
  ASSERT_TRUE(anchors.keep(*store, clock, true));
  expected += line();
  EXPECT_EQ(text(), expected) << "the daemon ends";
  const auto read = read_anchor_file(path());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->anchors.size(), 3u);
  EXPECT_EQ(read->anchors.back(), *store->audit_head());
  EXPECT_EQ(read->unreadable, 0u);
}

TEST_F(AnchorFileTest, TriesAgainAfterAMinute) {
  AnchorFile anchors(folder + "/missing/anchors", hours(1));
  const auto first = anchors.keep(*store, clock);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, ErrorClass::kNotFound);
  EXPECT_TRUE(anchors.failing());
  EXPECT_TRUE(anchors.keep(*store, clock)) << "not at once again";
  EXPECT_TRUE(anchors.failing());
  std::filesystem::create_directory(folder + "/missing");
  clock.time = clock.time + minutes(1);
  ASSERT_TRUE(anchors.keep(*store, clock));
  EXPECT_FALSE(anchors.failing());
  EXPECT_TRUE(std::filesystem::exists(folder + "/missing/anchors"));
}

TEST_F(AnchorFileTest, DoesNotWaitForAPipeThatNobodyReads) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  AnchorFile anchors(path(), hours(1));
  EXPECT_FALSE(anchors.keep(*store, clock));
  const int reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  clock.time = clock.time + minutes(1);
  const auto kept = anchors.keep(*store, clock);
  EXPECT_TRUE(kept) << kept.error().detail;
  char got[256] = {};
  const ssize_t n = ::read(reader, got, sizeof got);
  ::close(reader);
  ASSERT_GT(n, 0);
  EXPECT_EQ(std::string(got, static_cast<std::size_t>(n)), line());
}

TEST_F(AnchorFileTest, WithoutAFileDoesNothing) {
  AnchorFile anchors("", hours(1));
  EXPECT_TRUE(anchors.keep(*store, clock, true));
  EXPECT_FALSE(anchors.failing());
}

TEST_F(AnchorFileTest, SaysWhatIsNoAnchorFile) {
  EXPECT_EQ(read_anchor_file(path()).error().code, ErrorClass::kNotFound);
  std::ofstream(path()) << "# nothing yet\n";
  EXPECT_EQ(read_anchor_file(path()).error().code, ErrorClass::kInvalid);
}

}  // namespace
}  // namespace hansard
