#pragma once
// Utterances as files for people and players. The text of a meeting is somebody else's: each form escapes it, so that it
// can make neither markup nor cues. Utterances are written in the order given.
#include <span>
#include <string>

#include "core/transcript/utterance.h"

namespace hansard {

/// WebVTT (W3C), one cue an utterance with a voice span: <v Speaker>text.
std::string to_vtt(std::span<const Utterance> utterances);
/// SubRip: numbered cues, "Speaker: text".
std::string to_srt(std::span<const Utterance> utterances);
/// One line an utterance: "Speaker: text", or the text alone without a speaker.
std::string to_text(std::span<const Utterance> utterances);
/// One paragraph an utterance: **Speaker** (0:01:02): text.
std::string to_markdown(std::span<const Utterance> utterances);

/// One line of text in Markdown (CommonMark), nothing in it being markup.
std::string markdown_escape(std::string_view text);
/// H:MM:SS for people.
std::string clock_time(MediaTime t);

}  // namespace hansard
