// Every event in every state in which a meeting can rest, against a table: where it leads, and that what means nothing there
// changes nothing.
#include <functional>
#include <map>
#include <sstream>

#include "core/flow/meeting_testing.h"

namespace hansard::flow {
namespace {

using namespace meeting_testing;

Event person(const std::string& id, const std::string& name) {
  ParticipantChanged e;
  e.id = id;
  e.name = name;
  return e;
}

/// A meeting in a known state, and the time there.
struct At {
  MeetingState state;
  Instant now = kStart - hours(1);
  Batch send(const Event& event) { return step(state, event, now); }
  void wait_until(Instant at) {
    now = at;
    for (const auto& name : due_timers(State(state), now)) (void)send(TimerFired{name});
  }
  MediaReport media(MediaPhase phase, FailureCode code = FailureCode::kNone) const { return report(state, phase, code); }
  /// The usual way, as far as `to`.
  void go(Phase to) {
    const auto there = [&] { return state.state == to; };
    if (there()) return;
    (void)send(MeetingSeen{"m1", spec("work"), {}, 7});
    if (to == Phase::kCancelled) (void)send(MeetingGone{"work", "removed"}), (void)send(CleanedUp{});
    if (there()) return;
    wait_until(kStart - minutes(10));
    if (to == Phase::kFailed) (void)send(ValidationFailed{FailureCode::kBadPasscode, false, ""}), (void)send(CleanedUp{});
    if (there()) return;
    (void)send(Validated{});
    if (there()) return;
    (void)send(Prepared{});
    wait_until(kStart);
    if (there()) return;
    if (to == Phase::kInWaitingRoom) return (void)send(media(MediaPhase::kWaitingRoom));
    (void)send(media(MediaPhase::kInCall));
    (void)send(person("p1", "Ada"));
    now = now + minutes(1);
    if (there()) return;
    if (to == Phase::kPaused) return (void)send(PauseRequested{true, "Ada"});
    if (to == Phase::kReconnecting) return (void)send(media(MediaPhase::kLost));
    (void)send(media(MediaPhase::kEnded));
    if (there()) return;
    (void)send(media(MediaPhase::kLeft));
    if (there()) return;
    (void)send(SpeechDrained{true});
    (void)send(AnalysisFinished{});
    (void)send(MinutesWritten{{"minutes.md"}});
    if (there()) return;
    (void)send(CleanedUp{});
  }
};

constexpr Phase kResting[] = {Phase::kNew,          Phase::kScheduled,     Phase::kValidating, Phase::kPreparing,
                              Phase::kJoining,      Phase::kInWaitingRoom, Phase::kRecording,  Phase::kPaused,
                              Phase::kReconnecting, Phase::kLeaving,       Phase::kProcessing, Phase::kCleaning,
                              Phase::kDone,         Phase::kFailed,        Phase::kCancelled};

/// Two letters for each state, in the table below.
std::string letters(Phase p) {
  static const std::map<Phase, std::string> kLetters = {
      {Phase::kNew, "Ne"},          {Phase::kScheduled, "Sc"},     {Phase::kValidating, "Va"}, {Phase::kPreparing, "Pr"},
      {Phase::kJoining, "Jo"},      {Phase::kInWaitingRoom, "Wa"}, {Phase::kRecording, "Re"},  {Phase::kPaused, "Pa"},
      {Phase::kReconnecting, "Rc"}, {Phase::kLeaving, "Le"},       {Phase::kProcessing, "Po"}, {Phase::kCleaning, "Cl"},
      {Phase::kDone, "Do"},         {Phase::kFailed, "Fa"},        {Phase::kCancelled, "Ca"}};
  const auto it = kLetters.find(p);
  return it == kLetters.end() ? "??" : it->second;
}

struct Row {
  const char* name;
  std::function<Event(const At&)> event;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"not a timer", [](const At&) { return TimerFired{"tea"}; }},
      {"started", [](const At&) { return HostStarted{}; }},
      {"seen same", [](const At&) { return MeetingSeen{"m1", spec("work"), {}, 7}; }},
      {"seen moved", [](const At& a) { return MeetingSeen{"m1", spec("work", a.now + hours(3)), {}, 7}; }},
      {"seen other", [](const At&) { return MeetingSeen{"m1", spec("home"), {}, 7}; }},
      {"relinked",
       [](const At&) {
         MeetingSpec s = spec("work");
         s.url += "-2";
         return MeetingSeen{"m1", s, {}, 7};
       }},
      {"renamed",
       [](const At&) {
         MeetingSpec s = spec("work");
         s.title = "Daily";
         return MeetingSeen{"m1", s, {}, 7};
       }},
      {"gone", [](const At&) { return MeetingGone{"work", "removed"}; }},
      {"gone other", [](const At&) { return MeetingGone{"home", "removed"}; }},
      {"taken", [](const At&) { return PlaceTaken{"m0"}; }},
      {"taken by it", [](const At& a) { return PlaceTaken{a.state.id}; }},
      {"free", [](const At&) { return PlaceFree{"m0"}; }},
      {"stop", [](const At&) { return StopRequested{"Ada"}; }},
      {"pause", [](const At&) { return PauseRequested{true, "Ada"}; }},
      {"resume", [](const At&) { return PauseRequested{false, "Ada"}; }},
      {"valid", [](const At&) { return Validated{}; }},
      {"invalid", [](const At&) { return ValidationFailed{FailureCode::kBadPasscode, false, "wrong"}; }},
      {"ask later", [](const At&) { return ValidationFailed{FailureCode::kInternal, true, "down"}; }},
      {"prepared",
       [](const At&) {
         Prepared e;
         e.recognizer = false;
         e.note = "no recognizer";
         return e;
       }},
      {"lobby", [](const At& a) { return a.media(MediaPhase::kWaitingRoom); }},
      {"in call", [](const At& a) { return a.media(MediaPhase::kInCall); }},
      {"untold",
       [](const At& a) {
         MediaReport r = a.media(MediaPhase::kInCall);
         r.announced.clear();
         return r;
       }},
      {"lost", [](const At& a) { return a.media(MediaPhase::kLost); }},
      {"ended", [](const At& a) { return a.media(MediaPhase::kEnded); }},
      {"not there", [](const At& a) { return a.media(MediaPhase::kRefused, FailureCode::kMeetingNotFound); }},
      {"denied", [](const At& a) { return a.media(MediaPhase::kRefused, FailureCode::kDenied); }},
      {"left", [](const At& a) { return a.media(MediaPhase::kLeft); }},
      {"old report",
       [](const At& a) {
         MediaReport r = a.media(MediaPhase::kEnded);
         r.epoch += 1;
         return r;
       }},
      {"person", [](const At&) { return person("p2", "Bob"); }},
      {"final", [](const At&) { return SegmentFinal{"p1", {0}, {900}, "Hello.", {}}; }},
      {"empty final", [](const At&) { return SegmentFinal{"p1", {0}, {900}, "", {}}; }},
      {"heard", [](const At&) { return SpanHeard{"p1", {0}, {900}, Coverage::kSilent, ""}; }},
      {"gap", [](const At&) { return GapDetected{{"p1", {0}, {900}, Coverage::kLost, "network"}}; }},
      {"no gap", [](const At&) { return GapDetected{{"p1", {900}, {900}, Coverage::kLost, "network"}}; }},
      {"drained", [](const At&) { return SpeechDrained{true}; }},
      {"audio waits", [](const At&) { return SpeechDrained{false}; }},
      {"recognizer", [](const At&) { return RecognizerReady{}; }},
      {"items", [](const At&) { return ItemsChanged{{ItemChange{}}}; }},
      {"analysed", [](const At&) { return AnalysisFinished{{}, {}, "Ada: hello"}; }},
      {"written", [](const At&) { return MinutesWritten{{"minutes.md"}}; }},
      {"failed", [](const At&) { return StepFailed{"writing", "disk full"}; }},
      {"delivered", [](const At&) { return TaskDelivered{"k", "a1", "board", "delivered", ""}; }},
      {"cleaned", [](const At&) { return CleanedUp{}; }},
      {"clock set", [](const At&) { return ClockMoved{minutes(2)}; }},
      {"notice", [](const At&) { return HostNotice{"the disk is full"}; }},
      {"no room",
       [](const At&) {
         Prepared e;
         e.room = false;
         e.note = "the disk is full";
         return e;
       }},
      {"calendar", [](const At&) { return CalendarConfigured{}; }},
      {"fetched", [](const At&) { return CalendarFetched{}; }},
      {"not read", [](const At&) { return CalendarFailed{}; }},
      {"scan", [](const At&) { return ScanRequested{}; }},
      {"calendar off", [](const At&) { return CalendarRemoved{}; }},
      {"sink", [](const At&) { return SinkConfigured{}; }},
      {"task", [](const At&) { return TaskWanted{}; }},
      {"answered", [](const At&) { return TaskAnswered{}; }},
      {"found", [](const At&) { return TaskFound{}; }},
      {"decided", [](const At&) { return TaskDecided{}; }},
  };
  return kRows;
}

