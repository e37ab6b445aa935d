// Prints what one utterance costs the flow: step() and writing the state, as the host does for each commit. The claim
// is that it does not grow with the meeting; both ends are measured in one run, in turn, and the median is shown.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "core/flow/step.h"

namespace {

using namespace hansard;

std::int64_t cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

struct Bench {
  flow::MeetingState state;
  Instant now{1'780'000'000'000};
  std::int64_t at_ms = 0;
  std::size_t bytes = 0;

  void send(const flow::Event& event) {
    auto batch = flow::step(state, event, now);
    bytes = json_text(flow::State(state)).size();
  }
  explicit Bench(int participants) {
    flow::MeetingSpec spec;
    spec.platform = "generic";
    spec.start = now;
    spec.end = now + hours(8);
    spec.source = "bench";
    send(flow::MeetingSeen{"m", spec, {}, 1});
    send(flow::TimerFired{"validate"});
    send(flow::Validated{});
    send(flow::Prepared{});
    send(flow::TimerFired{"join"});
    flow::MediaReport in_call;
    in_call.epoch = state.epoch;
    in_call.phase = flow::MediaPhase::kInCall;
    in_call.announced = "display_name";
    send(in_call);
    for (int p = 0; p < participants; ++p) send(flow::ParticipantChanged{"p" + std::to_string(p), "Name", true, false, {}});
  }
  void utterance() {
    send(flow::SegmentFinal{"p0", {at_ms}, {at_ms + 900}, "We could ship the new version on Thursday if the tests pass.", {}});
    at_ms += 1000;
  }
  double median_us(int count) {
    std::vector<std::int64_t> ns;
    for (int i = 0; i < count; ++i) {
      const std::int64_t before = cpu_ns();
      utterance();
      ns.push_back(cpu_ns() - before);
    }
    std::nth_element(ns.begin(), ns.begin() + count / 2, ns.end());
    return static_cast<double>(ns[static_cast<std::size_t>(count / 2)]) / 1000.0;
  }
};

}  // namespace

int main() {
  for (const int participants : {4, 100}) {
    Bench bench(participants);
    if (bench.state.state != meeting::State::kRecording) return std::fprintf(stderr, "the bench meeting does not record\n"), 1;
    for (int i = 0; i < 10; ++i) bench.utterance();
    const double early = bench.median_us(400);
    const std::size_t early_bytes = bench.bytes;
    while (bench.state.utterances < 10'000) bench.utterance();
    const double late = bench.median_us(400);
    std::printf(
        "%3d participants: step + state %.1f us after 10 utterances, %.1f us after 10000 (ratio %.2f); state %zu and %zu bytes\n",
        participants, early, late, late / early, early_bytes, bench.bytes);
  }
  return 0;
}
