#include "core/transcript/export.h"

#include <algorithm>
#include <cstdio>

#include "core/base/text.h"

namespace hansard {
namespace {

/// HH:MM:SS and milliseconds behind `separator`: ',' in SubRip, '.' in WebVTT.
std::string cue_time(MediaTime t, char separator) {
  const std::int64_t ms = std::max<std::int64_t>(t.ms, 0);
  char out[48];
  std::snprintf(out, sizeof out, "%02lld:%02d:%02d%c%03d", static_cast<long long>(ms / 3'600'000),
                static_cast<int>(ms / 60'000 % 60), static_cast<int>(ms / 1000 % 60), separator, static_cast<int>(ms % 1000));
  return out;
}

/// White space of any kind, line breaks included, becomes one blank: a line break would end a cue or a paragraph.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : trim(text)) {
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (blank && (out.empty() || out.back() == ' ')) continue;
    if (static_cast<unsigned char>(c) < 0x20 && !blank) continue;
    out += blank ? ' ' : c;
  }
  return out;
}

std::string vtt_escape(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

/// SubRip has no escapes: an arrow would be read as a time line, angle brackets as tags.
std::string srt_clean(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    if (c == '<') {
      out += '(';
    } else if (c == '>') {
      out += ')';
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string clock_time(MediaTime t) {
  const std::int64_t s = std::max<std::int64_t>(t.ms, 0) / 1000;
  char out[48];
  std::snprintf(out, sizeof out, "%lld:%02d:%02d", static_cast<long long>(s / 3600), static_cast<int>(s / 60 % 60),
                static_cast<int>(s % 60));
  return out;
}

std::string markdown_escape(std::string_view text) {
  static constexpr std::string_view kSpecial = "\\`*_{}[]<>()#+-.!|~&:@/=$^\"'";
  std::string out;
  for (const char c : one_line(text)) {
    // Sentences stay readable: these mean something only at the start of a line or inside other markup.
    const bool harmless =
        c == '.' || c == '\'' || c == '"' || c == ':' || c == '/' || c == '=' || c == '-' || c == '(' || c == ')';
    const bool first = out.empty();
    if (kSpecial.find(c) != std::string_view::npos && (!harmless || (first && (c == '-' || c == '=')))) out += '\\';
    out += c;
  }
  // "1. ..." at the start of a line would be a list.
  std::size_t digits = 0;
  while (digits < out.size() && out[digits] >= '0' && out[digits] <= '9') ++digits;
  if (digits > 0 && digits < out.size() && (out[digits] == '.' || out[digits] == ')')) out.insert(digits, 1, '\\');
  // "https://" and "www." are made links by many readers without any brackets.
  for (const std::string_view scheme : {std::string_view("://"), std::string_view("www.")}) {
    for (std::size_t at = find_ignore_case(out, scheme); at != std::string::npos; at = find_ignore_case(out, scheme, at + 2)) {
      out.insert(at + (scheme[0] == ':' ? 0 : 3), 1, '\\');
    }
  }
  return out;
}

std::string to_vtt(std::span<const Utterance> utterances) {
  std::string out = "WEBVTT\n";
  for (const Utterance& u : utterances) {
    out += "\n" + cue_time(u.start, '.') + " --> " + cue_time(std::max(u.end, u.start), '.') + "\n";
    if (!u.speaker.empty()) out += "<v " + vtt_escape(u.speaker) + ">";
    out += vtt_escape(u.text) + "\n";
  }
  return out;
}

std::string to_srt(std::span<const Utterance> utterances) {
  std::string out;
  std::size_t n = 0;
  for (const Utterance& u : utterances) {
    out += (n == 0 ? "" : "\n") + std::to_string(n + 1) + "\n";
    ++n;
    out += cue_time(u.start, ',') + " --> " + cue_time(std::max(u.end, u.start), ',') + "\n";
    if (!u.speaker.empty()) out += srt_clean(u.speaker) + ": ";
    out += srt_clean(u.text) + "\n";
  }
  return out;
}

std::string to_text(std::span<const Utterance> utterances) {
  std::string out;
  for (const Utterance& u : utterances) {
    if (!u.speaker.empty()) out += one_line(u.speaker) + ": ";
    out += one_line(u.text) + "\n";
  }
  return out;
}

std::string to_markdown(std::span<const Utterance> utterances) {
  std::string out;
  for (const Utterance& u : utterances) {
    if (!out.empty()) out += "\n";
    if (!u.speaker.empty()) out += "**" + markdown_escape(u.speaker) + "** ";
    out += "(" + clock_time(u.start) + "): " + markdown_escape(u.text) + "\n";
  }
  return out;
}

}  // namespace hansard
