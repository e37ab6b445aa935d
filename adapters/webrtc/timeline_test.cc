#include "adapters/webrtc/timeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "core/base/prng.h"

namespace hansard::webrtc {
namespace {

constexpr std::int64_t kMs = kSamplesPerMs;
constexpr std::int64_t kFrame = 20 * kMs;

/// A sender, a network and a clock around a timeline. Everything in samples at 16 kHz of media time.
class World {
 public:
  explicit World(std::int64_t floor = 0) : timeline(floor) {}

  /// Sends `n` packets of 20 ms, recorded back to back from `recorded_` on; each arrives `delay` after its end.
  void send(int n, std::int64_t delay = 30 * kMs) {
    for (int i = 0; i < n; ++i) deliver(next_packet(), delay);
  }
  TimelinePacket next_packet() {
    TimelinePacket p{++id_, ssrc, sequence++, timestamp, kFrame, false, 0};
    timestamp += 960;
    recorded_ += kFrame;
    recorded_end_[p.id] = recorded_;
    return p;
  }
  void deliver(TimelinePacket p, std::int64_t delay) {
    p.arrival = recorded_end_[p.id] + delay;
    run_to(p.arrival);
    timeline.packet(p, steps);
    check();
  }
  void deliver_at(TimelinePacket p, std::int64_t arrival) {
    run_to(arrival);
    p.arrival = arrival;
    timeline.packet(p, steps);
    check();
  }
  /// Packets that are sent and never arrive.
  void lose(int n) {
    for (int i = 0; i < n; ++i) next_packet();
  }
  /// Recorded time without packets; the sequence goes on, the timestamp too (silence suppression).
  void say_nothing(std::int64_t length) {
    recorded_ += length;
    timestamp += static_cast<std::uint32_t>(length * 3);
  }
  /// The sender's clock stands still.
  void sleep(std::int64_t length) { recorded_ += length; }
  void run_to(std::int64_t now) {
    while (now_ + 20 * kMs <= now) {
      now_ += 20 * kMs;
      timeline.tick(now_, steps);
      check();
    }
  }

  std::vector<ReportGap> gaps() const { return of<ReportGap>(); }
  template <class T>
  std::vector<T> of() const {
    std::vector<T> out;
    for (const auto& s : all) {
      if (const T* t = std::get_if<T>(&s)) out.push_back(*t);
    }
    return out;
  }
  std::size_t played() const { return of<PlayPacket>().size(); }

  TrackTimeline timeline;
  std::vector<TimelineStep> steps;
  std::vector<TimelineStep> all;
  std::uint32_t ssrc = 7;
  std::uint16_t sequence = 100;
  std::uint32_t timestamp = 5000;
  /// Where each packet was placed.
  std::map<std::uint64_t, std::int64_t> placed;
  std::int64_t end_of(std::uint64_t id) const { return recorded_end_.at(id); }
  std::int64_t recorded() const { return recorded_; }
  std::int64_t now() const { return now_; }

 private:
  // Follows the steps as the audio path does: what is handed out must be without holes and end at the cursor.
  void check() {
    for (const auto& s : steps) {
      if (!begun_ && timeline.started()) {
        position_ = timeline.start();
        begun_ = true;
      }
      if (const auto* p = std::get_if<PlayPacket>(&s)) {
        placed[p->id] = position_ - p->skip;
        ASSERT_GE(p->skip, 0);
        ASSERT_LT(p->skip, kFrame);
        position_ += kFrame - p->skip + p->stretch;
      } else if (const auto* f = std::get_if<PlayFec>(&s)) {
        position_ += f->length;
      } else if (const auto* c = std::get_if<PlayConcealment>(&s)) {
        ASSERT_GT(c->length, 0);
        position_ += c->length;
      } else if (const auto* z = std::get_if<PlaySilence>(&s)) {
        ASSERT_GT(z->length, 0);
        position_ += z->length;
      } else if (const auto* g = std::get_if<ReportGap>(&s)) {
        ASSERT_LT(g->start, g->end);
        ASSERT_GE(g->start, reported_) << "gaps overlap";
        reported_ = g->end;
      }
      all.push_back(s);
    }
    if (begun_) {
      ASSERT_EQ(position_, timeline.cursor());
    }
    steps.clear();
  }

