#include "adapters/speech/sherpa/sherpa_models.h"

#include <sherpa-onnx/c-api/c-api.h>

#include <cstring>
#include <utility>

#include "adapters/speech/sherpa/moonshine_recognizer.h"
#include "adapters/speech/words.h"
#include "core/base/text.h"

namespace hansard::speech {
namespace {

std::vector<TimedWord> words_of(const SherpaOnnxOfflineRecognizerResult& r, double end_s) {
  if (r.timestamps == nullptr || r.tokens_arr == nullptr || r.count <= 0) return {};
  std::vector<TokenTime> tokens;
  for (std::int32_t i = 0; i < r.count; ++i) {
    const double start = r.timestamps[i];
    const double end = r.durations != nullptr ? start + static_cast<double>(r.durations[i]) : -1;
    tokens.push_back({r.tokens_arr[i], start, end, r.ys_log_probs != nullptr ? static_cast<double>(r.ys_log_probs[i]) : 1.0});
  }
  return words_from_tokens(tokens, end_s);
}

std::string primary_subtag(std::string_view language) { return to_lower(language.substr(0, language.find_first_of("-_"))); }

class OfflineRecognizer : public Recognizer {
 public:
  OfflineRecognizer(const SherpaOnnxOfflineRecognizer* handle, bool english_only)
      : handle_(handle), english_only_(english_only) {}
  ~OfflineRecognizer() override { SherpaOnnxDestroyOfflineRecognizer(handle_); }
  OfflineRecognizer(const OfflineRecognizer&) = delete;
  OfflineRecognizer& operator=(const OfflineRecognizer&) = delete;

  Recognition recognize(std::span<const float> audio, std::string_view language) override {
    const SherpaOnnxOfflineStream* stream = SherpaOnnxCreateOfflineStream(handle_);
    if (stream == nullptr || audio.empty()) return {};
    if (!language.empty() && !english_only_)
      SherpaOnnxOfflineStreamSetOption(stream, "language", primary_subtag(language).c_str());
    SherpaOnnxAcceptWaveformOffline(stream, static_cast<std::int32_t>(kSamplesPerSecond), audio.data(),
                                    static_cast<std::int32_t>(audio.size()));
    SherpaOnnxDecodeOfflineStream(handle_, stream);
    Recognition out;
    if (const SherpaOnnxOfflineRecognizerResult* result = SherpaOnnxGetOfflineStreamResult(stream)) {
      if (result->text != nullptr) out.text = result->text;
      out.words = words_of(*result, static_cast<double>(audio.size()) / static_cast<double>(kSamplesPerSecond));
      SherpaOnnxDestroyOfflineRecognizerResult(result);
    }
    SherpaOnnxDestroyOfflineStream(stream);
    return out;
  }

  bool knows(std::string_view language) const override {
    return !english_only_ || language.empty() || primary_subtag(language) == "en";
  }

 private:
  const SherpaOnnxOfflineRecognizer* handle_;
  bool english_only_;
};

/// A model made for streaming, fed a whole utterance at a time: the utterances come from the same segmentation.
class StreamingRecognizer : public Recognizer {
 public:
  StreamingRecognizer(const SherpaOnnxOnlineRecognizer* handle, bool english_only)
      : handle_(handle), english_only_(english_only) {}
  ~StreamingRecognizer() override { SherpaOnnxDestroyOnlineRecognizer(handle_); }
  StreamingRecognizer(const StreamingRecognizer&) = delete;
  StreamingRecognizer& operator=(const StreamingRecognizer&) = delete;

  Recognition recognize(std::span<const float> audio, std::string_view) override {
    const SherpaOnnxOnlineStream* stream = SherpaOnnxCreateOnlineStream(handle_);
    if (stream == nullptr) return {};
    SherpaOnnxOnlineStreamAcceptWaveform(stream, static_cast<std::int32_t>(kSamplesPerSecond), audio.data(),
                                         static_cast<std::int32_t>(audio.size()));
    // The last chunk must be full for its words to come out.
    const std::vector<float> tail(static_cast<std::size_t>(kSamplesPerSecond) * 2 / 3, 0.0F);
    SherpaOnnxOnlineStreamAcceptWaveform(stream, static_cast<std::int32_t>(kSamplesPerSecond), tail.data(),
                                         static_cast<std::int32_t>(tail.size()));
    SherpaOnnxOnlineStreamInputFinished(stream);
    while (SherpaOnnxIsOnlineStreamReady(handle_, stream) != 0) SherpaOnnxDecodeOnlineStream(handle_, stream);
    Recognition out;
    if (const SherpaOnnxOnlineRecognizerResult* result = SherpaOnnxGetOnlineStreamResult(handle_, stream)) {
      if (result->text != nullptr) out.text = result->text;
      std::vector<TokenTime> tokens;
      for (std::int32_t i = 0; result->timestamps != nullptr && result->tokens_arr != nullptr && i < result->count; ++i) {
        tokens.push_back({result->tokens_arr[i], static_cast<double>(result->timestamps[i])});
      }
      out.words = words_from_tokens(tokens, static_cast<double>(audio.size()) / static_cast<double>(kSamplesPerSecond));
      SherpaOnnxDestroyOnlineRecognizerResult(result);
    }
    SherpaOnnxDestroyOnlineStream(stream);
    return out;
  }

