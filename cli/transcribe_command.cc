#include "cli/transcribe_command.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <system_error>
#include <vector>

#include "cli/transcriber.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/transcript/export.h"

namespace hansard {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHelp =
    "Usage: hansard transcribe AUDIO... [--language L] [--format json|vtt|srt|md|txt] [-o FILE] [--jsonl] [--model DIR]\n"
    "Transcribes audio and video files with the local speech model. Needs no network.\n"
    "\n"
    "  --language L   BCP 47 tag; the embedded model knows English\n"
    "  --format F     json, vtt, srt, md or txt (default: by the name of -o, else txt)\n"
    "  -o FILE        write there instead of standard output; for several files a folder that exists\n"
    "  --jsonl        one JSON line per file: {\"file\",\"text\",\"segments\":[{\"speaker\",\"start\",\"end\",\"text\"}]} "
    "(seconds)\n"
    "  --model DIR    another sherpa-onnx model folder\n";

struct Request {
  std::vector<std::string> files;
  std::string language;
  std::string format;
  std::string output;
  std::string model;
  bool jsonl = false;
  bool help = false;
};

int complain(const std::string& what, int code) {
  std::cerr << "hansard transcribe: " << what << "\n";
  return code;
}

bool known_format(std::string_view f) { return f == "json" || f == "vtt" || f == "srt" || f == "md" || f == "txt"; }
bool is_folder(const std::string& path) {
  std::error_code error;
  return !path.empty() && fs::is_directory(path, error);
}

Result<Request> read_args(std::span<const std::string> args) {
  Request r;
  const auto bad = [](std::string detail) { return fail(ErrorClass::kInvalid, "transcribe", std::move(detail)); };
  bool only_files = false;
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string name = args[i];
    std::optional<std::string> value;
    if (only_files || name.size() < 2 || !name.starts_with('-')) {
      r.files.push_back(name);
      continue;
    }
    if (const auto eq = name.find('='); name.starts_with("--") && eq != std::string::npos) {
      value = name.substr(eq + 1);
      name.resize(eq);
    }
    if (name == "--")
      only_files = true;
    else if (name == "--help" || name == "-h")
      r.help = true;
    else if (name == "--jsonl")
      r.jsonl = true;
    else if (name == "--json")
      r.format = "json";
    else if (name == "--language" || name == "--format" || name == "-o" || name == "--output" || name == "--model") {
      if (!value && i + 1 < args.size()) value = args[++i];
      if (!value || value->empty()) return bad(name + " needs a value; see hansard transcribe --help");
      (name == "--language" ? r.language : name == "--format" ? r.format : name == "--model" ? r.model : r.output) = *value;
    } else {
      return bad("unknown option " + name + "; see hansard transcribe --help");
    }
  }
  if (r.help) return r;
  if (r.files.empty()) return bad("name at least one audio or video file; see hansard transcribe --help");
  if (!r.format.empty() && !known_format(r.format))
    return bad("unknown format " + r.format + "; choose json, vtt, srt, md or txt");
  if (r.format.empty() && !is_folder(r.output)) {
    const std::string extension = fs::path(r.output).extension().string();
    if (!extension.empty() && known_format(extension.substr(1))) r.format = extension.substr(1);
  }
  if (r.format.empty()) r.format = "txt";
  const bool one_document = r.format == "vtt" || r.format == "srt";
  if (r.files.size() > 1 && one_document && !r.jsonl && !is_folder(r.output)) {
    return bad("several files do not fit into one " + r.format + " file; give -o a folder that exists");
  }
  return r;
}

Json to_document(const FileTranscript& t) {
  const auto at = [](MediaTime m) { return static_cast<double>(m.ms) / 1000; };
  std::string text;
  Json segments = Json::array();
  for (const Utterance& u : t.utterances) {
    text += (text.empty() ? "" : " ") + u.text;
    Json segment;
    segment.set("speaker", u.speaker.empty() ? Json() : Json(u.speaker))
        .set("start", at(u.start))
        .set("end", at(u.end))
        .set("text", u.text);
    segments.push(std::move(segment));
  }
  Json out;
  out.set("file", t.file).set("text", text).set("segments", std::move(segments));
  if (!t.unrecognized.empty()) {
    Json missing = Json::array();
    for (const CoverageInterval& c : t.unrecognized) {
      Json one;
      one.set("start", at(c.start)).set("end", at(c.end)).set("reason", c.reason);
      missing.push(std::move(one));
    }
    out.set("unrecognized", std::move(missing));
  }
  return out;
}

std::string render(const FileTranscript& t, const std::string& format, bool heading) {
  if (format == "json") return to_document(t).dump() + "\n";
  if (format == "vtt") return to_vtt(t.utterances);
  if (format == "srt") return to_srt(t.utterances);
  if (format == "md")
    return (heading ? "## " + markdown_escape(t.file) + "\n\n" : "") + to_markdown(t.utterances) + (heading ? "\n" : "");
  return (heading ? t.file + ":\n" : "") + to_text(t.utterances) + (heading ? "\n" : "");
}

