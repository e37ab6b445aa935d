#include "adapters/speech/silero.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace hansard::speech {
namespace {

namespace fs = std::filesystem;

std::string cache() {
  const char* set = std::getenv("HANSARD_CACHE");
  return set != nullptr && *set != '\0' ? set : ".cache";
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Silero : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(model_)) GTEST_SKIP() << model_ << " is not there; get it with scripts/fetch models";
  }
  // A folder of its own for what a test writes.
  void TearDown() override { fs::remove_all(folder_); }
  std::string written(const std::string& bytes) {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "model.onnx", std::ios::binary) << bytes;
    return (folder_ / "model.onnx").string();
  }

  const std::string model_ = cache() + "/models/silero_vad.onnx";
  const fs::path folder_ = fs::path(::testing::TempDir()) / ("silero-" + std::to_string(::getpid()));
};

// What ONNX Runtime 1.32 gives for the same file and the same audio, every 30th window.
constexpr float kExpected[] = {0.0115F, 0.0076F, 0.0037F, 0.0171F, 0.0058F, 0.0009F, 0.0014F, 0.0042F, 0.9904F, 0.9460F, 0.9978F,
                               0.9998F, 0.9965F, 0.9736F, 0.9999F, 0.9925F, 0.9979F, 0.5702F, 0.9993F, 0.9856F, 0.9997F, 0.9998F,
                               0.9999F, 0.9953F, 1.0000F, 1.0000F, 0.9995F, 1.0000F, 1.0000F, 0.9978F, 0.9970F, 0.9996F};

TEST_F(Silero, GivesTheProbabilitiesOfTheModel) {
  const std::string wav = read_file(cache() + "/samples/pyannote/sample.wav");
  const std::size_t data = wav.find("data");
  if (data == std::string::npos) GTEST_SKIP() << "the recorded conversation is not there; get it with scripts/fetch models";
  std::vector<std::int16_t> samples((wav.size() - data - 8) / 2);
  std::memcpy(samples.data(), wav.data() + data + 8, samples.size() * 2);

  const auto weights = load_silero(model_);
  ASSERT_TRUE(weights) << weights.error().detail;
  SileroNetwork network(*weights);
  for (int round = 0; round < 2; ++round) {
    std::vector<float> window(kWindowSamples);
    for (std::size_t n = 0; n < 30 * (std::size(kExpected) - 1) + 1; ++n) {
      for (std::size_t i = 0; i < kWindowSamples; ++i) window[i] = static_cast<float>(samples[n * kWindowSamples + i]) / 32768.0F;
      const float probability = network.push(window);
      if (n % 30 == 0) {
        EXPECT_NEAR(probability, kExpected[n / 30], 0.002) << "window " << n;
      }
    }
    network.reset();  // the second time it begins as it began
  }
}

TEST_F(Silero, RefusesAFileThatIsCutOffOrAnother) {
  EXPECT_EQ(load_silero(model_ + ".not-there").error().code, ErrorClass::kNotFound);
  const std::string whole = read_file(model_);
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, whole.size() / 2, whole.size() - 1}) {
    const auto weights = load_silero(written(whole.substr(0, length)));
    ASSERT_FALSE(weights) << length;
    EXPECT_EQ(weights.error().code, ErrorClass::kInvalid);
  }
  EXPECT_FALSE(load_silero(written(std::string(100'000, '\xFF'))));
  EXPECT_FALSE(load_silero(written(std::string(100'000, '\x3A'))));
}

TEST_F(Silero, LivesWithAnyChangeOfTheFile) {
  const std::string whole = read_file(model_);
  std::uint64_t random = 1;
  for (int round = 0; round < 30; ++round) {
    std::string changed = whole;
    for (int n = 0; n < 20; ++n) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      changed[(random >> 20) % changed.size()] = static_cast<char>(random >> 56);
    }
    const auto weights = load_silero(written(changed));
    if (!weights) continue;
    SileroNetwork network(*weights);
    network.push(std::vector<float>(kWindowSamples, 0.1F));
  }
}

}  // namespace
}  // namespace hansard::speech
