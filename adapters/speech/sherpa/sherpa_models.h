#pragma once
// sherpa-onnx by its C API: every recognizer the library loads from a directory.
// A broken model file can make the library end the process; that is why this runs in a process of its own.
#include <memory>
#include <string>

#include "adapters/speech/model_dir.h"
#include "adapters/speech/recognizer.h"

namespace hansard::speech {

/// Loads the recognizer: the embedded model without the library, every other by it. Errors: kInvalid (the library refuses the
/// files).
Result<std::unique_ptr<Recognizer>> load_recognizer(const ModelFiles& files);

}  // namespace hansard::speech
