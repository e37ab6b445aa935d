// The speech process with its real models, on packaged recordings. Skipped where models or recordings are not fetched.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <unistd.h>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "adapters/speech/sherpa/test_child.h"
#include "core/base/prng.h"

namespace hansard::speech {
namespace {

namespace fs = std::filesystem;

std::string cache() {
  const char* dir = std::getenv("HANSARD_CACHE");
  return dir != nullptr && *dir != '\0' ? dir : HANSARD_SOURCE_DIR "/.cache";
}
std::string librivox(const std::string& name) { return "/usr/share/pocketsphinx/test/data/librivox/" + name; }

Samples silence(std::int64_t ms) { return Samples(static_cast<std::size_t>(ms) * 16); }
void append(Samples& to, const Samples& from) { to.insert(to.end(), from.begin(), from.end()); }

/// The times of the first and the last 10 ms that are louder than -30 dB of the loudest.
std::pair<std::int64_t, std::int64_t> loud_part(const Samples& samples) {
  std::vector<double> power;
  for (std::size_t at = 0; at + 160 <= samples.size(); at += 160) {
    double sum = 0;
    for (std::size_t i = at; i < at + 160; ++i) sum += static_cast<double>(samples[i]) * samples[i];
    power.push_back(sum);
  }
  const double least = *std::max_element(power.begin(), power.end()) * std::pow(10, -3);
  const auto loud = [&](double p) { return p > least; };
  const auto first = std::find_if(power.begin(), power.end(), loud) - power.begin();
  const auto last = power.rend() - std::find_if(power.rbegin(), power.rend(), loud);
  return {first * 10, last * 10};
}

class SpeechChild : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(cache() + "/models/silero_vad.onnx") || !fs::exists(cache() + "/models/moonshine-tiny-en/tokens.txt")) {
      GTEST_SKIP() << "the speech models are not in " << cache() << "; get them with scripts/fetch models";
    }
  }
  static void expect_contiguous(const TestChild& child, std::uint32_t track, std::int64_t start, std::int64_t end) {
    std::int64_t cursor = start;
    for (const auto& heard : child.of<ipc::HeardReport>(track)) {
      EXPECT_EQ(heard.start.ms, cursor);
      cursor = heard.end.ms;
    }
    EXPECT_EQ(cursor, end);
  }
  static std::optional<Samples> conversation() { return read_wav(cache() + "/samples/pyannote/sample.wav"); }
};

#define NEED(var, expression, what) \
  const auto var = (expression);    \
  if (!var) GTEST_SKIP() << what << " is not there"

TEST_F(SpeechChild, ReadsKnownText) {
  TestChild child;
  std::ifstream lines(librivox("transcription"));
  if (!lines) GTEST_SKIP() << "Debian's pocketsphinx-testdata is not installed";
  std::size_t errors = 0;
  std::size_t words = 0;
  std::uint32_t track = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto name = line.substr(line.rfind('(') + 1, line.rfind(')') - line.rfind('(') - 1);
    NEED(audio, read_wav(librivox(name + ".wav")), name);
    ASSERT_TRUE(child.run(++track, ipc::Profile::kFile, *audio));
    const auto reference = words_of(line.substr(4, line.rfind("</s>") - 4));
    errors += word_errors(reference, words_of(child.text(track)));
    words += reference.size();
    expect_contiguous(child, track, 0, static_cast<std::int64_t>(audio->size() / 16));
  }
  ASSERT_GT(words, 60U);
  EXPECT_LE(static_cast<double>(errors) / static_cast<double>(words), 0.10) << errors << " errors in " << words << " words";
}

TEST_F(SpeechChild, HearsAConversationInBothProfiles) {
  NEED(audio, conversation(), "the recorded conversation (scripts/fetch models)");
  std::ifstream stm(cache() + "/samples/pyannote/sample.stm");
  std::vector<std::string> reference;
  for (std::string line; std::getline(stm, line);) {
    std::size_t at = 0;
    for (int column = 0; column < 5; ++column) at = line.find(' ', at) + 1;
    for (auto& word : words_of(line.substr(at))) reference.push_back(std::move(word));
  }
  ASSERT_GT(reference.size(), 60U);
  TestChild child;
  for (const auto profile : {ipc::Profile::kFile, ipc::Profile::kLive}) {
    const auto track = static_cast<std::uint32_t>(profile) + 1;
    ASSERT_TRUE(child.run(track, profile, *audio, {7000}));
    const double rate =
        static_cast<double>(word_errors(reference, words_of(child.text(track)))) / static_cast<double>(reference.size());
    EXPECT_LE(rate, 0.32) << child.text(track);
    expect_contiguous(child, track, 7000, 7000 + static_cast<std::int64_t>(audio->size() / 16));
  }
}

