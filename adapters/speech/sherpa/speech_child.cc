// The entry of libhansard_speech.so: `hansard child speech --fd 3 [--models DIR] [--model DIR]`.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "adapters/speech/model_dir.h"
#include "adapters/speech/server.h"
#include "adapters/speech/sherpa/sherpa_models.h"
#include "adapters/speech/silero.h"
#include "core/base/text.h"
#include "ipc/pipe.h"

namespace hansard::speech {
namespace {

constexpr int kUnavailable = 3;

struct Options {
  int fd = -1;
  std::string models;  ///< holds silero_vad.onnx and the default model's folder
  std::string model;   ///< folder of the model; empty: the embedded default in `models`
};

// HANSARD_CACHE, or the source tree's .cache for a program that runs from its build tree.
std::string default_models_dir() {
  if (const char* cache = std::getenv("HANSARD_CACHE"); cache != nullptr && *cache != '\0') return std::string(cache) + "/models";
  return HANSARD_SOURCE_DIR "/.cache/models";
}

Result<Options> read_options(int argc, char** argv) {
  Options o;
  o.models = default_models_dir();
  for (int i = 0; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name != "--fd" && name != "--models" && name != "--model") continue;
    if (i + 1 >= argc) return fail(ErrorClass::kInvalid, "speech", std::string(name) + " needs a value");
    const std::string value = argv[++i];
    std::int64_t fd = -1;
    if (name == "--fd") {
      if (!parse_digits(value, fd)) return fail(ErrorClass::kInvalid, "speech", "--fd needs a descriptor number");
      o.fd = static_cast<int>(fd);
    } else if (!value.empty()) {
      (name == "--models" ? o.models : o.model) = value;
    }
  }
  if (o.fd < 0) return fail(ErrorClass::kInvalid, "speech", "usage: hansard child speech --fd N [--models DIR] [--model DIR]");
  return o;
}

int unavailable(int fd, const std::string& detail) {
  ipc::Pipe pipe(fd);
  pipe.send(ipc::FromSpeech(ipc::SpeechUnavailable{detail}));
  pipe.flush_all(2000);
  return kUnavailable;
}

int run(const Options& o) {
  constexpr std::string_view kAdvice = "; run scripts/fetch models, or set [speech] model_dir to a sherpa-onnx model folder";
  const std::string model = o.model.empty() ? o.models + "/moonshine-tiny-en" : o.model;
  std::error_code error;
  if (!std::filesystem::is_directory(model, error)) {
    return unavailable(o.fd, "the speech model folder " + model + " is missing" + std::string(kAdvice));
  }
  const auto silero = load_silero(o.models + "/silero_vad.onnx");
  if (!silero) return unavailable(o.fd, silero.error().detail + "; run scripts/fetch models");
  const auto files = read_model_dir(model);
  if (!files) return unavailable(o.fd, files.error().detail + std::string(kAdvice));
  auto recognizer = load_recognizer(*files);
  if (!recognizer) return unavailable(o.fd, recognizer.error().detail + std::string(kAdvice));
  return serve(o.fd, files->name, **recognizer, silero_detectors(*silero));
}

}  // namespace
}  // namespace hansard::speech

/// Returns the exit code: 0 when the peer closed, 1 failed, 2 wrong use, 3 no model that works.
extern "C" __attribute__((visibility("default"))) int hansard_speech_main(int argc, char** argv) {
  try {
    const auto options = hansard::speech::read_options(argc, argv);
    if (!options) {
      std::fprintf(stderr, "hansard speech: %s\n", options.error().detail.c_str());
      return 2;
    }
    return hansard::speech::run(*options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hansard speech: %s\n", e.what());
    return 1;
  }
}