  std::int64_t recorded_ = 1000 * kMs;
  std::int64_t now_ = 0;
  std::int64_t position_ = 0;
  std::int64_t reported_ = 0;
  std::uint64_t id_ = 0;
  bool begun_ = false;
  std::map<std::uint64_t, std::int64_t> recorded_end_;
};

// Every placed packet lies where it was recorded plus the network's shortest delay.
void expect_placed_right(const World& w, std::int64_t delay, std::int64_t tolerance = 2 * kMs) {
  for (const auto& [id, position] : w.placed) {
    EXPECT_NEAR(static_cast<double>(position + kFrame), static_cast<double>(w.end_of(id) + delay), static_cast<double>(tolerance))
        << "packet " << id;
  }
}

TEST(TrackTimeline, PlacesASteadyStream) {
  World w;
  w.send(500);
  EXPECT_EQ(w.played(), 500u);
  EXPECT_TRUE(w.gaps().empty());
  expect_placed_right(w, 30 * kMs);
  EXPECT_EQ(w.timeline.start() % kMs, 0);
}

TEST(TrackTimeline, JitterMovesNothing) {
  World w;
  Prng random(3);
  // A jitter buffer hands packets on in order: a late one holds up those behind it.
  std::int64_t last = 0;
  for (int i = 0; i < 2000; ++i) {
    auto p = w.next_packet();
    last = std::max(last, w.end_of(p.id) + 20 * kMs + random.between(0, 80) * kMs);
    w.deliver_at(p, last);
  }
  EXPECT_EQ(w.played(), 2000u);
  EXPECT_TRUE(w.gaps().empty());
  // The first seconds may be up to the jitter off until the fastest packet has been seen.
  std::size_t off = 0;
  for (const auto& [id, position] : w.placed) {
    if (id > 400 && std::abs(position + kFrame - w.end_of(id) - 20 * kMs) > 12 * kMs) ++off;
  }
  EXPECT_EQ(off, 0u);
}

TEST(TrackTimeline, LostPacketsAreReportedWhereTheyWere) {
  for (int n : {1, 2, 5, 50, 500}) {
    World w;
    w.send(100);
    const std::int64_t from = w.recorded();
    w.lose(n);
    w.send(100);
    const auto gaps = w.gaps();
    ASSERT_EQ(gaps.size(), 1u) << n;
    EXPECT_EQ(gaps[0].reason, GapReason::kNetwork);
    EXPECT_NEAR(static_cast<double>(gaps[0].start), static_cast<double>(from + 30 * kMs), 2 * kMs);
    EXPECT_NEAR(static_cast<double>(gaps[0].end), static_cast<double>(from + 30 * kMs + n * kFrame), 2 * kMs);
    EXPECT_EQ(w.timeline.counters().lost, static_cast<std::uint64_t>(n));
    EXPECT_EQ(w.played(), 200u);
    expect_placed_right(w, 30 * kMs);
  }
}

TEST(TrackTimeline, FecRestoresTheLastLostFrame) {
  for (int n : {1, 3}) {
    World w;
    w.send(50);
    const std::int64_t from = w.recorded();
    w.lose(n);
    auto p = w.next_packet();
    p.has_fec = true;
    w.deliver(p, 30 * kMs);
    w.send(20);
    ASSERT_EQ(w.of<PlayFec>().size(), 1u);
    EXPECT_EQ(w.of<PlayFec>()[0].length, kFrame);
    EXPECT_EQ(w.timeline.counters().recovered, 1u);
    const auto gaps = w.gaps();
    ASSERT_EQ(gaps.size(), n == 1 ? 0u : 1u);
    if (n > 1) {
      EXPECT_NEAR(static_cast<double>(gaps[0].end), static_cast<double>(from + 30 * kMs + (n - 1) * kFrame), 2 * kMs);
    }
    expect_placed_right(w, 30 * kMs);
  }
}

TEST(TrackTimeline, UnsentTimeIsNoLoss) {
  for (std::int64_t ms : {40, 180, 400, 5000}) {
    World w;
    w.send(100);
    const std::int64_t from = w.recorded();
    w.say_nothing(ms * kMs);
    w.send(100);
    const auto gaps = w.gaps();
    ASSERT_EQ(gaps.size(), 1u) << ms;
    EXPECT_FALSE(gaps[0].lost());
    EXPECT_NEAR(static_cast<double>(gaps[0].start), static_cast<double>(from + 30 * kMs), 2 * kMs);
    EXPECT_NEAR(static_cast<double>(gaps[0].end), static_cast<double>(from + 30 * kMs + ms * kMs), 2 * kMs);
    EXPECT_EQ(w.timeline.counters().lost, 0u);
    EXPECT_EQ(w.played(), 200u);
    expect_placed_right(w, 30 * kMs);
  }
}

TEST(TrackTimeline, LossAmongUnsentTimeCountsAsLoss) {
  World w;
  w.send(50);
  w.say_nothing(400 * kMs);
  w.lose(1);
  w.say_nothing(400 * kMs);
  w.send(50);
  ASSERT_EQ(w.gaps().size(), 1u);
  EXPECT_TRUE(w.gaps()[0].lost());
}

TEST(TrackTimeline, FillsInRealTimeAndNeverFartherThanItsDelay) {
  World w;
  w.send(50);
  const std::int64_t end = w.timeline.cursor();
  w.run_to(w.now() + 180 * kMs);
  EXPECT_EQ(w.timeline.cursor(), end);
  w.run_to(w.now() + 2000 * kMs);
  EXPECT_NEAR(static_cast<double>(w.timeline.cursor()), static_cast<double>(w.now() - 200 * kMs), 20.0 * kMs);
  EXPECT_TRUE(w.gaps().empty());  // nobody knows yet what it was
  w.timeline.finish(GapReason::kNotSent, w.steps);
  ASSERT_EQ(w.steps.size(), 1u);
  const auto& gap = std::get<ReportGap>(w.steps[0]);
  EXPECT_EQ(gap.start, end);
  EXPECT_EQ(gap.end, w.timeline.cursor());
  EXPECT_FALSE(gap.lost());
}

TEST(TrackTimeline, AShortStallLosesNothing) {
  World w;
  w.send(50);
  std::deque<TimelinePacket> stuck;
  for (int i = 0; i < 8; ++i) stuck.push_back(w.next_packet());
  const std::int64_t release = w.recorded() + 30 * kMs;
  for (const auto& p : stuck) w.deliver_at(p, release);
  w.send(50);
  EXPECT_EQ(w.played(), 108u);
  EXPECT_TRUE(w.gaps().empty());
  expect_placed_right(w, 30 * kMs);
}

TEST(TrackTimeline, ALongStallLosesOnlyWhatCameTooLate) {
  World w;
  w.send(100);
  const std::int64_t from = w.recorded() + 30 * kMs;
  std::deque<TimelinePacket> stuck;
  for (int i = 0; i < 50; ++i) stuck.push_back(w.next_packet());  // 1 s
  const std::int64_t release = w.recorded() + 30 * kMs;
  for (const auto& p : stuck) w.deliver_at(p, release);
  w.send(100);
  std::int64_t lost = 0;
  for (const auto& g : w.gaps()) {
    EXPECT_TRUE(g.lost());
    lost += g.end - g.start;
    EXPECT_GE(g.start, from - 2 * kMs);
  }
  EXPECT_NEAR(static_cast<double>(lost), 800.0 * kMs, 100.0 * kMs);
  expect_placed_right(w, 30 * kMs, 5 * kMs);
  EXPECT_GE(w.played(), 200u + 5u);
}

TEST(TrackTimeline, ASenderWhoseClockSleptIsHeardFromItsFirstWord) {
  World w;
  w.send(100);
  const std::int64_t from = w.recorded();
  w.sleep(3000 * kMs);  // neither sequence nor timestamp move
  w.send(100);
  EXPECT_EQ(w.played(), 200u);
  const auto gaps = w.gaps();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_FALSE(gaps[0].lost());
  EXPECT_NEAR(static_cast<double>(gaps[0].start), static_cast<double>(from + 30 * kMs), 2 * kMs);
  EXPECT_NEAR(static_cast<double>(gaps[0].end), static_cast<double>(from + 3030 * kMs), 25 * kMs);
  expect_placed_right(w, 30 * kMs, 25 * kMs);
}

TEST(TrackTimeline, ANewSourceIsPlacedAnew) {
  World w;
  w.send(100);
  w.sleep(500 * kMs);
  w.ssrc = 99;
  w.sequence = 40'000;
  w.timestamp = 4'000'000'000u;
  w.send(100);
  EXPECT_EQ(w.played(), 200u);
  ASSERT_EQ(w.gaps().size(), 1u);
  EXPECT_EQ(w.gaps()[0].reason, GapReason::kSourceChanged);
  EXPECT_GE(w.of<ResetDecoder>().size(), 2u);
  expect_placed_right(w, 30 * kMs, 22 * kMs);
}

TEST(TrackTimeline, ARestartedSequenceOfTheSameSourceIsFollowed) {
  World w;
  w.send(100);
  w.sleep(300 * kMs);
  w.sequence = static_cast<std::uint16_t>(w.sequence - 5000);
  w.timestamp -= 100'000'000;
  w.send(100);
  EXPECT_EQ(w.played(), 200u);
  expect_placed_right(w, 30 * kMs, 22 * kMs);
}

TEST(TrackTimeline, SequenceAndTimestampWrap) {
  World w;
  w.sequence = 65'500;
  w.timestamp = 0xffffffffu - 960 * 20;
  w.send(30);
  w.lose(10);  // across the sequence's wrap
  w.send(100);
  EXPECT_EQ(w.played(), 130u);
  ASSERT_EQ(w.gaps().size(), 1u);
  EXPECT_EQ(w.gaps()[0].end - w.gaps()[0].start, 10 * kFrame);
  expect_placed_right(w, 30 * kMs);
}

TEST(TrackTimeline, DoubleAndOvertakenPacketsAreDropped) {
  World w;
  w.send(50);
  auto a = w.next_packet();
  auto b = w.next_packet();
  w.deliver(b, 30 * kMs);
  w.deliver(a, 60 * kMs);  // its place is filled already
  w.deliver(b, 65 * kMs);  // again
  w.send(20);
  EXPECT_EQ(w.played(), 71u);
  EXPECT_EQ(w.timeline.counters().late, 2u);
  ASSERT_EQ(w.gaps().size(), 1u);
  EXPECT_EQ(w.gaps()[0].end - w.gaps()[0].start, kFrame);
  // Every packet is either played or given back.
  EXPECT_EQ(w.of<DropPacket>().size(), 2u);
}

TEST(TrackTimeline, FollowsAClockThatRunsFastOrSlow) {
  for (int ppm : {-500, 500}) {
    World w;
    for (int i = 0; i < 15'000; ++i) {  // 5 minutes: 150 ms of drift
      auto p = w.next_packet();
      const std::int64_t drift = (w.end_of(p.id) - 1000 * kMs) * ppm / 1'000'000;
      w.deliver_at(p, w.end_of(p.id) + drift + 30 * kMs);
      if (w.placed.contains(p.id)) {
        EXPECT_NEAR(static_cast<double>(w.placed[p.id] + kFrame), static_cast<double>(w.end_of(p.id) + drift + 30 * kMs),
                    15.0 * kMs);
      }
    }
    EXPECT_EQ(w.played(), 15'000u);
    EXPECT_TRUE(w.gaps().empty());
  }
}

TEST(TrackTimeline, AnInterruptionIsExplainedByItsReason) {
  World w;
  w.send(100);
  const std::int64_t from = w.recorded() + 30 * kMs;
  w.timeline.interrupted(GapReason::kDisconnected, w.steps);
  w.sleep(5000 * kMs);
  w.ssrc = 1234;
  w.sequence = 1;
  w.timestamp = 77;
  w.send(100);
  std::int64_t at = from;
  for (const auto& g : w.gaps()) {
    EXPECT_EQ(g.reason, GapReason::kDisconnected);
    EXPECT_NEAR(static_cast<double>(g.start), static_cast<double>(at), 2.0 * kMs);
    at = g.end;
  }
  EXPECT_NEAR(static_cast<double>(at), static_cast<double>(from + 5000 * kMs), 25.0 * kMs);
  EXPECT_GE(w.gaps().size(), 3u);  // told while it lasts
  EXPECT_EQ(w.played(), 200u);
}

TEST(TrackTimeline, NothingBeforeItsFloor) {
  World w(1055 * kMs);  // recorded audio begins at 1000 ms + 30 ms of delay
  w.send(10);
  EXPECT_EQ(w.timeline.start(), 1055 * kMs);
  EXPECT_EQ(w.played(), 9u);
  EXPECT_EQ(w.of<DropPacket>().size(), 1u);
  EXPECT_EQ(w.of<PlayPacket>()[0].skip, 5 * kMs);
}

// Whatever happens, audio is contiguous (checked in World), gaps do not overlap, and each packet is played or dropped.
TEST(TrackTimeline, SurvivesAnythingInOrder) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    World w;
    Prng random(seed);
    std::uint64_t sent = 0;
    std::int64_t last = 0;
    const auto deliver = [&](TimelinePacket p, std::int64_t at) {
      last = std::max({last, at, w.now()});
      w.deliver_at(p, last);
      ++sent;
    };
    for (int i = 0; i < 300; ++i) {
      switch (random.below(12)) {
        case 0: w.lose(static_cast<int>(random.below(40))); break;
        case 1: w.say_nothing(random.between(1, 1500) * kMs); break;
        case 2: w.sleep(random.between(1, 1500) * kMs); break;
        case 3: w.ssrc = static_cast<std::uint32_t>(random.next()); break;
        case 4: w.sequence = static_cast<std::uint16_t>(random.next()); break;
        case 5: w.timestamp = static_cast<std::uint32_t>(random.next()); break;
        case 6: w.timeline.interrupted(GapReason::kDisconnected, w.steps); break;
        case 7: {
          const auto p = w.next_packet();
          deliver(p, w.recorded() + 700 * kMs);
          break;
        }
        default: {
          for (int n = 0; n < 5; ++n) {
            auto p = w.next_packet();
            p.has_fec = random.chance(50);
            deliver(p, w.end_of(p.id) + random.between(0, 60) * kMs);
          }
        }
      }
      if (HasFatalFailure()) FAIL() << "seed " << seed;
    }
    w.run_to(w.now() + 1000 * kMs);
    w.timeline.finish(GapReason::kNotSent, w.steps);
    ASSERT_EQ(w.played() + w.of<DropPacket>().size(), sent) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hansard::webrtc
