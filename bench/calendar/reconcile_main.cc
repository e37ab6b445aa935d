// Many calendars followed by one engine: what the first scan of all costs, what a scan costs in which one of a hundred
// has changed, and how much memory it takes. The unmodified engine and executor over an SQLite store in a temporary
// folder; feeds come from a client in this process that answers as a server would (with ETag, or without).
//
// usage: bench_calendar_reconcile [CALENDARS]   default 10000
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "adapters/sqlite/sqlite_store.h"
#include "adapters/zoneinfo/zoneinfo.h"
#include "core/base/prng.h"
#include "host/engine.h"
#include "host/executor.h"
#include "sim/disk.h"
#include "sim/ear.h"
#include "sim/rooms.h"
#include "sim/secrets.h"

namespace {

using namespace hansard;

constexpr Instant kStart{1'762'221'600'000};  // 2025-11-04T02:00:00Z: nothing begins while the bench looks
constexpr int kEvents = 30;
constexpr int kTeam = 8;  ///< so many calendars show the same team meeting

std::string ical_time(Instant t) {
  std::string out;
  for (const char c : format_rfc3339(t)) {
    if (c != '-' && c != ':') out += c;
  }
  return out;
}

std::string local_time(Instant t) { return ical_time(t + hours(1)).substr(0, 15); }  // Berlin in winter

const char* const kZone =
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nX-LIC-LOCATION:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\n"
    "TZOFFSETTO:+0200\r\nTZNAME:CEST\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n"
    "BEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\nDTSTART:19701025T030000\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

/// The calendar of person `number`: ten weekly series, two of them on the day that is looked at, and twenty single events
/// around it. `version` moves one event of that day.
std::string feed(std::size_t number, int version) {
  Prng rng(number + 1);
  const Instant midnight = kStart - hours(2);
  std::string out = "BEGIN:VCALENDAR\r\nPRODID:-//hansard//bench//EN\r\nVERSION:2.0\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n";
  out += kZone;
  for (int e = 0; e < kEvents; ++e) {
    const bool series = e < 10;
    const bool team = e == 0;
    // Series begin weeks ago, on any weekday; day 0 is the one that is looked at.
    const std::int64_t day = series ? (team ? 0 : rng.between(0, 4)) - 7 * rng.between(3, 40) : rng.between(-45, 45);
    Instant start = midnight + hours(24 * day) + Duration{rng.between(14, 34) * 1'800'000};
    if (team) start = midnight + hours(24 * -70 + 9);
    if (e == 10) start = midnight + hours(12) + minutes(version > 0 ? 30 : 0);
    const std::string owner = team ? "team" + std::to_string(number / kTeam) : "person" + std::to_string(number);
    const std::string id = owner + "-" + std::to_string(e);
    out += "BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:" + local_time(start) +
           "\r\nDTEND;TZID=Europe/Berlin:" + local_time(start + minutes(45)) + "\r\n";
    if (series) out += "RRULE:FREQ=WEEKLY\r\n";
    if (e == 1) out += "EXDATE;TZID=Europe/Berlin:" + local_time(start + hours(24 * 14)) + "\r\n";
    out += "DTSTAMP:20251101T120000Z\r\nORGANIZER;CN=Anna Example:mailto:anna@example.com\r\nUID:" + id + "@calendar.example\r\n";
    for (int a = 0; a < 4; ++a) {
      out += "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=guest" + std::to_string(a) +
             "@example.com;X-NUM-GUESTS=0:mailto:guest" + std::to_string(a) + "@example.com\r\n";
    }
    out +=
        "CREATED:20250901T080000Z\r\nDESCRIPTION:Agenda\\n1. What is open\\n2. What comes next\\n\\nPlease read the notes of\r\n"
        "  the last meeting before. Join here: https://rooms.example/" +
        id + "\\n\r\nLAST-MODIFIED:20251001T080000Z\r\nLOCATION:https://rooms.example/" + id +
        "\r\nSEQUENCE:" + std::to_string(version) + "\r\nSTATUS:CONFIRMED\r\nSUMMARY:Meeting " + id +
        "\r\nTRANSP:OPAQUE\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:This is an event reminder\r\n"
        "TRIGGER:-P0DT0H10M0S\r\nEND:VALARM\r\nEND:VEVENT\r\n";
  }
  return out + "END:VCALENDAR\r\n";
}

class Feeds final : public HttpClient {
 public:
  bool etags = true;
  std::set<std::size_t> changed;
  std::size_t bytes = 0, whole = 0, unchanged = 0;

  void send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) override {
    waiting_.push_back({std::move(request), std::move(done)});
  }
  /// Answers one request; false when none waits.
  bool answer() {
    if (waiting_.empty()) return false;
    const Waiting w = std::move(waiting_.front());
    waiting_.pop_front();
    const std::size_t number = std::strtoull(w.request.url.c_str() + w.request.url.rfind('/') + 1, nullptr, 10);
    const int version = changed.contains(number) ? 1 : 0;
    const std::string etag = "\"" + std::to_string(version) + "\"";
    if (etags && find_header(w.request.headers, "if-none-match") == etag) {
      ++unchanged;
      w.done(HttpResponse{304, {{"etag", etag}}, {}});
      return true;
    }
    HttpResponse whole_feed{200, {}, feed(number, version)};
    if (etags) whole_feed.headers.emplace_back("etag", etag);
    bytes += whole_feed.body.size();
    ++whole;
    w.done(std::move(whole_feed));
    return true;
  }

