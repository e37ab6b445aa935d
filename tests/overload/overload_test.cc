// Overload gives up partial results first and finals never: a meeting of two people whose recognizer needs more time than there
// is, with the scheduler of the speech process, the recording of the host and a spool on disk as they are. Only the model is a
// fake (it reads words out of the samples) and the clock.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "adapters/files/spool.h"
#include "adapters/speech/engine.h"
#include "host/recording.h"

namespace hansard {
namespace {

constexpr std::int64_t kPieceMs = 100;
constexpr std::int64_t kSpeechMs = 2000;
constexpr std::int64_t kTurnMs = 3000;  ///< a sentence of one word and the silence behind it

struct ManualClock final : Clock {
  Instant now() const override { return {time.ms}; }
  Duration monotonic() const override { return time; }
  Duration time;
};

class LoudDetector final : public speech::VoiceDetector {
 public:
  bool speech(std::span<const float> window) override { return std::abs(window[window.size() / 2]) > 0.001F; }
  void reset() override {}
};

/// The value of a sample names the word. Recognizing takes `cost` seconds for a second of audio.
class SlowModel final : public speech::Recognizer {
 public:
  speech::Recognition recognize(std::span<const float> audio, std::string_view) override {
    now_s += static_cast<double>(audio.size()) / speech::kSamplesPerSecond * cost;
    int word = 0;
    for (const float s : audio) word = std::max(word, static_cast<int>(std::lround(s * 32768)));
    return {word == 0 ? "" : "w" + std::to_string(word), {}};
  }
  bool knows(std::string_view) const override { return true; }
  double cost = 0.05;
  double now_s = 0;
};

/// The speech process in this one, with its credit.
class InProcess final : public SpeechRecognizer {
 public:
  explicit InProcess(SlowModel& model)
      : engine_(
            model, [](float) { return std::make_unique<LoudDetector>(); },
            [this](ipc::FromSpeech m) { answers_.push_back(std::move(m)); }, [&model] { return model.now_s; }) {}
  void listen(SpeechListener* listener) override { listener_ = listener; }
  bool ready() const override { return true; }
  std::uint32_t open(const std::string& language, MediaTime start) override {
    engine_.handle(ipc::OpenTrack{++last_, ipc::Profile::kLive, language, start});
    return last_;
  }
  bool feed(std::uint32_t track, MediaTime start, std::span<const std::int16_t> samples) override {
    ipc::AudioFrame frame{track, false, start, {samples.begin(), samples.end()}};
    const auto size = static_cast<std::int64_t>(ipc::encoded_size(frame));
    if (size > credit_) return false;
    credit_ -= size;
    engine_.handle(std::move(frame));
    return true;
  }
  void gap(std::uint32_t track, MediaTime start, MediaTime end) override {
    engine_.handle(ipc::TrackGap{track, start, end, false, {}});
  }
  void flush(std::uint32_t track) override { engine_.handle(ipc::FlushTrack{track}); }
  void drop(std::uint32_t track) override { engine_.handle(ipc::DropTrack{track}); }

  bool run_one() { return engine_.run_one(); }
  std::int64_t under_way() const { return std::int64_t{speech::kCreditWindow} - credit_; }
  void deliver() {
    for (const ipc::FromSpeech& m : std::exchange(answers_, {})) {
      if (const auto* c = std::get_if<ipc::Credit>(&m)) credit_ += c->bytes;
      if (const auto* p = std::get_if<ipc::PartialText>(&m)) listener_->on_partial(p->track, p->start, p->end, p->text);
      if (const auto* f = std::get_if<ipc::FinalText>(&m)) listener_->on_final(f->track, f->start, f->end, f->text, f->words);
      if (const auto* h = std::get_if<ipc::HeardReport>(&m); h != nullptr && h->state != Coverage::kTranscribed)
        listener_->on_heard(h->track, h->start, h->end, h->state, h->reason);
      if (const auto* d = std::get_if<ipc::TrackFlushed>(&m)) listener_->on_flushed(d->track);
    }
  }

 private:
  SpeechListener* listener_ = nullptr;
  std::vector<ipc::FromSpeech> answers_;
  std::int64_t credit_ = speech::kCreditWindow;
  std::uint32_t last_ = 0;
  speech::Engine engine_;
};

class Overload : public ::testing::Test, public SpeechListener {
 protected:
  Overload() {
    std::string pattern = ::testing::TempDir() + "/hansard-overload-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    spool_.emplace(folder_);
    recognizer_.listen(this);
    recording_.emplace("m1", *spool_, recognizer_, clock_, [this](flow::Event e) { take(std::move(e)); });
    recording_->begin({});
  }
  ~Overload() override { std::filesystem::remove_all(folder_); }

