#include "adapters/speech/sherpa/test_child.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>

#include "core/base/text.h"

namespace hansard::speech {

std::optional<Samples> read_wav(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto u32 = [&](std::size_t at) {
    std::uint32_t v = 0;
    std::memcpy(&v, bytes.data() + at, 4);
    return v;
  };
  if (bytes.size() < 44 || bytes.compare(0, 4, "RIFF") != 0) return std::nullopt;
  for (std::size_t at = 12; at + 8 <= bytes.size(); at += 8 + (u32(at + 4) + 1) / 2 * 2) {
    const std::string_view id = std::string_view(bytes).substr(at, 4);
    if (id == "fmt " && (u32(at + 8) != 0x00010001 || u32(at + 12) != 16'000)) return std::nullopt;
    if (id != "data") continue;
    const std::size_t size = std::min<std::size_t>(u32(at + 4), bytes.size() - at - 8) / 32 * 32;
    Samples out(size / 2);
    std::memcpy(out.data(), bytes.data() + at + 8, size);
    return out;
  }
  return std::nullopt;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : to_lower(text)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'') {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

std::size_t word_errors(const std::vector<std::string>& reference, const std::vector<std::string>& heard) {
  std::vector<std::size_t> row(heard.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= reference.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t change = diagonal + (reference[i - 1] == heard[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

TestChild::TestChild(std::vector<std::string> further_args) {
  std::vector<std::string> args{"speech", "--fd", "3"};
  args.insert(args.end(), further_args.begin(), further_args.end());
  auto process = ipc::spawn_child(HANSARD_SPEECH_CHILD, args);
  if (!process) std::abort();
  process_ = *process;
  pipe_ = std::make_unique<ipc::Pipe>(process_.fd);
}

TestChild::~TestChild() {
  pipe_.reset();
  if (process_.pid < 0) return;
  ::kill(process_.pid, SIGKILL);
  ::waitpid(process_.pid, nullptr, 0);
}

bool TestChild::receive() {
  if (!pipe_->flush() || !pipe_->read_some()) gone_ = true;
  while (true) {
    auto frame = pipe_->next();
    if (!frame || !*frame) return !gone_;
    auto message = from_json<ipc::FromSpeech>(std::get<Json>(**frame));
    if (!message) return false;
    if (const auto* credit = std::get_if<ipc::Credit>(&*message)) credit_ += credit->bytes;
    messages_.push_back(std::move(*message));
  }
}

bool TestChild::wait(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!done()) {
    if (gone_ || std::chrono::steady_clock::now() > deadline) return false;
    pollfd p{pipe_->fd(), static_cast<short>(POLLIN | (pipe_->queued_bytes() > 0 ? POLLOUT : 0)), 0};
    ::poll(&p, 1, 1000);
    receive();
  }
  return true;
}

bool TestChild::feed(std::uint32_t track, MediaTime start, const Samples& samples) {
  constexpr std::size_t kFrame = 1600;
  for (std::size_t at = 0; at < samples.size(); at += kFrame) {
    const auto from = samples.begin() + static_cast<std::ptrdiff_t>(at);
    const auto n = static_cast<std::ptrdiff_t>(std::min(kFrame, samples.size() - at));
    const ipc::AudioFrame frame{track, false, start + Duration{static_cast<std::int64_t>(at) / 16}, {from, from + n}};
    const auto bytes = static_cast<std::int64_t>(ipc::encoded_size(frame));
    if (!wait([&] { return credit_ >= bytes; })) return false;
    credit_ -= bytes;
    pipe_->send(frame);
  }
  return true;
}

bool TestChild::run(std::uint32_t track, ipc::Profile profile, const Samples& samples, MediaTime start) {
  send(ipc::OpenTrack{track, profile, "en", start});
  if (!feed(track, start, samples)) return false;
  send(ipc::FlushTrack{track});
  return wait([&] { return !of<ipc::TrackFlushed>(track).empty(); });
}

bool TestChild::settle() {
  // A file's track is worked on when no live track has anything left.
  const std::uint32_t track = ++barrier_;
  send(ipc::OpenTrack{track, ipc::Profile::kFile, "", {0}});
  send(ipc::FlushTrack{track});
  return wait([&] { return !of<ipc::TrackFlushed>(track).empty(); });
}

int TestChild::exit_code() {
  int status = 0;
  wait([] { return false; });
  if (!gone_) ::kill(process_.pid, SIGKILL);
  if (process_.pid < 0 || ::waitpid(process_.pid, &status, 0) < 0) return -1;
  process_.pid = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string TestChild::text(std::uint32_t track) const {
  std::string out;
  for (const auto& final : of<ipc::FinalText>(track)) out += (out.empty() ? "" : " ") + final.text;
  return out;
}

}  // namespace hansard::speech