/// Whole or not at all: written beside the place and moved there.
Result<void> write_file(const std::string& path, const std::string& content) {
  const std::string part = path + ".part";
  errno = 0;
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  std::error_code error;
  if (out) fs::rename(part, path, error);
  if (!out || error) {
    const std::string why = error ? error.message() : std::strerror(errno);
    fs::remove(part, error);
    return fail(ErrorClass::kExhausted, "transcribe", "cannot write " + path + ": " + why);
  }
  return {};
}

/// One line on a terminal that is replaced as the work goes on.
class Progress {
 public:
  void begin(const std::string& file, std::size_t number, std::size_t count) {
    label_ = fs::path(file).filename().string();
    if (count > 1) label_ = "[" + std::to_string(number) + "/" + std::to_string(count) + "] " + label_;
    show("starting");
  }
  void update(Duration done, Duration total) {
    const std::string at = clock_time(MediaTime{done.ms});
    show(total.ms > 0 ? at + " of " + clock_time(MediaTime{total.ms}) : at);
  }
  void clear() const {
    if (tty_) std::fprintf(stderr, "\r\033[K");
  }

 private:
  void show(const std::string& state) const {
    if (tty_) std::fprintf(stderr, "\r\033[K%s: %s", label_.c_str(), state.c_str());
  }
  bool tty_ = ::isatty(STDERR_FILENO) == 1;
  std::string label_;
};

class Output {
 public:
  explicit Output(const Request& request) : request_(request) {}

  /// A finished file. With --jsonl or a folder it goes out at once, so that a later fault loses nothing.
  Result<void> add(const FileTranscript& t) {
    if (is_folder(request_.output)) {
      const std::string format = request_.jsonl ? "json" : request_.format;
      const fs::path path = fs::path(request_.output) / (fs::path(t.file).stem().string() + "." + format);
      return write_file(path.string(), render(t, format, false));
    }
    const bool many = request_.files.size() > 1;
    if (!request_.jsonl && request_.format == "json" && many) {
      documents_.push(to_document(t));
      return {};
    }
    const std::string piece = render(t, request_.jsonl ? "json" : request_.format, many);
    if (!request_.output.empty()) {
      whole_ += piece;
      return {};
    }
    std::cout << piece << std::flush;
    return std::cout ? Result<void>() : fail(ErrorClass::kExhausted, "transcribe", "cannot write to standard output");
  }

  Result<void> finish() {
    if (is_folder(request_.output)) return {};
    if (!request_.jsonl && request_.format == "json" && request_.files.size() > 1) whole_ = documents_.dump() + "\n";
    if (!request_.output.empty()) return write_file(request_.output, whole_);
    std::cout << whole_ << std::flush;
    return std::cout ? Result<void>() : fail(ErrorClass::kExhausted, "transcribe", "cannot write to standard output");
  }

 private:
  const Request& request_;
  std::string whole_;
  Json documents_ = Json::array();
};

/// Says what of the speech is missing. True when the language was the reason.
bool tell_unrecognized(const FileTranscript& t, const std::string& language) {
  std::int64_t ms = 0;
  bool wrong_language = false;
  for (const CoverageInterval& c : t.unrecognized) {
    ms += (c.end - c.start).ms;
    wrong_language = wrong_language || c.reason == "language";
  }
  if (ms == 0) return false;
  char amount[32];
  std::snprintf(amount, sizeof amount, "%.1f s", static_cast<double>(ms) / 1000);
  complain(t.file + ": " + amount + " of speech gave no text" +
               (wrong_language ? "; the model does not know the language \"" + language + "\", give --model DIR" : std::string()),
           1);
  return wrong_language;
}

}  // namespace

int cmd_transcribe(std::span<const std::string> args) {
  const auto request = read_args(args);
  if (!request) return complain(request.error().detail, 2);
  if (request->help) {
    std::cout << kHelp;
    return 0;
  }
  const auto self = ipc::self_executable();
  if (!self) return complain(self.error().detail, 1);
  Progress progress;
  TranscriberOptions options{*self, request->language, {}, [&](Duration done, Duration total) { progress.update(done, total); }};
  if (!request->model.empty()) options.speech_args = {"--model", request->model};
  Transcriber transcriber(std::move(options));
  if (auto r = transcriber.start(); !r) return complain(r.error().detail, 1);

  Output output(*request);
  transcriber.expect(request->files);
  int code = 0;
  for (std::size_t i = 0; i < request->files.size(); ++i) {
    progress.begin(request->files[i], i + 1, request->files.size());
    const auto transcript = transcriber.transcribe(request->files[i]);
    progress.clear();
    if (!transcript) {
      const std::string& detail = transcript.error().detail;
      code = complain(detail.starts_with(request->files[i]) ? detail : request->files[i] + ": " + detail, 1);
      continue;
    }
    if (tell_unrecognized(*transcript, request->language)) code = 1;
    if (auto r = output.add(*transcript); !r) return complain(r.error().detail, 1);
  }
  if (auto r = output.finish(); !r) return complain(r.error().detail, 1);
  return code;
}

}  // namespace hansard
