#include "cli/demo_audio.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "adapters/files/files.h"
#include "cli/demo_process.h"
#include "core/base/text.h"

namespace hansard::cli {
namespace {

constexpr std::size_t kMaxWav = 256u << 20;
/// Breath before and after a speaker's part, where nobody else speaks.
constexpr double kMargin = 0.15;
constexpr std::size_t kFade = kDemoRate / 100;
/// Between two utterances of the script: long enough to end one for the live recognizer.
constexpr std::int64_t kPauseMs = 900;
constexpr std::int64_t kLeadMs = 1500;

std::uint32_t get(const std::string& s, std::size_t at, int bytes) {
  std::uint32_t v = 0;
  for (int i = 0; i < bytes; ++i)
    v |= static_cast<std::uint32_t>(static_cast<unsigned char>(s[at + static_cast<std::size_t>(i)])) << (8 * i);
  return v;
}
void put(std::string& out, std::uint32_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(v >> (8 * i));
}

std::size_t at_sample(double seconds, std::size_t limit) {
  return std::min(limit, static_cast<std::size_t>(std::max(0.0, std::round(seconds * kDemoRate))));
}

std::string safe_name(const std::string& speaker) {
  std::string out;
  for (const char c : speaker) out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return out;
}

Result<void> run_flite(const MeetingScript::Voice& voice, const std::string& text, const std::string& text_file,
                       const std::string& wav) {
  if (auto r = write_file(text_file, text, 0600); !r) return r;
  char stretch[32];
  std::snprintf(stretch, sizeof stretch, "duration_stretch=%.2f", voice.stretch);
  auto process =
      DemoProcess::start({"flite", "-voice", voice.voice, "--setf", stretch, "-f", text_file, "-o", wav}, text_file + ".log");
  if (!process) return pass(process);
  while (!process->poll()) ::usleep(5000);
  if (*process->poll() == 127)
    return fail(ErrorClass::kNotFound, "demo",
                "flite is missing, which speaks the second meeting; install it with: apt-get install flite");
  if (*process->poll() != 0) return fail(ErrorClass::kInternal, "demo", "flite could not speak with the voice " + voice.voice);
  return {};
}

}  // namespace

Result<std::vector<std::int16_t>> read_wav(const std::string& path) {
  const auto bytes = read_file(path, kMaxWav);
  if (!bytes) return std::unexpected(bytes.error());
  const auto bad = [&] { return fail(ErrorClass::kInvalid, "demo", path + " is not a 16-bit mono WAV file at 16 kHz"); };
  const std::string& s = *bytes;
  if (s.size() < 44 || s.compare(0, 4, "RIFF") != 0 || s.compare(8, 4, "WAVE") != 0) return bad();
  bool format_ok = false;
  for (std::size_t at = 12; at + 8 <= s.size();) {
    const std::size_t size = std::min<std::size_t>(get(s, at + 4, 4), s.size() - at - 8);
    if (s.compare(at, 4, "fmt ") == 0 && size >= 16) {
      format_ok =
          get(s, at + 8, 2) == 1 && get(s, at + 10, 2) == 1 && get(s, at + 12, 4) == kDemoRate && get(s, at + 22, 2) == 16;
    }
    if (s.compare(at, 4, "data") == 0) {
      if (!format_ok) return bad();
      std::vector<std::int16_t> out(size / 2);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int16_t>(get(s, at + 8 + 2 * i, 2));
      return out;
    }
    at += 8 + size + (size & 1);
  }
  return bad();
}

Result<void> write_wav(const std::string& path, const std::vector<std::int16_t>& samples) {
  std::string out = "RIFF";
  const auto bytes = static_cast<std::uint32_t>(2 * samples.size());
  put(out, 36 + bytes, 4);
  out += "WAVEfmt ";
  put(out, 16, 4);
  put(out, 1, 2);
  put(out, 1, 2);
  put(out, kDemoRate, 4);
  put(out, 2 * kDemoRate, 4);
  put(out, 2, 2);
  put(out, 16, 2);
  out += "data";
  put(out, bytes, 4);
  for (const std::int16_t s : samples) put(out, static_cast<std::uint16_t>(s), 2);
  return write_file(path, out, 0600);
}

Result<std::vector<StmSegment>> read_stm(const std::string& text) {
  std::vector<StmSegment> out;
  for (const auto raw : split(text, '\n')) {
    const auto line = trim(raw);
    if (line.empty() || line.starts_with(";;")) continue;
    // FILE CHANNEL SPEAKER START END words...
    StmSegment segment;
    std::vector<std::string> words;
    for (const auto w : split(line, ' ')) {
      if (!w.empty()) words.emplace_back(w);
    }
    if (words.size() < 5) return fail(ErrorClass::kInvalid, "demo", "an .stm line with fewer than five words");
    segment.speaker = words[2];
    segment.start = std::strtod(words[3].c_str(), nullptr);
    segment.end = std::strtod(words[4].c_str(), nullptr);
    if (!(segment.end > segment.start))
      return fail(ErrorClass::kInvalid, "demo", "an .stm line whose end is not after its start");
    for (std::size_t i = 5; i < words.size(); ++i) segment.text += (i > 5 ? " " : "") + words[i];
    out.push_back(std::move(segment));
  }
  if (out.empty()) return fail(ErrorClass::kInvalid, "demo", "an .stm file without a line");
  return out;
}

std::vector<std::vector<std::int16_t>> cut_by_speaker(const std::vector<std::int16_t>& audio,
                                                      const std::vector<StmSegment>& segments,
                                                      const std::vector<std::string>& speakers) {
  std::vector<std::vector<std::int16_t>> out(speakers.size(), std::vector<std::int16_t>(audio.size()));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto& s = segments[i];
    const auto who = std::find(speakers.begin(), speakers.end(), s.speaker);
    if (who == speakers.end()) continue;
    const double before = i == 0 ? s.start : s.start - segments[i - 1].end;
    const double after = i + 1 == segments.size() ? kMargin : segments[i + 1].start - s.end;
    const std::size_t from = at_sample(s.start - std::clamp(before / 2, 0.0, kMargin), audio.size());
    const std::size_t to = at_sample(s.end + std::clamp(after / 2, 0.0, kMargin), audio.size());
    auto& track = out[static_cast<std::size_t>(who - speakers.begin())];
    for (std::size_t k = from; k < to; ++k) {
      // Short ramps, so that a cut does not click. Inside one speaker's turn the ramps of two parts meet in silence.
      const std::size_t edge = std::min(k - from, to - 1 - k);
      track[k] =
          edge >= kFade ? audio[k] : static_cast<std::int16_t>(audio[k] * static_cast<int>(edge) / static_cast<int>(kFade));
    }
  }
  return out;
}

