#include "adapters/speech/moonshine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "adapters/speech/ort_file.h"

namespace hansard::speech {
namespace {

namespace fs = std::filesystem;

class Moonshine : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* set = std::getenv("HANSARD_CACHE");
    model_ = std::string(set != nullptr && *set != '\0' ? set : ".cache") + "/models/moonshine-tiny-en/decoder_model_merged.ort";
    if (!fs::exists(model_)) GTEST_SKIP() << model_ << " is not there; get it with scripts/fetch models";
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string bytes() const {
    std::ifstream in(model_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string written(const std::string& changed) {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "decoder.ort", std::ios::binary) << changed;
    return (folder_ / "decoder.ort").string();
  }
  // Not what an encoder gives, but as large.
  static std::vector<float> encoded(std::size_t moments) {
    std::vector<float> out(moments * MoonshineDecoder::kWidth);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::sin(static_cast<float>(i * i % 1009));
    return out;
  }

  std::string model_;
  const fs::path folder_ = fs::path(::testing::TempDir()) / ("moonshine-" + std::to_string(::getpid()));
};

TEST_F(Moonshine, SaysTheSameOnEveryProcessor) {
  const auto plain = MoonshineDecoder::load(model_, Processor::kPlain);
  ASSERT_TRUE(plain) << plain.error().detail;
  const auto best = MoonshineDecoder::load(model_);
  ASSERT_TRUE(best) << best.error().detail;
  // One moment, less and more than are worked on at once, and again fewer: nothing of the longer one is left.
  for (const std::size_t moments : {1, 31, 32, 33, 200, 20}) {
    const auto expected = (*plain)->decode(encoded(moments), 8);
    const auto decoded = (*best)->decode(encoded(moments), 8);
    EXPECT_EQ(decoded.tokens, expected.tokens) << moments;
    EXPECT_NEAR(decoded.certainty, expected.certainty, 1e-3) << moments;
    EXPECT_LE(expected.tokens.size(), 8U);
    EXPECT_LT(expected.certainty, 0);
  }
  EXPECT_TRUE((*best)->decode({}, 8).tokens.empty());
  EXPECT_LE((*best)->decode(encoded(100), 100'000).tokens.size(), 192U);
}

TEST_F(Moonshine, FindsWhatIsInTheFile) {
  const auto file = OrtFile::read(model_);
  ASSERT_TRUE(file) << file.error().detail;
  const OrtFile::Tensor* norm = file->constant("model.decoder.norm.weight_merged_0");
  ASSERT_NE(norm, nullptr);
  EXPECT_EQ(norm->shape, std::vector<std::int64_t>{288});
  EXPECT_EQ(norm->type, 1);
  EXPECT_EQ(norm->data.size(), 288U * 4);
  EXPECT_EQ(file->constant("no such thing"), nullptr);
  EXPECT_EQ(file->inputs("/proj_out/MatMul_quant").size(), 5U);
  EXPECT_TRUE(file->inputs("no such thing").empty());
}

TEST_F(Moonshine, RefusesWhatIsCutOffOrAnother) {
  EXPECT_EQ(MoonshineDecoder::load(model_ + ".not-there").error().code, ErrorClass::kNotFound);
  EXPECT_EQ(MoonshineDecoder::load(fs::path(model_).parent_path() / "encoder_model.ort").error().code, ErrorClass::kInvalid);
  const std::string whole = bytes();
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() / 2}) {
    const auto decoder = MoonshineDecoder::load(written(whole.substr(0, length)));
    ASSERT_FALSE(decoder) << length;
    EXPECT_EQ(decoder.error().code, ErrorClass::kInvalid);
  }
  std::string nonsense(100'000, '\xFF');
  nonsense.replace(0, 8, std::string("\x18\0\0\0ORTM", 8));
  EXPECT_FALSE(MoonshineDecoder::load(written(nonsense)));
}

// The file's tables lie among its weights: most changes hit a weight, and the beginning and end hold the structure.
TEST_F(Moonshine, LivesWithAnyChangeOfTheFile) {
  const std::string whole = bytes();
  std::uint64_t random = 1;
  for (int round = 0; round < 12; ++round) {
    std::string changed = whole;
    for (int n = 0; n < 2000; ++n) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      changed[(random >> 20) % (n % 2 == 0 ? changed.size() : 400'000)] = static_cast<char>(random >> 56);
    }
    const auto decoder = MoonshineDecoder::load(written(changed));
    if (decoder) (*decoder)->decode(encoded(10), 4);
  }
}

}  // namespace
}  // namespace hansard::speech
