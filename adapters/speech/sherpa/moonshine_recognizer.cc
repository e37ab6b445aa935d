#include "adapters/speech/sherpa/moonshine_recognizer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "adapters/speech/moonshine.h"
#include "adapters/speech/sherpa/onnx_session.h"
#include "core/base/encoding.h"
#include "core/base/text.h"

namespace hansard::speech {
namespace {

// The encoder's first layers need so much.
constexpr std::size_t kLeastSamples = kSamplesPerSecond / 10;
// Nobody says more in a second; the model's makers let it go so far.
constexpr double kMostTokensPerSecond = 6.5;
// Noise that the gate lets through gives a word below this; speech with most of its words right lies above -0.9.
constexpr double kLeastCertainty = -1;
constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581

/// tokens.txt: base64(token) SPACE index, line by line. Empty when it is not.
std::vector<std::string> read_tokens(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> tokens;
  for (std::string line; std::getline(in, line);) {
    const std::size_t space = line.find(' ');
    std::int64_t index = -1;
    if (space == std::string::npos || !parse_digits(line.substr(space + 1), index)) return {};
    if (index != static_cast<std::int64_t>(tokens.size())) return {};
    tokens.push_back(base64_decode(line.substr(0, space)));
  }
  return tokens;
}

class MoonshineRecognizer : public Recognizer {
 public:
  MoonshineRecognizer(std::unique_ptr<OnnxSession> encoder, std::unique_ptr<MoonshineDecoder> decoder,
                      std::vector<std::string> tokens)
      : encoder_(std::move(encoder)), decoder_(std::move(decoder)), tokens_(std::move(tokens)) {}

  Recognition recognize(std::span<const float> audio, std::string_view) override {
    if (audio.empty()) return {};
    samples_.assign(audio.begin(), audio.end());
    if (samples_.size() < kLeastSamples) samples_.resize(kLeastSamples);
    heard_.assign(samples_.size(), 1);
    const auto size = static_cast<std::int64_t>(samples_.size());
    const std::array inputs{OnnxSession::Input{"input_values", std::span<const float>(samples_), {1, size}},
                            OnnxSession::Input{"attention_mask", std::span<const std::int64_t>(heard_), {1, size}}};
    const auto encoded = encoder_->run(inputs, "last_hidden_state");
    if (!encoded || encoded->size() % MoonshineDecoder::kWidth != 0) return {};
    const double seconds = static_cast<double>(size) / static_cast<double>(kSamplesPerSecond);
    const auto longest = static_cast<std::size_t>(seconds * kMostTokensPerSecond);
    const auto decoded = decoder_->decode(*encoded, std::max<std::size_t>(longest, 1));
    // Written as a comparison that what is no number fails too.
    if (!(decoded.certainty >= kLeastCertainty)) return {};
    return {text_of(decoded.tokens), {}};
  }

  bool knows(std::string_view language) const override {
    return language.empty() || to_lower(language.substr(0, language.find_first_of("-_"))) == "en";
  }

 private:
  std::string text_of(const std::vector<std::int32_t>& numbers) const {
    std::string text;
    for (const std::int32_t number : numbers) {
      const auto index = static_cast<std::size_t>(number);
      if (index >= tokens_.size()) continue;
      const std::string& token = tokens_[index];
      // <unk>, <<ST_1>> and the like are not speech.
      if (token.size() >= 3 && token.front() == '<' && token.back() == '>') continue;
      text += token;
    }
    for (std::size_t at = text.find(kSpaceMark); at != std::string::npos; at = text.find(kSpaceMark, at))
      text.replace(at, kSpaceMark.size(), " ");
    return text;
  }

  std::unique_ptr<OnnxSession> encoder_;
  std::unique_ptr<MoonshineDecoder> decoder_;
  std::vector<std::string> tokens_;
  std::vector<float> samples_;
  std::vector<std::int64_t> heard_;
};

}  // namespace

std::unique_ptr<Recognizer> load_moonshine(const ModelFiles& files) {
  if (files.kind != ModelKind::kMoonshine || !files.english_only) return nullptr;
  auto tokens = read_tokens(files.tokens);
  if (tokens.empty()) return nullptr;
  auto decoder = MoonshineDecoder::load(files.decoder);
  if (!decoder) return nullptr;
  auto encoder = OnnxSession::load(files.encoder);
  if (!encoder) return nullptr;
  return std::make_unique<MoonshineRecognizer>(std::move(*encoder), std::move(*decoder), std::move(tokens));
}

}  // namespace hansard::speech
