// sim_main: simulated days, or with --calendar-year simulated years of calendars. Exit code 0: everything held; 1: a violation
// (with the command that shows it again); 2: wrong use.
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/simulation.h"
#include "sim/year.h"

namespace {

using namespace hansard;
using namespace hansard::sim;

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  std::uint64_t minutes = 0;  ///< 0: until all seeds have run
  int days = 0;               ///< 0: one day, or a year
  unsigned jobs = 1;
  bool first_failure = false;  ///< stop there
  bool verbose = false;
  bool year = false;
  Canary canary = Canary::kNone;
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--verbose") {
      out.verbose = true;
      continue;
    }
    if (name == "--first-failure") {
      out.first_failure = true;
      continue;
    }
    if (name == "--calendar-year") {
      out.year = true;
      continue;
    }
    if (name == "--canary" && i + 1 < argc) {
      const auto canary = enum_value<Canary>(argv[++i]);
      if (!canary) return false;
      out.canary = *canary;
      continue;
    }
    char* end = nullptr;
    const std::uint64_t value = i + 1 < argc ? std::strtoull(argv[++i], &end, 10) : 0;
    if (end == nullptr || *end != 0) return false;
    if (name == "--seed") {
      out.first = value;
      out.seeds = 1;
    } else if (name == "--seeds") {
      out.seeds = value;
    } else if (name == "--minutes" && value >= 1 && value <= 10'000) {
      out.minutes = value;
      out.seeds = UINT64_MAX - out.first;
    } else if (name == "--jobs" && value >= 1 && value <= 256) {
      out.jobs = static_cast<unsigned>(value);
    } else if (name == "--days" && value >= 1 && value <= 400) {
      out.days = static_cast<int>(value);
    } else {
      return false;
    }
  }
  if (out.year) {
    if (out.days == 0) out.days = 365;
    return out.days >= 10 && out.minutes == 0;
  }
  if (out.days == 0) out.days = 1;
  return out.days <= 15 && out.canary == Canary::kNone;
}

void print_faults(const FaultCounts& faults) {
  for (const auto& entry : enum_names(Fault{})) {
    std::printf("  %-28s %8llu\n", std::string(entry.name).c_str(), static_cast<unsigned long long>(faults[entry.value]));
  }
}

int run_years(const Arguments& arguments, const char* program) {
  const auto begin = std::chrono::steady_clock::now();
  YearOutcome sum;
  int failed = 0;
  for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.seeds; ++seed) {
    YearOutcome o = simulate_year({seed, arguments.days, arguments.verbose, arguments.canary});
    if (simulate_year({seed, arguments.days, false, arguments.canary}).digest != o.digest)
      o.violations.push_back("two runs of one seed differ");
    for (const std::string& v : o.violations) std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), v.c_str());
    if (!o.violations.empty()) {
      ++failed;
      std::printf("again: %s --calendar-year --seed %llu --days %d --verbose\n", program, static_cast<unsigned long long>(seed),
                  arguments.days);
    }
    if (arguments.seeds == 1) std::printf("digest %s\n", o.digest.c_str());
    for (std::size_t i = 0; i < o.events.size(); ++i) sum.events[i] += o.events[i];
    sum.scans += o.scans;
    sum.meetings += o.meetings;
    sum.joined += o.joined;
    sum.cancelled += o.cancelled;
    sum.skipped += o.skipped;
    sum.excused += o.excused;
    sum.commits += o.commits;
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (const auto& entry : enum_names(YearEvent{})) {
    // A kind of trouble that never came has shown nothing.
    const bool enough = arguments.seeds >= 2 && arguments.days >= 365;
    if (!enough || sum.events[static_cast<std::size_t>(entry.value)] > 0) continue;
    std::printf("never seen: %s\n", std::string(entry.name).c_str());
    ++failed;
  }
  for (const auto& entry : enum_names(YearEvent{}))
    std::printf("  %-28s %8llu\n", std::string(entry.name).c_str(),
                static_cast<unsigned long long>(sum.events[static_cast<std::size_t>(entry.value)]));
  const auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
  std::printf(
      "%llu years of %d days (each run twice) in %.1f s: %llu scans, %llu commits; of %llu meetings to be joined %llu were, %llu "
      "that do "
      "not take place were not, %llu skipped with a reason, %llu not decidable; %d failed\n",
      n(arguments.seeds), arguments.days, took, n(sum.scans), n(sum.commits), n(sum.meetings), n(sum.joined), n(sum.cancelled),
      n(sum.skipped), n(sum.excused), failed);
  return failed == 0 ? 0 : 1;
}