 private:
  struct Waiting {
    HttpRequest request;
    std::function<void(Result<HttpResponse>)> done;
  };
  std::deque<Waiting> waiting_;
};

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}
double wall_seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// KiB of a line of /proc/self/smaps_rollup.
long memory_kib(const std::string& name) {
  std::ifstream in("/proc/self/smaps_rollup");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name + ":")) return std::strtol(line.c_str() + name.size() + 1, nullptr, 10);
  }
  return 0;
}

struct Bench {
  explicit Bench(std::size_t number, Store& s) : calendars(number), store(s) {}

  std::size_t calendars;
  Store& store;
  sim::World world{kStart, 1};
  sim::Scenario nothing;
  sim::Rooms rooms{world, nothing};
  sim::Ear ear{world, nothing};
  sim::Spool spool{world};
  sim::Disk disk{world};
  sim::Secrets secrets;
  sim::NoSigner signer;
  Feeds feeds;
  host::ExecutorConfig config() {
    host::ExecutorConfig c;
    c.generic_hosts = {"rooms.example"};
    c.read_zone = [](std::string_view name) { return read_system_zone(name); };
    c.entropy = [this](std::size_t count) { return world.entropy(count); };
    return c;
  }
  host::Executor executor{{world, store, feeds, rooms, ear, spool, disk, secrets, signer}, config()};
  host::Engine engine{store, world, executor};
  std::uint64_t failing = 0;

  bool check(const Result<void>& r) {
    if (!r) std::fprintf(stderr, "the engine stopped: %s\n", r.error().detail.c_str());
    return r.has_value();
  }

  /// Until nothing is left to do now.
  bool settle() {
    for (bool more = true; more;) {
      if (!check(engine.drain())) return false;
      more = false;
      for (int n = 0; n < 64 && feeds.answer(); ++n) more = true;
    }
    return true;
  }

  bool scan(const char* title) {
    const double cpu = cpu_seconds();
    const double wall = wall_seconds();
    feeds.bytes = feeds.whole = feeds.unchanged = 0;
    if (!settle()) return false;
    const double took = cpu_seconds() - cpu;
    const long grown = memory_kib("Rss");
    ::malloc_trim(0);
    std::printf(
        "%-38s%8.2f s CPU%8.2f s in all%9.0f a second%8zu whole%8zu unchanged;  RSS %ld MiB, %ld after trimming, PSS %ld\n",
        title, took, wall_seconds() - wall, static_cast<double>(calendars) / took, feeds.whole, feeds.unchanged, grown / 1024,
        memory_kib("Rss") / 1024, memory_kib("Pss") / 1024);
    std::fflush(stdout);
    return failing == 0;
  }

  /// The next scan: `later` after the one before.
  bool again(const char* title) {
    world.step(world.now() + minutes(6));
    return scan(title);
  }

  bool run() {
    executor.connect(engine);
    engine.on_record([this](const host::LiveRecord& r) {
      const auto* c = std::get_if<flow::CalendarRecord>(&r.record);
      failing += c != nullptr && c->state == "failing" ? 1 : 0;
    });
    if (!check(engine.start("bench"))) return false;
    const long before = memory_kib("Rss");
    for (std::size_t n = 0; n < calendars; ++n) {
      flow::CalendarConfigured c;
      c.source.id = "c" + std::to_string(n);
      c.source.kind = "ics";
      c.source.url = "https://feeds.example/" + std::to_string(n);
      c.seed = n + 1;
      engine.post("calendar:" + c.source.id, c);
    }
    if (!scan("first scan")) return false;
    const long after = memory_kib("Rss");
    std::size_t meetings = 0;
    engine.for_each([&](const std::string&, const flow::State& s) { meetings += std::holds_alternative<flow::MeetingState>(s); });
    if (meetings < calendars) return std::fprintf(stderr, "the scan found only %zu meetings\n", meetings), false;
    std::printf("  %zu meetings in the next 24 hours; a feed has %.1f KiB; %.1f KiB of memory a calendar\n", meetings,
                static_cast<double>(feeds.bytes) / 1024 / static_cast<double>(feeds.whole),
                static_cast<double>(after - before) / static_cast<double>(calendars));
    if (!again("nothing has changed")) return false;
    for (std::size_t n = 0; n < calendars; n += 100) feeds.changed.insert(n);
    if (!again("1 % have changed")) return false;
    feeds.etags = false;
    if (!again("servers that always send the whole")) return false;
    for (std::size_t n = 50; n < calendars; n += 100) feeds.changed.insert(n);
    return again("the same, 1 % more have changed");
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t calendars = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  if (calendars == 0 || argc > 2) return std::fprintf(stderr, "usage: bench_calendar_reconcile [CALENDARS]\n"), 2;
  std::string folder = (std::filesystem::temp_directory_path() / "hansard-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return std::fprintf(stderr, "no temporary folder can be made\n"), 1;
  int code = 1;
  if (auto store = open_sqlite_store(folder + "/hansard.db")) {
    std::printf("%zu calendars of %d events on one core, SQLite store\n", calendars, kEvents);
    code = Bench(calendars, **store).run() ? 0 : 1;
  } else {
    std::fprintf(stderr, "%s\n", store.error().detail.c_str());
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}
