#include "adapters/webrtc/outbox.h"

#include <gtest/gtest.h>

namespace hansard::webrtc {
namespace {

ipc::AudioFrame frame(std::uint32_t track, std::int64_t start_ms, std::size_t ms = 20) {
  return {track, false, {start_ms}, std::vector<std::int16_t>(ms * 16)};
}

std::vector<TrackItem> pump(Outbox& outbox) {
  std::vector<TrackItem> out;
  outbox.pump([&](TrackItem& item) { out.push_back(item); });
  return out;
}

TEST(Outbox, AudioWaitsForCreditAndMessagesDoNot) {
  Outbox outbox;
  outbox.add(1, ipc::TrackOpened{1, "ada"});
  outbox.add(frame(1, 0));
  outbox.add(1, ipc::TrackClosed{1, {20}});
  EXPECT_EQ(pump(outbox).size(), 1u);
  outbox.credit(static_cast<std::uint32_t>(ipc::encoded_size(frame(1, 0)) - 1));
  EXPECT_TRUE(pump(outbox).empty());
  outbox.credit(1);
  const auto rest = pump(outbox);
  ASSERT_EQ(rest.size(), 2u);  // the frame, then what stood behind it
  EXPECT_TRUE(std::holds_alternative<ipc::AudioFrame>(rest[0]));
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, OverflowBecomesOneGapThatGrows) {
  Outbox outbox(seconds(2));
  for (int i = 0; i < 250; ++i) outbox.add(frame(3, i * 20));  // 5 s
  outbox.credit(1 << 20);
  const auto items = pump(outbox);
  ASSERT_EQ(items.size(), 101u);
  const auto& gap = std::get<ipc::TrackGap>(std::get<ipc::FromMedia>(items[0]));
  EXPECT_EQ(gap.start.ms, 0);
  EXPECT_EQ(gap.end.ms, 3000);
  EXPECT_TRUE(gap.lost);
  EXPECT_EQ(gap.reason, "overload");
  EXPECT_EQ(std::get<ipc::AudioFrame>(items[1]).start.ms, 3000);
  EXPECT_EQ(outbox.dropped().ms, 3000);
}

TEST(Outbox, AGapThatStillGrowsIsToldOnce) {
  Outbox outbox(seconds(2));
  for (int i = 0; i < 250; ++i) {
    outbox.add(frame(3, i * 20));
    EXPECT_TRUE(pump(outbox).empty());
  }
  outbox.credit(1 << 20);
  EXPECT_EQ(pump(outbox).size(), 101u);
}

TEST(Outbox, OverflowKeepsTheOrderOfMessages) {
  Outbox outbox(milliseconds(40));
  outbox.add(frame(1, 0));
  outbox.add(1, ipc::TrackGap{1, {0}, {20}, true, "network"});
  outbox.add(frame(1, 20));
  outbox.add(frame(1, 40));
  outbox.add(frame(1, 60));
  outbox.credit(1 << 20);
  const auto items = pump(outbox);
  ASSERT_EQ(items.size(), 5u);
  const auto gap = [&](std::size_t i) { return std::get<ipc::TrackGap>(std::get<ipc::FromMedia>(items[i])); };
  EXPECT_EQ(gap(0).reason, "overload");
  EXPECT_EQ(gap(1).reason, "network");
  EXPECT_EQ(gap(2).reason, "overload");
  EXPECT_EQ(gap(2).start.ms, 20);
  EXPECT_EQ(std::get<ipc::AudioFrame>(items[3]).start.ms, 40);
}

TEST(Outbox, TracksTakeTurnsAndDoNotPushEachOtherOut) {
  Outbox outbox(seconds(2));
  for (int i = 0; i < 200; ++i) outbox.add(frame(1, i * 20));
  outbox.add(frame(2, 0));
  outbox.add(frame(2, 20));
  outbox.credit(static_cast<std::uint32_t>(4 * ipc::encoded_size(frame(1, 0))));
  int second = 0;
  for (const auto& item : pump(outbox)) {
    const auto* f = std::get_if<ipc::AudioFrame>(&item);
    if (f != nullptr && f->track == 2) ++second;
  }
  EXPECT_EQ(second, 2);
}

TEST(FrameCutter, CutsWholeMillisecondsAndKeepsTheRest) {
  FrameCutter cutter(1, 160);
  std::vector<ipc::AudioFrame> out;
  cutter.add(std::vector<std::int16_t>(40), false, out);  // 2.5 ms
  EXPECT_TRUE(out.empty());
  cutter.add(std::vector<std::int16_t>(2000), false, out);  // 127.5 ms in all
  std::int64_t at = 10;
  for (const auto& f : out) {
    EXPECT_EQ(f.start.ms, at);
    EXPECT_GE(f.length().ms, 20);
    EXPECT_LE(f.length().ms, 60);
    at = f.end().ms;
  }
  cutter.flush(out);
  EXPECT_EQ(out.back().end().ms, 137);
}

TEST(FrameCutter, FramesAreConcealedOrNot) {
  FrameCutter cutter(1, 0);
  std::vector<ipc::AudioFrame> out;
  cutter.add(std::vector<std::int16_t>(160), false, out);
  cutter.add(std::vector<std::int16_t>(640), true, out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_FALSE(out[0].concealed);
  EXPECT_EQ(out[0].length().ms, 10);
  EXPECT_TRUE(out[1].concealed);
  EXPECT_EQ(out[1].start.ms, 10);
}

}  // namespace
}  // namespace hansard::webrtc
