#include "adapters/webrtc/rtp.h"

#include <gtest/gtest.h>

#include "core/base/prng.h"

namespace hansard::webrtc {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(Rtp, ReadsWhatItWrites) {
  const Bytes payload{1, 2, 3};
  const auto packet = make_rtp({111, true, 65'535, 0xfffffffe, 0x01020304, 0, 0}, payload);
  const auto h = parse_rtp(packet);
  ASSERT_TRUE(h);
  EXPECT_EQ(h->payload_type, 111);
  EXPECT_TRUE(h->marker);
  EXPECT_EQ(h->sequence, 65'535);
  EXPECT_EQ(h->timestamp, 0xfffffffe);
  EXPECT_EQ(h->ssrc, 0x01020304u);
  EXPECT_EQ(h->payload_offset, 12u);
  EXPECT_EQ(h->payload_size, 3u);
}

TEST(Rtp, SkipsContributorsExtensionAndPadding) {
  Bytes p = make_rtp({111, false, 1, 2, 3, 0, 0}, {});
  p[0] = 0x80 | 0x20 | 0x10 | 2;                                                           // padding, extension, two contributors
  for (int i = 0; i < 8; ++i) p.push_back(9);                                              // contributors
  for (int b : {0xbe, 0xde, 0, 1, 1, 2, 3, 4}) p.push_back(static_cast<std::uint8_t>(b));  // one word of extension
  for (int b : {50, 51, 0, 2}) p.push_back(static_cast<std::uint8_t>(b));                  // two bytes of payload, two of padding
  const auto h = parse_rtp(p);
  ASSERT_TRUE(h);
  EXPECT_EQ(h->payload_size, 2u);
  EXPECT_EQ(p[h->payload_offset], 50);
}

TEST(Rtp, RefusesWhatIsNoPacket) {
  EXPECT_FALSE(parse_rtp(Bytes{}));
  EXPECT_FALSE(parse_rtp(Bytes(11, 0x80)));
  EXPECT_FALSE(parse_rtp(Bytes(12, 0x00)));
  Bytes p = make_rtp({}, Bytes{200});
  p[0] |= 0x20;  // more padding than there are bytes
  EXPECT_FALSE(parse_rtp(p));
  p = make_rtp({}, {});
  p[0] |= 0x0f;
  EXPECT_FALSE(parse_rtp(p));
}

TEST(Rtp, AnyBytesAreSafe) {
  Prng random(5);
  for (int i = 0; i < 20'000; ++i) {
    Bytes p(random.below(40));
    for (auto& b : p) b = static_cast<std::uint8_t>(random.next());
    if (const auto h = parse_rtp(p)) {
      ASSERT_LE(h->payload_offset + h->payload_size, p.size());
    }
    const int d = opus_duration(p);
    ASSERT_TRUE(d >= 0 && d <= 5760);
    opus_has_fec(p);
  }
}

TEST(Opus, DurationsOfRfc6716) {
  const auto toc = [](int config, int code) { return static_cast<std::uint8_t>(config << 3 | code); };
  EXPECT_EQ(opus_duration(Bytes{toc(0, 0)}), 480);
  EXPECT_EQ(opus_duration(Bytes{toc(3, 0)}), 2880);
  EXPECT_EQ(opus_duration(Bytes{toc(15, 0)}), 960);
  EXPECT_EQ(opus_duration(Bytes{toc(16, 0)}), 120);
  EXPECT_EQ(opus_duration(Bytes{toc(31, 1)}), 1920);
  EXPECT_EQ(opus_duration(Bytes{toc(1, 3), 3}), 2880);
  EXPECT_EQ(opus_duration(Bytes{toc(3, 3), 3}), 0);  // 180 ms is too long
  EXPECT_EQ(opus_duration(Bytes{toc(1, 3)}), 0);
  EXPECT_EQ(opus_duration(Bytes{}), 0);
}

TEST(Opus, FecFlag) {
  EXPECT_TRUE(opus_has_fec(Bytes{9 << 3, 0x40, 0}));    // SILK, 20 ms: bit 6 of the first byte
  EXPECT_FALSE(opus_has_fec(Bytes{9 << 3, 0x80, 0}));   // voice only
  EXPECT_FALSE(opus_has_fec(Bytes{31 << 3, 0xff, 0}));  // CELT
  EXPECT_FALSE(opus_has_fec(Bytes{9 << 3}));
}

TEST(Sdp, FindsOpus) {
  EXPECT_EQ(opus_payload_type("v=0\r\nm=audio 9 X 63 111\r\na=rtpmap:63 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\n"), 111);
  EXPECT_EQ(opus_payload_type("a=rtpmap:96 OPUS/48000/2\n"), 96);
  EXPECT_FALSE(opus_payload_type("a=rtpmap:0 PCMU/8000\n"));
  EXPECT_FALSE(opus_payload_type("a=rtpmap:999999 opus/48000\na=rtpmap:\na=rtpmap:x opus/48000"));
}

TEST(Sdp, FindsNackForOpus) {
  const std::string opus = "v=0\r\nm=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\n";
  EXPECT_TRUE(has_nack(opus + "a=rtcp-fb:111 nack\r\n"));
  EXPECT_TRUE(has_nack(opus + "a=rtcp-fb:* nack\n"));
  EXPECT_FALSE(has_nack(opus));
  EXPECT_FALSE(has_nack(opus + "a=rtcp-fb:111 nack pli\r\n"));  // asks for a picture
  EXPECT_FALSE(has_nack(opus + "a=rtcp-fb:111 transport-cc\r\na=rtcp-fb:96 nack\r\n"));
  EXPECT_FALSE(has_nack(opus + "a=rtcp-fb:\r\na=rtcp-fb:111\r\na=rtcp-fb:x nack"));
  EXPECT_FALSE(has_nack("v=0\r\nm=audio 9 X 0\r\na=rtcp-fb:0 nack\r\n"));
}

TEST(Sdp, ReplacesFingerprints) {
  EXPECT_EQ(with_fingerprint("v=0\r\na=fingerprint:sha-256 00:11\r\na=x\r\na=fingerprint:sha-256 22", "AB:CD"),
            "v=0\r\na=fingerprint:sha-256 AB:CD\r\na=x\r\na=fingerprint:sha-256 AB:CD");
  EXPECT_EQ(with_fingerprint("v=0\r\n", "AB"), "v=0\r\n");
}

}  // namespace
}  // namespace hansard::webrtc
