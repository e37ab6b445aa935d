#pragma once
// Moonshine tiny, the embedded model: ONNX Runtime computes the encoder, the decoder is computed here
// (adapters/speech/moonshine.h).
#include <memory>

#include "adapters/speech/model_dir.h"
#include "adapters/speech/recognizer.h"

namespace hansard::speech {

/// Null when the files are not that model; the speech library may know them.
std::unique_ptr<Recognizer> load_moonshine(const ModelFiles& files);

}  // namespace hansard::speech