  bool knows(std::string_view language) const override {
    return !english_only_ || language.empty() || primary_subtag(language) == "en";
  }

 private:
  const SherpaOnnxOnlineRecognizer* handle_;
  bool english_only_;
};

const SherpaOnnxOnlineRecognizer* create_streaming(const ModelFiles& files) {
  SherpaOnnxOnlineRecognizerConfig config;
  std::memset(&config, 0, sizeof config);
  config.feat_config.sample_rate = static_cast<std::int32_t>(kSamplesPerSecond);
  config.feat_config.feature_dim = 80;
  config.model_config.transducer.encoder = files.encoder.c_str();
  config.model_config.transducer.decoder = files.decoder.c_str();
  config.model_config.transducer.joiner = files.joiner.c_str();
  config.model_config.tokens = files.tokens.c_str();
  config.model_config.num_threads = 1;
  config.model_config.provider = "cpu";
  config.decoding_method = "greedy_search";
  return SherpaOnnxCreateOnlineRecognizer(&config);
}

void set_files(SherpaOnnxOfflineModelConfig& model, const ModelFiles& files) {
  switch (files.kind) {
    case ModelKind::kMoonshine:
      model.moonshine.encoder = files.encoder.c_str();
      model.moonshine.merged_decoder = files.decoder.c_str();
      break;
    case ModelKind::kMoonshineFourFiles:
      model.moonshine.preprocessor = files.preprocessor.c_str();
      model.moonshine.encoder = files.encoder.c_str();
      model.moonshine.uncached_decoder = files.uncached_decoder.c_str();
      model.moonshine.cached_decoder = files.cached_decoder.c_str();
      break;
    case ModelKind::kWhisper:
      model.whisper.encoder = files.encoder.c_str();
      model.whisper.decoder = files.decoder.c_str();
      model.whisper.task = "transcribe";
      break;
    case ModelKind::kCanary:
      model.canary.encoder = files.encoder.c_str();
      model.canary.decoder = files.decoder.c_str();
      model.canary.src_lang = model.canary.tgt_lang = "en";
      model.canary.use_pnc = 1;
      break;
    case ModelKind::kFireRedAsr:
      model.fire_red_asr.encoder = files.encoder.c_str();
      model.fire_red_asr.decoder = files.decoder.c_str();
      break;
    case ModelKind::kTransducer:
    case ModelKind::kStreamingTransducer:
      model.transducer.encoder = files.encoder.c_str();
      model.transducer.decoder = files.decoder.c_str();
      model.transducer.joiner = files.joiner.c_str();
      break;
    case ModelKind::kSenseVoice:
      model.sense_voice.model = files.model.c_str();
      model.sense_voice.use_itn = 1;
      break;
    case ModelKind::kParaformer: model.paraformer.model = files.model.c_str(); break;
    case ModelKind::kNemoCtc: model.nemo_ctc.model = files.model.c_str(); break;
    case ModelKind::kZipformerCtc: model.zipformer_ctc.model = files.model.c_str(); break;
    case ModelKind::kWenetCtc: model.wenet_ctc.model = files.model.c_str(); break;
    case ModelKind::kDolphin: model.dolphin.model = files.model.c_str(); break;
    case ModelKind::kTelespeechCtc: model.telespeech_ctc = files.model.c_str(); break;
  }
}

}  // namespace

Result<std::unique_ptr<Recognizer>> load_recognizer(const ModelFiles& files) {
  const auto refused = [&] {
    return fail(ErrorClass::kInvalid, "speech",
                "the speech library refuses the model in the folder " + files.name + "; fetch it again or choose another");
  };
  if (auto ours = load_moonshine(files)) return ours;
  if (files.kind == ModelKind::kStreamingTransducer) {
    const SherpaOnnxOnlineRecognizer* handle = create_streaming(files);
    if (handle == nullptr) return refused();
    return std::make_unique<StreamingRecognizer>(handle, files.english_only);
  }
  SherpaOnnxOfflineRecognizerConfig config;
  std::memset(&config, 0, sizeof config);
  config.feat_config.sample_rate = static_cast<std::int32_t>(kSamplesPerSecond);
  config.feat_config.feature_dim = 80;
  set_files(config.model_config, files);
  config.model_config.tokens = files.tokens.c_str();
  config.model_config.num_threads = 1;
  config.model_config.provider = "cpu";
  config.decoding_method = "greedy_search";
  const SherpaOnnxOfflineRecognizer* handle = SherpaOnnxCreateOfflineRecognizer(&config);
  if (handle == nullptr) return refused();
  return std::make_unique<OfflineRecognizer>(handle, files.english_only);
}

}  // namespace hansard::speech