TEST_F(SpeechChild, NothingIsTranscribedFromWhatIsNotSpeech) {
  TestChild child;
  Prng random(3);
  const auto noise = [&] { return static_cast<double>(random.between(-1000, 1000)) / 1000; };
  std::vector<Samples> sounds(6, silence(20'000));
  double brown = 0;
  for (std::size_t i = 0; i < sounds[0].size(); ++i) {
    const double t = static_cast<double>(i) / 16'000;
    sounds[1][i] = static_cast<std::int16_t>(8000 * noise());
    brown = 0.99 * brown + 0.1 * noise();
    sounds[2][i] = static_cast<std::int16_t>(std::clamp(12'000 * brown, -32'000.0, 32'000.0));
    sounds[3][i] = static_cast<std::int16_t>(9000 * std::sin(6.2831853 * 440 * t));
    sounds[4][i] = static_cast<std::int16_t>(5000 * (std::sin(6.2831853 * 50 * t) + 0.5 * std::sin(6.2831853 * 150 * t)));
    // Clicks, three a second, and bursts of noise half a second long.
    const double phase = t - std::floor(t);
    sounds[5][i] = static_cast<std::int16_t>((std::fmod(t, 0.33) < 0.005 ? 20'000 : phase > 0.5 ? 3000 : 20) * noise());
  }
  std::uint32_t track = 0;
  for (const auto profile : {ipc::Profile::kFile, ipc::Profile::kLive}) {
    for (const Samples& sound : sounds) {
      ASSERT_TRUE(child.run(++track, profile, sound));
      EXPECT_EQ(child.text(track), "") << "sound " << (track - 1) % 6;
      EXPECT_TRUE(child.of<ipc::PartialText>(track).empty()) << "sound " << (track - 1) % 6;
      expect_contiguous(child, track, 0, 20'000);
    }
  }
}

// Synthetic speech has nothing but silence around it, so it is known where it begins and ends.
TEST_F(SpeechChild, SpeechIsFoundToATenthOfASecond) {
  const fs::path wav = fs::path(::testing::TempDir()) / ("hansard-flite-" + std::to_string(::getpid()) + ".wav");
  TestChild child;
  std::uint32_t track = 0;
  for (const char* voice : {"rms", "awb", "slt", "kal16"}) {
    const std::string command =
        std::string("flite -voice ") + voice + " -t 'Let us begin with the plan for the first week of March.' -o " + wav.string();
    if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) GTEST_SKIP() << "Debian's flite is not installed";
    NEED(clip, read_wav(wav.string()), "flite's output");
    fs::remove(wav);
    Samples audio = silence(3000);
    append(audio, *clip);
    append(audio, silence(3000));
    const auto [first, last] = loud_part(audio);
    for (const auto profile : {ipc::Profile::kFile, ipc::Profile::kLive}) {
      ASSERT_TRUE(child.run(++track, profile, audio));
      const auto finals = child.of<ipc::FinalText>(track);
      ASSERT_FALSE(finals.empty());
      EXPECT_NEAR(static_cast<double>(finals.front().start.ms), static_cast<double>(first), 100) << voice;
      EXPECT_NEAR(static_cast<double>(finals.back().end.ms), static_cast<double>(last), 100) << voice;
    }
  }
}

// Time is counted in audio: how much more had been sent when the final came.
TEST_F(SpeechChild, LiveFinalsComeSoon) {
  NEED(audio, conversation(), "the recorded conversation (scripts/fetch models)");
  TestChild child;
  child.send(ipc::OpenTrack{1, ipc::Profile::kLive, "", {0}});
  constexpr std::size_t kStep = 1600 * 2;
  Samples padded = *audio;
  append(padded, silence(2000));
  std::vector<std::int64_t> sent_when_it_came;
  for (std::size_t at = 0; at < padded.size(); at += kStep) {
    const auto from = padded.begin() + static_cast<std::ptrdiff_t>(at);
    const Samples step{from, from + static_cast<std::ptrdiff_t>(std::min(kStep, padded.size() - at))};
    ASSERT_TRUE(child.feed(1, {static_cast<std::int64_t>(at / 16)}, step));
    ASSERT_TRUE(child.settle());
    sent_when_it_came.resize(child.of<ipc::FinalText>(1).size(), static_cast<std::int64_t>(at + step.size()) / 16);
  }
  const auto finals = child.of<ipc::FinalText>(1);
  ASSERT_GE(finals.size(), 2U);
  for (std::size_t i = 0; i < finals.size(); ++i) {
    // One that was cut for its length has no end of its own: it comes when the length is reached.
    const bool cut = i + 1 < finals.size() && finals[i + 1].start == finals[i].end;
    const std::int64_t due = cut ? finals[i].start.ms + 15'000 : finals[i].end.ms;
    EXPECT_LE(sent_when_it_came[i] - due, 2000);
  }
  // How many there are depends on the time that passes; the engine's own tests count them.
  EXPECT_GE(child.of<ipc::PartialText>(1).size(), 1U);
}

TEST_F(SpeechChild, OneTracksEndLeavesOthersAlone) {
  NEED(audio, conversation(), "the recorded conversation (scripts/fetch models)");
  TestChild child;
  child.send(ipc::OpenTrack{1, ipc::Profile::kLive, "", {0}});
  child.send(ipc::OpenTrack{2, ipc::Profile::kLive, "", {0}});
  ASSERT_TRUE(child.feed(1, {0}, *audio));
  child.send(ipc::DropTrack{1});
  ASSERT_TRUE(child.feed(2, {0}, *audio));
  child.send(ipc::FlushTrack{2});
  ASSERT_TRUE(child.wait([&] { return !child.of<ipc::TrackFlushed>(2).empty(); }));
  EXPECT_TRUE(child.of<ipc::TrackFlushed>(1).empty());
  EXPECT_NE(child.text(2), "");
}

TEST_F(SpeechChild, EndsWhenTheOtherSideDoes) {
  NEED(audio, conversation(), "the recorded conversation (scripts/fetch models)");
  TestChild child;
  child.send(ipc::OpenTrack{1, ipc::Profile::kFile, "", {0}});
  ASSERT_TRUE(child.feed(1, {0}, *audio));
  ASSERT_TRUE(child.pipe().flush_all(10'000));
  ::shutdown(child.pipe().fd(), SHUT_RDWR);
  EXPECT_EQ(child.exit_code(), 0);
}

TEST_F(SpeechChild, ClosesOnABrokenProtocol) {
  const auto code_after = [](std::string_view bytes) {
    TestChild child;
    EXPECT_TRUE(child.wait([&] { return !child.messages().empty(); }));
    EXPECT_GT(::send(child.pipe().fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
    return child.exit_code();
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(code_after("\xFF\xFF\xFF\xFF\0"sv), 1);             // a frame of 4 GB
  EXPECT_EQ(code_after("\x03\0\0\0\0{]"sv), 1);                 // not JSON
  EXPECT_EQ(code_after("\x05\0\0\0\1abcd"sv), 1);               // audio without its header
  EXPECT_EQ(code_after("\x0e\0\0\0\0{\"type\":\"no\"}"sv), 1);  // no such message
}

TEST_F(SpeechChild, ClosesWhenMoreAudioComesThanThereIsCreditFor) {
  TestChild child;
  ASSERT_TRUE(child.wait([&] { return !child.messages().empty(); }));
  child.send(ipc::OpenTrack{1, ipc::Profile::kFile, "", {0}});
  // Half a minute a frame that has to be listened to: it cannot keep up.
  Samples loud(480'000);
  for (std::size_t i = 0; i < loud.size(); ++i) loud[i] = static_cast<std::int16_t>(i % 200 < 100 ? 2000 : -2000);
  for (int i = 0; i < 64 && child.pipe().flush(); ++i) child.pipe().send(ipc::AudioFrame{1, false, {i * 30'000}, loud});
  child.pipe().flush_all(20'000);
  EXPECT_EQ(child.exit_code(), 1);
}

TEST(SpeechChildWithoutModels, SaysWhatToDo) {
  TestChild child({"--models", "/nonexistent"});
  const auto answer = [&]() -> const ipc::SpeechUnavailable* {
    return child.messages().empty() ? nullptr : std::get_if<ipc::SpeechUnavailable>(&child.messages().front());
  };
  ASSERT_TRUE(child.wait([&] { return answer() != nullptr; }));
  EXPECT_NE(answer()->detail.find("scripts/fetch models"), std::string::npos);
  EXPECT_EQ(child.exit_code(), 3);
}

TEST_F(SpeechChild, ADamagedModelEndsOnlyTheProcess) {
  const fs::path dir = fs::path(::testing::TempDir()) / ("hansard-damaged-" + std::to_string(::getpid()));
  fs::create_directories(dir);
  for (const char* name : {"encoder_model.ort", "decoder_model_merged.ort", "tokens.txt"}) {
    std::ofstream(dir / name, std::ios::binary) << "this is no model";
  }
  TestChild child({"--model", dir.string()});
  EXPECT_NE(child.exit_code(), 0);
  fs::remove_all(dir);
}

}  // namespace
}  // namespace hansard::speech
