#include "cli/transcriber.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace hansard {

namespace {
std::unexpected<Error> unavailable(std::string detail) { return fail(ErrorClass::kUnavailable, "transcribe", std::move(detail)); }

constexpr const char* kSpeechDied =
    "the speech process ended unexpectedly; if it does so again, the model may be damaged (scripts/fetch models)";
}  // namespace

struct Transcriber::Job {
  FileTranscript out;
  Duration total;
  Duration progress;
  bool audio_done = false;
  bool flushed = false;
  bool refused = false;  ///< by the decoder, which goes on with the next file
};

Transcriber::~Transcriber() {
  end(decoder_);
  end(speech_);
}

Result<Transcriber::Child> Transcriber::spawn(const std::vector<std::string>& args) {
  auto process = ipc::spawn_child(options_.executable, args);
  if (!process) return pass(process);
  return Child{*process, std::make_unique<ipc::Pipe>(process->fd)};
}

void Transcriber::end(Child& child) {
  if (child.pipe == nullptr) return;
  child.pipe.reset();
  // It has nothing left to say; what it was doing is of no use any more.
  ::kill(child.process.pid, SIGKILL);
  while (::waitpid(child.process.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Transcriber::end_decoder() {
  end(decoder_);
  credit_ += std::exchange(granted_, 0);
}

// Credit is that process's own.
void Transcriber::end_speech() {
  end_decoder();
  end(speech_);
  credit_ = 0;
}

Result<void> Transcriber::start() {
  std::vector<std::string> args{"speech", "--fd", "3"};
  args.insert(args.end(), options_.speech_args.begin(), options_.speech_args.end());
  auto child = spawn(args);
  if (!child) return pass(child);
  speech_ = std::move(*child);
  while (true) {
    auto frame = speech_.pipe->next();
    if (!frame) return pass(frame);
    if (!*frame) {
      pollfd p{speech_.pipe->fd(), POLLIN, 0};
      ::poll(&p, 1, -1);
      if (!speech_.pipe->read_some()) {
        end_speech();
        return unavailable("the speech process did not start; see the line above, or run hansard doctor");
      }
      continue;
    }
    const Json* json = std::get_if<Json>(&**frame);
    const auto message = json == nullptr ? fail(ErrorClass::kInternal, "transcribe", "") : from_json<ipc::FromSpeech>(*json);
    if (!message) continue;
    if (const auto* none = std::get_if<ipc::SpeechUnavailable>(&*message)) {
      end_speech();
      return fail(ErrorClass::kNotFound, "transcribe", none->detail);
    }
    if (std::holds_alternative<ipc::SpeechReady>(*message)) return {};
  }
}

void Transcriber::expect(std::vector<std::string> files) {
  end_decoder();
  expected_ = std::move(files);
  next_ = 0;
}

// A decoder whose next file is `file`.
Result<void> Transcriber::decode(const std::string& file) {
  if (decoder_.pipe != nullptr && next_ < expected_.size() && expected_[next_] == file) return {};
  end_decoder();
  if (next_ >= expected_.size() || expected_[next_] != file) {
    expected_ = {file};
    next_ = 0;
  }
  std::vector<std::string> args{"media", "decode"};
  // A name that begins with a dash is no option.
  for (std::size_t i = next_; i < expected_.size(); ++i)
    args.push_back((expected_[i].starts_with('-') ? "./" : "") + expected_[i]);
  args.insert(args.end(), {"--fd", "3"});
  auto decoder = spawn(args);
  if (!decoder) return pass(decoder);
  decoder_ = std::move(*decoder);
  return {};
}

Result<FileTranscript> Transcriber::transcribe(const std::string& file) {
  if (speech_.pipe == nullptr) {
    if (auto r = start(); !r) return pass(r);
  }
  if (auto r = decode(file); !r) return pass(r);
  ++next_;
  Job job;
  job.out.file = file;
  ++track_;
  speech_.pipe->send(ipc::ToSpeech(ipc::OpenTrack{track_, ipc::Profile::kFile, options_.language, {0}}));
  // What came together with the readiness of the speech process, or behind the end of the file before, is already here.
  Result<void> done = from_speech(job);
  if (done) done = from_decoder(job);
  while (done && !job.flushed) done = pump(job);
  if (!done) {
    if (!job.audio_done && !job.refused) end_decoder();
    if (speech_.pipe != nullptr) speech_.pipe->send(ipc::ToSpeech(ipc::DropTrack{track_}));
    return pass(done);
  }
  for (std::size_t i = 0; i < job.out.utterances.size(); ++i) job.out.utterances[i].id = "u" + std::to_string(i + 1);
  return std::move(job.out);
}

Result<void> Transcriber::pump(Job& job) {
  if (!job.audio_done) grant();
  const auto events = [](const ipc::Pipe& pipe) { return static_cast<short>(POLLIN | (pipe.queued_bytes() > 0 ? POLLOUT : 0)); };
  pollfd fds[2] = {{speech_.pipe->fd(), events(*speech_.pipe), 0}, {-1, 0, 0}};
  if (!job.audio_done) fds[1] = {decoder_.pipe->fd(), events(*decoder_.pipe), 0};
  if (::poll(fds, 2, -1) < 0) {
    if (errno == EINTR) return {};
    return fail(ErrorClass::kInternal, "transcribe", "poll failed");
  }
  if (fds[0].revents != 0) {
    if (auto r = from_speech(job); !r) return r;
  }
  if (fds[1].revents != 0) return from_decoder(job);
  return {};
}

// The decoder gets all the credit there is: nobody else sends audio.
void Transcriber::grant() {
  if (credit_ == 0) return;
  const auto bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(credit_, 1U << 30));
  decoder_.pipe->send(ipc::ToMedia(ipc::Credit{bytes}));
  granted_ += bytes;
  credit_ -= bytes;
}

Result<void> Transcriber::from_decoder(Job& job) {
  ipc::Pipe& pipe = *decoder_.pipe;
  // Credit that it no longer takes says nothing: what it has written before it ended is still to be read.
  pipe.flush();
  const bool alive = pipe.read_some();
  while (!job.audio_done) {
    auto frame = pipe.next();
    if (!frame) return unavailable("the decoder does not keep to its protocol: " + frame.error().detail);
    if (!*frame) break;
    if (auto* audio = std::get_if<ipc::AudioFrame>(&**frame)) {
      granted_ -= std::min<std::uint64_t>(granted_, ipc::encoded_size(*audio));
      audio->track = track_;
      job.out.length = {std::max(job.out.length.ms, audio->end().ms)};
      speech_.pipe->send(*audio);
      continue;
    }
    const auto message = from_json<ipc::FromMedia>(std::get<Json>(**frame));
    if (!message) continue;
    if (auto r = on_media(job, *message); !r) return r;
  }
  if (!alive && !job.audio_done) return unavailable("the decoder ended unexpectedly; is the file damaged?");
  return {};
}

Result<void> Transcriber::on_media(Job& job, const ipc::FromMedia& message) {
  if (const auto* status = std::get_if<ipc::MediaStatus>(&message);
      status != nullptr && status->state == ipc::MediaState::kFailed) {
    job.refused = true;
    return fail(ErrorClass::kInvalid, "transcribe",
                status->vendor_code.empty() ? "no audio could be read from it" : status->vendor_code);
  }
  if (const auto* info = std::get_if<ipc::MediaInfo>(&message)) job.total = info->duration;
  if (std::holds_alternative<ipc::TrackClosed>(message)) {
    job.audio_done = true;
    speech_.pipe->send(ipc::ToSpeech(ipc::FlushTrack{track_}));
  }
  return {};
}

Result<void> Transcriber::from_speech(Job& job) {
  speech_.pipe->flush();
  const bool alive = speech_.pipe->read_some();
  while (true) {
    auto frame = speech_.pipe->next();
    if (!frame || (!*frame && !alive)) {
      end_speech();
      return unavailable(kSpeechDied);
    }
    if (!*frame) return {};
    const Json* json = std::get_if<Json>(&**frame);
    if (json == nullptr) continue;
    auto message = from_json<ipc::FromSpeech>(*json);
    if (!message) continue;
    if (const auto* credit = std::get_if<ipc::Credit>(&*message)) {
      credit_ += credit->bytes;
    } else if (auto* final = std::get_if<ipc::FinalText>(&*message); final != nullptr && final->track == track_) {
      job.out.utterances.push_back({"", "", "", final->start, final->end, std::move(final->text), std::move(final->words)});
    } else if (auto* heard = std::get_if<ipc::HeardReport>(&*message); heard != nullptr && heard->track == track_) {
      if (heard->state == Coverage::kUnrecognized)
        job.out.unrecognized.push_back({"", heard->start, heard->end, heard->state, heard->reason});
      job.progress = heard->end - MediaTime{0};
      if (options_.progress) options_.progress(job.progress, job.total);
    } else if (const auto* done = std::get_if<ipc::TrackFlushed>(&*message); done != nullptr && done->track == track_) {
      job.flushed = true;
    }
  }
}

}  // namespace hansard
