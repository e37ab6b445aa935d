// The frames from a child process, which may have been taken over by hostile media: any bytes, in any pieces, give
// frames or an error, the same however they are cut.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "ipc/frame.h"

namespace {

using hansard::Json;
using hansard::ipc::encode;
using hansard::ipc::Frame;
using hansard::ipc::FrameDecoder;

std::string bytes_of(const Frame& frame) {
  if (const auto* message = std::get_if<Json>(&frame)) return encode(message->dump());
  return encode(std::get<hansard::ipc::AudioFrame>(frame));
}

/// The frames of `bytes` given in pieces of `step`, encoded again; an error ends with a mark.
std::vector<std::string> frames(std::string_view bytes, std::size_t step) {
  FrameDecoder decoder;
  std::vector<std::string> out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    decoder.push(bytes.substr(at, step));
    while (true) {
      const auto frame = decoder.next();
      if (!frame) {
        out.emplace_back("error");
        return out;
      }
      if (!*frame) break;
      out.push_back(bytes_of(**frame));
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = frames(bytes, size == 0 ? 1 : size);
  CHECK(whole == frames(bytes, 7));
  return 0;
}