  void on_partial(std::uint32_t, MediaTime, MediaTime, const std::string&) override { ++partials_; }
  void on_final(std::uint32_t t, MediaTime s, MediaTime e, const std::string& text, const std::vector<Word>& words) override {
    recording_->on_final(t, s, e, text, words);
  }
  void on_heard(std::uint32_t t, MediaTime s, MediaTime e, Coverage c, const std::string& reason) override {
    recording_->on_heard(t, s, e, c, reason);
  }
  void on_flushed(std::uint32_t t) override { recording_->on_flushed(t); }
  void on_recognizer_lost() override {}
  void on_recognizer_ready(const std::string&) override {}
  void on_recognizer_unavailable(const std::string&) override {}

  void take(flow::Event event) {
    if (const auto* f = std::get_if<flow::SegmentFinal>(&event)) finals_[f->participant].push_back(f->text);
    if (const auto* n = std::get_if<flow::HostNotice>(&event)) notices_.push_back(n->note);
    if (std::holds_alternative<flow::GapDetected>(event)) ++losses_;
    if (std::holds_alternative<flow::SpeechDrained>(event)) drained_ = true;
  }

  /// The recognizer works as far as the clock has come.
  void work() {
    const double due = static_cast<double>(clock_.time.ms) / 1000;
    while (model_.now_s <= due && recognizer_.run_one()) {
    }
    model_.now_s = std::max(model_.now_s, due);
    recognizer_.deliver();
    recording_->poll();
    most_under_way_ = std::max(most_under_way_, recognizer_.under_way());
  }

  /// Both people speak in turns of their own; sentence n of each is the word n.
  void meet(Duration length) {
    std::vector<std::int16_t> samples(kPieceMs * 16);
    for (const Duration end = clock_.time + length; clock_.time < end; clock_.time = clock_.time + milliseconds(kPieceMs)) {
      const std::int64_t at = clock_.time.ms;
      const bool speaks = at % kTurnMs < kSpeechMs;
      std::fill(samples.begin(), samples.end(), speaks ? static_cast<std::int16_t>(100 + at / kTurnMs) : std::int16_t{0});
      for (const char* who : {"anna", "ben"}) recording_->audio(who, {at}, samples);
      work();
    }
  }
  int partials_in(Duration length) {
    const int before = partials_;
    meet(length);
    return partials_ - before;
  }

  ManualClock clock_;
  SlowModel model_;
  InProcess recognizer_{model_};
  std::string folder_;
  std::optional<DiskSpool> spool_;
  std::optional<host::Recording> recording_;
  std::map<std::string, std::vector<std::string>> finals_;
  std::vector<std::string> notices_;
  int partials_ = 0;
  int losses_ = 0;
  bool drained_ = false;
  std::int64_t most_under_way_ = 0;
};

TEST_F(Overload, GivesUpPartialsFirstFinalsNeverAndSaysSo) {
  EXPECT_GT(partials_in(minutes(1)), 60) << "there is time for partials";
  EXPECT_TRUE(notices_.empty());

  // Two people speak two thirds of the time: more than this recognizer can take.
  model_.cost = 1.5;
  meet(minutes(2));
  const std::size_t before = finals_["anna"].size() + finals_["ben"].size();
  EXPECT_EQ(partials_in(minutes(4)), 0) << "no partials while finals are late";
  EXPECT_GT(finals_["anna"].size() + finals_["ben"].size(), before + 50) << "finals go on";
  EXPECT_GT(recording_->behind(), minutes(1));
  ASSERT_EQ(notices_.size(), 1u) << "said once";
  EXPECT_NE(notices_[0].find("the recognizer is behind by 4"), std::string::npos) << notices_[0];
  EXPECT_TRUE(recording_->far_behind());
  EXPECT_LE(most_under_way_, std::int64_t{speech::kCreditWindow}) << "what waits is on the disk";

  model_.cost = 0.05;
  meet(minutes(1));
  EXPECT_FALSE(recording_->far_behind()) << "caught up from the spool within a minute";
  EXPECT_EQ(notices_.size(), 2u);
  EXPECT_GT(partials_in(seconds(30)), 30) << "partials are back";

  recording_->drain({}, {});
  for (int i = 0; i < 1000 && !drained_; ++i) {
    clock_.time = clock_.time + milliseconds(50);
    work();
  }
  EXPECT_TRUE(drained_);
  EXPECT_EQ(losses_, 0);
  const auto sentences = static_cast<std::size_t>(seconds(8 * 60 + 30).ms / kTurnMs);
  for (const char* who : {"anna", "ben"}) {
    ASSERT_EQ(finals_[who].size(), sentences) << who;
    for (std::size_t n = 0; n < sentences; ++n)
      EXPECT_EQ(finals_[who][n], "w" + std::to_string(100 + n)) << "in order, each once";
  }
}

}  // namespace
}  // namespace hansard