/// Days on several threads; each run is a world of its own.
class Days {
 public:
  Days(const Arguments& arguments, const char* program) : a_(arguments), program_(program), next_(arguments.first) {}

  int run() {
    begin_ = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (unsigned j = 0; j < a_.jobs; ++j) threads.emplace_back([this] { work(); });
    for (std::thread& t : threads) t.join();
    took_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    // A kind of trouble that never came has shown nothing.
    for (const auto& entry : enum_names(Fault{})) {
      if (done_ < kEnough || sum_.faults[entry.value] > 0) continue;
      std::printf("never seen: %s\n", std::string(entry.name).c_str());
      ++failed_;
    }
    print_faults(sum_.faults);
    print();
    return failed_ == 0 ? 0 : 1;
  }

 private:
  static constexpr std::uint64_t kLongMeetings = 4;  ///< a day
  static constexpr std::uint64_t kFaults = 10;       ///< a day
  static constexpr std::uint64_t kEnough = 100;      ///< days, in which every kind must have come

  void work() {
    for (;;) {
      const std::uint64_t seed = next_++;
      if (seed >= a_.first + a_.seeds || stop_ || time_is_over()) return;
      const Scenario scenario = generate(seed, a_.days);
      Outcome first = simulate(scenario, {.seed = seed, .verbose = a_.verbose});
      if (first.digest != simulate(scenario, {.seed = seed, .judge = false}).digest)
        first.violations.push_back("two runs of one seed differ");
      // A day in which little happens shows little.
      const auto days = static_cast<std::uint64_t>(a_.days);
      if (first.long_meetings < kLongMeetings * days)
        first.violations.push_back("only " + std::to_string(first.long_meetings) + " meetings have 200 finals");
      if (first.faults.total() < kFaults * days)
        first.violations.push_back("only " + std::to_string(first.faults.total()) + " faults took effect");
      const std::lock_guard lock(mutex_);
      add(seed, first);
    }
  }

  bool time_is_over() const {
    return a_.minutes > 0 && std::chrono::steady_clock::now() - begin_ >= std::chrono::minutes(a_.minutes);
  }

  void add(std::uint64_t seed, const Outcome& o) {
    for (const std::string& v : o.violations) std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), v.c_str());
    if (!o.violations.empty()) {
      ++failed_;
      stop_ = stop_ || a_.first_failure;
      std::printf("again: %s --seed %llu --days %d --verbose\n", program_, static_cast<unsigned long long>(seed), a_.days);
    }
    if (a_.seeds == 1) std::printf("digest %s\n", o.digest.c_str());
    done_ += static_cast<std::uint64_t>(a_.days);
    sum_.faults += o.faults;
    sum_.meetings += o.meetings;
    sum_.recorded += o.recorded;
    sum_.long_meetings += o.long_meetings;
    sum_.finals += o.finals;
    sum_.tasks += o.tasks;
    sum_.commits += o.commits;
    sum_.reconnects += o.reconnects;
    planned_ += o.troubles;
  }

  void print() const {
    timespec cpu{};
    (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    const double seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
    const auto n = [](std::uint64_t v) { return static_cast<unsigned long long>(v); };
    const double days = done_ == 0 ? 1 : static_cast<double>(done_);
    std::printf(
        "%llu days (each run twice) in %.1f s: %.1f days a second, %.3f CPU s a run; %llu meetings, %llu recorded, %llu of them "
        "with 200 finals, %llu finals, %llu tasks, %llu commits, %llu joins again; a day: %.1f troubles, %.0f finals; %d "
        "failed\n",
        n(done_), took_, days / took_, seconds / days / 2, n(sum_.meetings), n(sum_.recorded), n(sum_.long_meetings),
        n(sum_.finals), n(sum_.tasks), n(sum_.commits), n(sum_.reconnects), static_cast<double>(planned_) / days,
        static_cast<double>(sum_.finals) / days, failed_);
  }

  const Arguments& a_;
  const char* program_;
  std::atomic<std::uint64_t> next_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  Outcome sum_;
  std::uint64_t done_ = 0;
  std::uint64_t planned_ = 0;
  std::chrono::steady_clock::time_point begin_;
  double took_ = 0;
  int failed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: sim_main [--seeds N | --seed S | --minutes M] [--days 1..15] [--jobs N] [--first-failure] [--verbose]\n"
                 "       sim_main --calendar-year [--seeds N | --seed S] [--days 10..400] [--canary stale-feed|lost-outbox|deaf] "
                 "[--verbose]\n");
    return 2;
  }
  if (arguments.year) return run_years(arguments, argv[0]);
  Days days(arguments, argv[0]);
  return days.run();
}
