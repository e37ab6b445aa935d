#pragma once
// A network that ONNX Runtime computes on the calling thread. The speech library brings the runtime but none of its headers; what
// is used of its C interface is declared in onnx_session.cc.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace hansard::speech {

class OnnxSession {
 public:
  /// Errors: kInvalid (the runtime refuses the file, or is of a version that does not know this interface).
  static Result<std::unique_ptr<OnnxSession>> load(const std::string& path);
  ~OnnxSession();
  OnnxSession(const OnnxSession&) = delete;
  OnnxSession& operator=(const OnnxSession&) = delete;

  struct Input {
    const char* name;
    std::variant<std::span<const float>, std::span<const std::int64_t>> values;
    std::vector<std::int64_t> shape;
  };
  /// The values of one output of floats. Errors: kInternal.
  Result<std::vector<float>> run(std::span<const Input> inputs, const char* output);

 private:
  struct Handles;
  explicit OnnxSession(std::unique_ptr<Handles> handles);
  std::unique_ptr<Handles> handles_;
};

}  // namespace hansard::speech
