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
  Child decoder;
  Duration total;
  Duration progress;
  bool audio_done = false;
  bool flushed = false;
  bool refused = false;
  std::uint64_t granted = 0;  ///< bytes the decoder may still send

  ~Job() { end(decoder); }
};

Transcriber::~Transcriber() { end(speech_); }

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

Result<void> Transcriber::start() {
  std::vector<std::string> args{"speech", "--fd", "3"};
  args.insert(args.end(), options_.speech_args.begin(), options_.speech_args.end());
  auto child = spawn(args);
  if (!child) return pass(child);
  speech_ = std::move(*child);
  credit_ = 0;
  while (true) {
    auto frame = speech_.pipe->next();
    if (!frame) return pass(frame);
    if (!*frame) {
      pollfd p{speech_.pipe->fd(), POLLIN, 0};
      ::poll(&p, 1, -1);
      if (!speech_.pipe->read_some()) {
        end(speech_);
        return unavailable("the speech process did not start; see the line above, or run hansard doctor");
      }
      continue;
    }
    const Json* json = std::get_if<Json>(&**frame);
    const auto message = json == nullptr ? fail(ErrorClass::kInternal, "transcribe", "") : from_json<ipc::FromSpeech>(*json);
    if (!message) continue;
    if (const auto* none = std::get_if<ipc::SpeechUnavailable>(&*message)) {
      end(speech_);
      return fail(ErrorClass::kNotFound, "transcribe", none->detail);
    }
    if (std::holds_alternative<ipc::SpeechReady>(*message)) return {};
  }
}

Result<FileTranscript> Transcriber::transcribe(const std::string& file) {
  if (speech_.pipe == nullptr) {
    if (auto r = start(); !r) return pass(r);
  }
  Job job;
  job.out.file = file;
  auto decoder = spawn({"media", "decode", file, "--fd", "3"});
  if (!decoder) return pass(decoder);
  job.decoder = std::move(*decoder);
  ++track_;
  speech_.pipe->send(ipc::ToSpeech(ipc::OpenTrack{track_, ipc::Profile::kFile, options_.language, {0}}));
  // What came together with the readiness of the process is already here.
  Result<void> first = from_speech(job);
  if (!first) return pass(first);
  while (!job.flushed) {
    if (auto r = pump(job); !r) {
      credit_ += job.granted;
      if (speech_.pipe != nullptr) speech_.pipe->send(ipc::ToSpeech(ipc::DropTrack{track_}));
      return pass(r);
    }
  }
  credit_ += job.granted;
  for (std::size_t i = 0; i < job.out.utterances.size(); ++i) job.out.utterances[i].id = "u" + std::to_string(i + 1);
  return std::move(job.out);
}

Result<void> Transcriber::pump(Job& job) {
  grant(job);
  const auto events = [](const ipc::Pipe& pipe) { return static_cast<short>(POLLIN | (pipe.queued_bytes() > 0 ? POLLOUT : 0)); };
  pollfd fds[2] = {{speech_.pipe->fd(), events(*speech_.pipe), 0}, {-1, 0, 0}};
  if (!job.audio_done) fds[1] = {job.decoder.pipe->fd(), events(*job.decoder.pipe), 0};
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
void Transcriber::grant(Job& job) {
  if (job.audio_done || credit_ == 0) return;
  const auto bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(credit_, 1U << 30));
  job.decoder.pipe->send(ipc::ToMedia(ipc::Credit{bytes}));
  job.granted += bytes;
  credit_ -= bytes;
}

Result<void> Transcriber::from_decoder(Job& job) {
  ipc::Pipe& pipe = *job.decoder.pipe;
  // Credit that it no longer takes says nothing: what it has written before it ended is still to be read.
  pipe.flush();
  const bool alive = pipe.read_some();
  while (!job.audio_done) {
    auto frame = pipe.next();
    if (!frame) return unavailable("the decoder does not keep to its protocol: " + frame.error().detail);
    if (!*frame) break;
    if (auto* audio = std::get_if<ipc::AudioFrame>(&**frame)) {
      job.granted -= std::min<std::uint64_t>(job.granted, ipc::encoded_size(*audio));
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
      end(speech_);
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