Result<DemoMeetingAudio> make_recorded_meeting(const std::string& samples, const std::string& dir) {
  auto audio = read_wav(samples + "/sample.wav");
  if (!audio)
    return fail(ErrorClass::kNotFound, "demo",
                "the recorded conversation of the demo is missing (" + audio.error().detail + "); get it with: scripts/fetch");
  const auto stm = read_file(samples + "/sample.stm", 1 << 20);
  if (!stm) return std::unexpected(stm.error());
  auto segments = read_stm(*stm);
  if (!segments) return pass(segments);
  std::vector<std::string> speakers;
  for (const auto& s : *segments) {
    if (std::find(speakers.begin(), speakers.end(), s.speaker) == speakers.end()) speakers.push_back(s.speaker);
  }
  const auto tracks = cut_by_speaker(*audio, *segments, speakers);
  DemoMeetingAudio out;
  out.length_ms = static_cast<std::int64_t>(audio->size()) * 1000 / kDemoRate;
  for (std::size_t i = 0; i < speakers.size(); ++i) {
    const std::string file = dir + "/recorded-" + safe_name(speakers[i]) + ".wav";
    if (auto r = write_wav(file, tracks[i]); !r) return pass(r);
    out.tracks.push_back({speakers[i], file});
  }
  return out;
}

Result<DemoMeetingAudio> make_spoken_meeting(const MeetingScript& script, const std::string& dir) {
  std::map<std::string, std::vector<std::int16_t>> tracks;
  std::size_t at = kLeadMs * kDemoRate / 1000;
  for (std::size_t i = 0; i < script.lines.size(); ++i) {
    const auto& line = script.lines[i];
    const auto voice =
        std::find_if(script.voices.begin(), script.voices.end(), [&](const auto& v) { return v.speaker == line.speaker; });
    if (voice == script.voices.end())
      return fail(ErrorClass::kInvalid, "demo", "the script gives no voice to one of its speakers");
    const std::string wav = dir + "/line.wav";
    if (auto r = run_flite(*voice, line.text, dir + "/line.txt", wav); !r) return pass(r);
    auto spoken = read_wav(wav);
    if (!spoken) return pass(spoken);
    auto& track = tracks[line.speaker];
    track.resize(at);
    track.insert(track.end(), spoken->begin(), spoken->end());
    at = track.size() + static_cast<std::size_t>(kPauseMs) * kDemoRate / 1000;
  }
  DemoMeetingAudio out;
  out.length_ms = static_cast<std::int64_t>(at) * 1000 / kDemoRate;
  for (const auto& voice : script.voices) {
    auto& track = tracks[voice.speaker];
    track.resize(at);
    const std::string file = dir + "/spoken-" + safe_name(voice.speaker) + ".wav";
    if (auto r = write_wav(file, track); !r) return pass(r);
    out.tracks.push_back({voice.speaker, file});
  }
  return out;
}

}  // namespace hansard::cli
