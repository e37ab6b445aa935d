#pragma once
// Tells the kind of a sherpa-onnx model directory by its files, and where the files are.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace hansard::speech {

enum class ModelKind : std::uint8_t {
  kMoonshine,           ///< encoder + merged decoder (second form)
  kMoonshineFourFiles,  ///< preprocessor, encoder, uncached and cached decoder (first form)
  kWhisper,
  kCanary,
  kFireRedAsr,
  kTransducer,           ///< Zipformer, Conformer, NeMo (Parakeet): the library tells them apart by metadata
  kStreamingTransducer,  ///< Zipformer and others exported in chunks
  kSenseVoice,
  kParaformer,
  kNemoCtc,
  kZipformerCtc,
  kWenetCtc,
  kDolphin,
  kTelespeechCtc,
};

struct ModelFiles {
  ModelKind kind = ModelKind::kMoonshine;
  std::string name;  ///< of the directory, for people
  std::string encoder, decoder, joiner, preprocessor, uncached_decoder, cached_decoder;
  std::string model;  ///< where one file holds everything
  std::string tokens;
  bool english_only = false;  ///< by its name
};

/// The kind of the model that the files of `directory` (names without path) make up. Where both are there, the int8 form
/// is taken. Errors: kInvalid with what was expected.
Result<ModelFiles> detect_model(const std::string& directory, const std::vector<std::string>& files);

/// The same, reading the directory. Errors: kNotFound, kInvalid.
Result<ModelFiles> read_model_dir(const std::string& directory);

}  // namespace hansard::speech
