// `fake_child child media|speech MODE`: the children's side of the protocol, driven by the URL or the mode.
#include <poll.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "ipc/messages.h"
#include "ipc/pipe.h"
#include "ipc/process.h"

using namespace hansard;

namespace {

/// Blocks for the next frame; false at the end.
bool wait_frame(ipc::Pipe& pipe, ipc::Frame& out) {
  while (true) {
    auto frame = pipe.next();
    if (!frame) return false;
    if (*frame) {
      out = std::move(**frame);
      return true;
    }
    pollfd p{pipe.fd(), POLLIN, 0};
    ::poll(&p, 1, -1);
    if (!pipe.read_some()) return false;
  }
}

void say(ipc::Pipe& pipe, const ipc::FromMedia& message) {
  pipe.send(message);
  pipe.flush_all(5000);
}
void say_speech(ipc::Pipe& pipe, const ipc::FromSpeech& message) {
  pipe.send(message);
  pipe.flush_all(5000);
}

int media(ipc::Pipe& pipe) {
  ipc::Frame frame;
  std::string mode;
  std::int64_t credit = 0;
  while (wait_frame(pipe, frame)) {
    const auto message = from_json<ipc::ToMedia>(std::get<Json>(frame));
    if (!message) return 9;
    if (const auto* c = std::get_if<ipc::Credit>(&*message)) credit += c->bytes;
    if (const auto* join = std::get_if<ipc::Join>(&*message)) {
      mode = join->url;
      if (mode == "die") return 7;
      if (mode == "garbage") {
        (void)!::write(pipe.fd(), "\xff\xff\xff\xff\xff", 5);
        ::pause();
      }
      if (mode == "deny") {
        say(pipe, ipc::MediaStatus{ipc::MediaState::kDenied, "denied", "no bots", ""});
        continue;
      }
      say(pipe, ipc::ParticipantUpdate{"p1", "Ann", true, false});
      say(pipe, ipc::MediaStatus{ipc::MediaState::kInCall, "", "", "display_name"});
    }
    if (std::holds_alternative<ipc::Capture>(*message)) {
      say(pipe, ipc::TrackOpened{1, "p1"});
      // A hundred seconds, far more than the first credit: only returned credit gets it through.
      for (int i = 0; i < 1000; ++i) {
        while (credit < 3218) {
          if (!wait_frame(pipe, frame)) return 8;
          const auto more = from_json<ipc::ToMedia>(std::get<Json>(frame));
          if (const auto* c = std::get_if<ipc::Credit>(&*more)) credit += c->bytes;
        }
        credit -= 3218;
        pipe.send(ipc::AudioFrame{1, false, {i * 100}, std::vector<std::int16_t>(1600, static_cast<std::int16_t>(i))});
        pipe.flush_all(5000);
      }
      say(pipe, ipc::TrackGap{1, {100'000}, {100'500}, true, "network"});
      if (mode == "die_later") return 7;
    }
    if (std::holds_alternative<ipc::Leave>(*message)) {
      if (mode == "stubborn") {
        ::pause();
      }
      say(pipe, ipc::MediaStatus{ipc::MediaState::kLeft, "", "", ""});
      return 0;
    }
  }
  return 0;
}

int speech(ipc::Pipe& pipe, const std::string& mode) {
  if (mode == "unavailable") {
    say_speech(pipe, ipc::SpeechUnavailable{"no model; run scripts/fetch"});
    return 3;
  }
  say_speech(pipe, ipc::SpeechReady{"fake"});
  say_speech(pipe, ipc::Credit{5000});
  if (mode == "deaf") ::pause();
  ipc::Frame frame;
  while (wait_frame(pipe, frame)) {
    if (const auto* audio = std::get_if<ipc::AudioFrame>(&frame)) {
      if (mode == "die_on_audio") return 7;
      say_speech(pipe, ipc::PartialText{audio->track, audio->start, audio->end(), "hel"});
      say_speech(pipe, ipc::FinalText{audio->track, audio->start, audio->end(), "hello", {}});
      say_speech(pipe, ipc::HeardReport{audio->track, audio->start, audio->end(), Coverage::kTranscribed, ""});
      say_speech(pipe, ipc::Credit{static_cast<std::uint32_t>(18 + 2 * audio->samples.size())});
      continue;
    }
    const auto message = from_json<ipc::ToSpeech>(std::get<Json>(frame));
    if (!message) return 9;
    if (const auto* flush = std::get_if<ipc::FlushTrack>(&*message)) say_speech(pipe, ipc::TrackFlushed{flush->track});
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ipc::Pipe pipe(ipc::kChildFd);
  if (argc < 3) return 2;
  return std::strcmp(argv[2], "media") == 0 ? media(pipe) : speech(pipe, argc > 3 ? argv[3] : "");
}
