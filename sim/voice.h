#pragma once
// Simulated sound. Samples carry what is being said, so that a recognizer can only know what audio reached it: each
// millisecond (16 samples) holds the number of the speech and the place in it.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>

#include "core/base/time.h"

namespace hansard::sim {

constexpr std::int64_t kFrameMs = 100;  ///< sound changes only here (in media time)
constexpr std::size_t kSamplesPerMs = 16;

/// `speech` 0 is silence. `offset_ms`: of the frame's begin within the speech.
struct Sound {
  std::int16_t speech = 0;
  std::int32_t offset_ms = 0;
  bool operator==(const Sound&) const = default;
};

/// A stretch of one sound; `offset_ms` is that of its begin.
struct Stretch {
  MediaTime start;
  MediaTime end;
  Sound sound;
};

/// Writes one frame (or the part of it that `out` holds).
inline void render(std::span<std::int16_t> out, Sound sound) {
  for (std::size_t i = 0; i < out.size(); i += kSamplesPerMs) {
    out[i] = sound.speech;
    out[i + 1] = static_cast<std::int16_t>(sound.offset_ms & 0x7fff);
    out[i + 2] = static_cast<std::int16_t>(sound.offset_ms >> 15);
  }
}

/// Cuts audio that begins at `start` into its frames.
inline void listen(MediaTime start, std::span<const std::int16_t> samples, const std::function<void(const Stretch&)>& take) {
  std::size_t ms = 0;
  const std::size_t total = samples.size() / kSamplesPerMs;
  while (ms < total) {
    const std::int64_t at = start.ms + static_cast<std::int64_t>(ms);
    const std::int64_t frame = at / kFrameMs * kFrameMs;
    const auto length =
        static_cast<std::size_t>(std::min<std::int64_t>(frame + kFrameMs - at, static_cast<std::int64_t>(total - ms)));
    const std::int16_t* block = &samples[ms * kSamplesPerMs];
    const std::int32_t offset = block[1] | (std::int32_t{block[2]} << 15);
    Sound sound{block[0], 0};
    if (sound.speech != 0) sound.offset_ms = offset + static_cast<std::int32_t>(at - frame);
    take({{at}, {at + static_cast<std::int64_t>(length)}, sound});
    ms += length;
  }
}

}  // namespace hansard::sim
