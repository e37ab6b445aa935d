#include "adapters/speech/model_dir.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <system_error>

#include "core/base/text.h"

namespace hansard::speech {
namespace {

bool is_model_file(std::string_view name) { return name.ends_with(".onnx") || name.ends_with(".ort"); }
bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Finds the file whose name holds one of `parts` and none of `not_these`; int8 before others, then by name.
class Finder {
 public:
  Finder(std::string directory, std::vector<std::string> files) : directory_(std::move(directory)), files_(std::move(files)) {
    std::sort(files_.begin(), files_.end());
    std::stable_partition(files_.begin(), files_.end(), [](const std::string& f) { return holds(f, "int8"); });
  }
  std::string model(std::initializer_list<std::string_view> parts, std::initializer_list<std::string_view> not_these = {}) const {
    for (const std::string& file : files_) {
      const std::string low = to_lower(file);
      const auto in = [&](std::string_view part) { return holds(low, part); };
      if (is_model_file(low) && std::any_of(parts.begin(), parts.end(), in) &&
          std::none_of(not_these.begin(), not_these.end(), in)) {
        return directory_ + "/" + file;
      }
    }
    return {};
  }
  std::string tokens() const {
    for (const std::string& file : files_) {
      if (file == "tokens.txt" || file.ends_with("-tokens.txt")) return directory_ + "/" + file;
    }
    return {};
  }

 private:
  std::string directory_;
  std::vector<std::string> files_;
};

// Models of one file do not say their kind outside; published folders carry it in their names.
Result<ModelKind> single_file_kind(const std::string& name) {
  const struct {
    std::string_view part;
    ModelKind kind;
  } kinds[] = {
      {"sense-voice", ModelKind::kSenseVoice},   {"sensevoice", ModelKind::kSenseVoice}, {"paraformer", ModelKind::kParaformer},
      {"telespeech", ModelKind::kTelespeechCtc}, {"dolphin", ModelKind::kDolphin},       {"wenet", ModelKind::kWenetCtc},
      {"zipformer", ModelKind::kZipformerCtc},   {"nemo", ModelKind::kNemoCtc},          {"parakeet", ModelKind::kNemoCtc},
      {"giga-am", ModelKind::kNemoCtc},          {"citrinet", ModelKind::kNemoCtc},      {"conformer-ctc", ModelKind::kNemoCtc}};
  for (const auto& [part, kind] : kinds) {
    if (holds(name, part)) return kind;
  }
  return fail(ErrorClass::kInvalid, "speech",
              "cannot tell the kind of the one-file model in \"" + name +
                  "\"; give the folder its published name (such as sherpa-onnx-sense-voice-... or sherpa-onnx-nemo-ctc-...)");
}

// "...-tiny.en", "...-tiny-en", "...-en-2023-06-26", "...-en-int8"; but not "...-en-es-de-fr".
bool english_only(std::string_view name) {
  const std::size_t at = std::max(name.rfind("-en") + 1, name.rfind(".en") + 1);
  if (at == 0) return false;
  const std::string_view rest = name.substr(at + 2);
  if (rest.empty()) return !holds(name.substr(0, at), "-zh");
  if (rest.front() != '-') return false;
  const std::string_view next = rest.substr(1, rest.find('-', 1) - 1);
  return next.size() != 2 && next != "yue" && !holds(name.substr(0, at), "-zh");
}

void detect_pair(ModelFiles& m, const Finder& find, std::string_view low) {
  m.joiner = find.model({"joiner"});
  m.preprocessor = find.model({"preprocess"});
  m.uncached_decoder = find.model({"uncached"});
  m.cached_decoder = find.model({"cached_decode"}, {"uncached"});
  m.encoder = find.model({"encode"}, {"decode"});
  m.decoder = find.model({"merged"});
  if (!m.decoder.empty()) {
    m.kind = ModelKind::kMoonshine;
    return;
  }
  m.decoder = find.model({"decode"}, {"cached"});
  if (!m.preprocessor.empty() && !m.uncached_decoder.empty() && !m.cached_decoder.empty()) {
    m.kind = ModelKind::kMoonshineFourFiles;
  } else if (!m.joiner.empty()) {
    const bool chunked = holds(low, "streaming") || holds(to_lower(m.encoder), "chunk-");
    m.kind = chunked ? ModelKind::kStreamingTransducer : ModelKind::kTransducer;
  } else if (holds(low, "canary")) {
    m.kind = ModelKind::kCanary;
  } else if (holds(low, "fire-red")) {
    m.kind = ModelKind::kFireRedAsr;
  } else {
    m.kind = ModelKind::kWhisper;
  }
}

}  // namespace

Result<ModelFiles> detect_model(const std::string& directory, const std::vector<std::string>& files) {
  const Finder find(directory, files);
  ModelFiles m;
  m.name = std::filesystem::path(directory).lexically_normal().filename().string();
  if (m.name.empty()) m.name = std::filesystem::path(directory).lexically_normal().parent_path().filename().string();
  const std::string low = to_lower(m.name);
  m.tokens = find.tokens();
  m.english_only = english_only(low);
  if (m.tokens.empty()) {
    return fail(ErrorClass::kInvalid, "speech",
                directory + " holds no tokens.txt; it is not a complete sherpa-onnx model folder");
  }
  detect_pair(m, find, low);
  const bool four = m.kind == ModelKind::kMoonshineFourFiles;
  if (!m.encoder.empty() && (four || !m.decoder.empty())) return m;
  m.model = find.model({"model"}, {"encode", "decode", "joiner"});
  if (m.model.empty()) {
    return fail(
        ErrorClass::kInvalid, "speech",
        directory +
            " holds no model that is known: expected encoder and decoder (and joiner), or one model.onnx, beside tokens.txt");
  }
  auto kind = single_file_kind(low);
  if (!kind) return pass(kind);
  m.kind = *kind;
  return m;
}

Result<ModelFiles> read_model_dir(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    files.push_back(it->path().filename().string());
  }
  if (error) return fail(ErrorClass::kNotFound, "speech", "cannot read the model folder " + directory + ": " + error.message());
  return detect_model(directory, files);
}

}  // namespace hansard::speech
