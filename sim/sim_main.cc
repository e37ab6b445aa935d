// sim_main: simulated days, or with --calendar-year simulated years of calendars. Exit code 0: everything held; 1: a violation
// (with the command that shows it again); 2: wrong use.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sim/simulation.h"
#include "sim/year.h"

namespace {

using namespace hansard;
using namespace hansard::sim;

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  int days = 0;  ///< 0: one day, or a year
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
    } else if (name == "--days" && value >= 1 && value <= 400) {
      out.days = static_cast<int>(value);
    } else {
      return false;
    }
  }
  if (out.year) {
    if (out.days == 0) out.days = 365;
    return out.days >= 10;
  }
  if (out.days == 0) out.days = 1;
  return out.days <= 30 && out.canary == Canary::kNone;
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

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: sim_main [--seeds N | --seed S] [--days 1..30] [--verbose]\n"
                 "       sim_main --calendar-year [--seeds N | --seed S] [--days 10..400] [--canary stale-feed|lost-outbox|deaf] "
                 "[--verbose]\n");
    return 2;
  }
  if (arguments.year) return run_years(arguments, argv[0]);
  const auto begin = std::chrono::steady_clock::now();
  Outcome sum;
  int failed = 0;
  for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.seeds; ++seed) {
    const Scenario scenario = generate(seed, arguments.days);
    const Outcome first = simulate(scenario, {.seed = seed, .verbose = arguments.verbose});
    const Outcome second = simulate(scenario, {.seed = seed});
    Outcome shown = first;
    if (first.digest != second.digest) shown.violations.push_back("two runs of one seed differ");
    for (const std::string& v : shown.violations)
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), v.c_str());
    if (!shown.violations.empty()) {
      ++failed;
      std::printf("again: %s --seed %llu --days %d --verbose\n", argv[0], static_cast<unsigned long long>(seed), arguments.days);
    }
    if (arguments.seeds == 1) std::printf("digest %s\n", first.digest.c_str());
    sum.faults += first.faults;
    sum.meetings += first.meetings;
    sum.recorded += first.recorded;
    sum.finals += first.finals;
    sum.tasks += first.tasks;
    sum.commits += first.commits;
    sum.reconnects += first.reconnects;
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double days = static_cast<double>(arguments.seeds) * arguments.days;
  print_faults(sum.faults);
  std::printf(
      "%.0f days (each run twice) in %.1f s: %.1f days a second; %llu meetings, %llu recorded, %llu finals, %llu tasks, %llu "
      "commits, %llu joins again; %d failed\n",
      days, took, days / took, static_cast<unsigned long long>(sum.meetings), static_cast<unsigned long long>(sum.recorded),
      static_cast<unsigned long long>(sum.finals), static_cast<unsigned long long>(sum.tasks),
      static_cast<unsigned long long>(sum.commits), static_cast<unsigned long long>(sum.reconnects), failed);
  return failed == 0 ? 0 : 1;
}