/// "." nothing at all; "*" it stays and does, says or keeps something; else the state that follows.
std::string outcome(Phase from, const Row& row) {
  At at;
  at.go(from);
  EXPECT_EQ(at.state.state, from);
  const Json before = to_json(State(at.state));
  const Batch batch = at.send(row.event(at));
  const Json after = to_json(State(at.state));
  const auto back = from_json<State>(after);
  EXPECT_TRUE(back) << row.name;
  EXPECT_EQ(to_json(*back), after) << row.name;
  if (at.state.state != from) return letters(at.state.state);
  return batch.empty() && before == after ? "." : "*";
}

/// The columns are kResting. A meeting that was recorded for a minute, from `reconnecting` on.
constexpr const char* kTable = R"(not a timer  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
started      .  .  .  .  Rc Rc Rc Rc *  Po *  .  .  .  .
seen same    Sc .  .  .  .  .  .  .  .  .  .  .  .  .  Sc
seen moved   Sc *  Sc Sc Le Le *  *  *  *  *  *  *  Sc Sc
seen other   Sc *  *  *  *  *  *  *  *  *  *  *  *  *  Sc
relinked     Sc *  Sc Sc Le Le *  *  *  *  *  *  *  Sc Sc
renamed      Sc *  *  *  *  *  *  *  *  *  *  *  *  *  Sc
gone         .  Cl Cl Cl Le Le *  *  *  *  *  *  *  *  .
gone other   .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
taken        *  Cl Cl Cl .  .  .  .  .  .  .  .  .  .  .
taken by it  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
free         .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
stop         .  Cl Cl Cl Le Le Le Le Le .  .  .  .  .  .
pause        .  .  .  .  *  *  Pa .  *  .  .  .  .  .  .
resume       .  .  .  .  .  .  .  Re .  .  .  .  .  .  .
valid        .  .  Pr .  .  .  .  .  .  .  .  .  .  .  .
invalid      .  .  Cl .  .  .  .  .  .  .  .  .  .  .  .
ask later    .  .  *  .  .  .  .  .  .  .  .  .  .  .  .
prepared     .  .  .  *  .  .  .  .  .  .  .  .  .  .  .
lobby        .  .  .  .  Wa .  .  .  Wa .  .  .  .  .  .
in call      .  .  .  .  Re Re .  .  Re .  .  .  .  .  .
untold       .  .  .  .  Le Le .  .  Le .  .  .  .  .  .
lost         .  .  .  .  Rc Rc Rc Rc .  Po .  .  .  .  .
ended        .  .  .  .  Le Le Le Le Le Po .  .  .  .  .
not there    .  .  .  .  *  *  Le Le Le Po .  .  .  .  .
denied       .  .  .  .  Le Le Le Le Le Po .  .  .  .  .
left         .  .  .  .  Le Le Le Le Le Po .  .  .  .  .
old report   .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
person       .  .  .  .  *  *  *  *  *  .  .  .  .  .  .
final        .  .  .  .  .  .  *  *  *  *  *  .  .  .  .
empty final  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
heard        .  .  .  .  .  .  *  *  *  *  *  .  .  .  .
gap          .  .  .  .  .  .  *  *  *  *  *  .  .  .  .
no gap       .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
drained      .  .  .  .  .  .  .  .  .  .  *  .  .  .  .
audio waits  .  .  .  .  .  .  .  .  .  .  *  .  .  .  .
recognizer   .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
items        .  .  .  .  .  .  *  *  *  *  *  .  .  .  .
analysed     .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
written      .  .  .  .  .  .  .  .  .  .  Cl .  .  .  .
failed       .  .  .  .  .  .  .  .  .  .  Cl .  .  .  .
delivered    *  *  *  *  *  *  *  *  *  *  *  *  *  *  *
cleaned      .  .  .  .  .  .  .  .  .  .  .  Do .  .  .
clock set    .  .  .  .  *  *  *  *  *  *  *  .  .  .  .
notice       .  .  .  .  *  *  *  *  *  *  *  .  .  .  .
no room      .  .  .  *  .  .  .  .  .  .  .  .  .  .  .
calendar     .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
fetched      .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
not read     .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
scan         .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
calendar off .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
sink         .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
task         .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
answered     .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
found        .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
decided      .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
)";

TEST(MeetingMatrix, EveryEventInEveryState) {
  std::ostringstream table;
  for (const Row& row : rows()) {
    std::string line(row.name);
    line.resize(13, ' ');
    for (const Phase from : kResting) {
      std::string cell = outcome(from, row);
      cell.resize(3, ' ');
      line += cell;
    }
    while (line.ends_with(' ')) line.pop_back();
    table << line << "\n";
  }
  EXPECT_EQ(table.str(), kTable);
}

}  // namespace
}  // namespace hansard::flow
