// backup, restore, check: a copy of everything that cannot be made again, and whether what is there is sound.
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/printable.h"
#include "daemon/backup.h"
#include "daemon/system.h"

namespace hansard::cli {
namespace {

volatile std::sig_atomic_t g_stop = 0;

/// Shows where long work is, on a terminal only, a few times a second; SIGINT and SIGTERM end it in good order.
class Progress {
 public:
  Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {
    g_stop = 0;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, [](int) { g_stop = 1; });
    // A file that grows too large is an error with a sentence, not a silent end.
    std::signal(SIGXFSZ, SIG_IGN);
  }
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  WorkProgress function() {
    return [this](std::string_view what, std::uint64_t done, std::uint64_t total) {
      const Duration at = SystemClock().monotonic();
      if (terminal_ && at - shown_ > milliseconds(200)) {
        shown_ = at;
        std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(what.size()), what.data());
        if (total > 0) std::fprintf(stderr, " %d %%", static_cast<int>(100 * std::min(done, total) / total));
        std::fflush(stderr);
      }
      return g_stop == 0;
    };
  }
  void clear() const {
    if (terminal_ && shown_.ms != 0) std::fputs("\r\033[K", stderr);
  }

 private:
  bool terminal_;
  Duration shown_;
};

void print_contents(const BackupReport& r) {
  std::printf("store       %lld meetings and calendars, %lld records, %lld waiting effects (schema %lld)\n",
              static_cast<long long>(r.store.aggregates), static_cast<long long>(r.store.records),
              static_cast<long long>(r.store.effects), static_cast<long long>(r.store.schema));
  if (r.store.audit_seq > 0)
    std::printf("audit log   %lld rows, the last is %s\n", static_cast<long long>(r.store.audit_seq),
                printable(r.store.audit_hash).c_str());
  std::printf("beside it   %llu tracks of audio that wait, %llu files of minutes, %llu secrets%s\n",
              static_cast<unsigned long long>(r.audio), static_cast<unsigned long long>(r.minutes),
              static_cast<unsigned long long>(r.secrets), r.configuration ? ", the configuration" : "");
}

void print_notes(const std::vector<std::string>& notes) {
  for (const auto& note : notes) std::printf("note        %s\n", printable(note).c_str());
}

int check_backup(const std::string& path, bool json) {
  Progress progress;
  const auto report = verify_backup(path, progress.function());
  progress.clear();
  if (!report) return hansard::cli::report(report.error());
  if (json) {
    Json out = Json::object();
    out.set("sound", true).set("created", report->created).set("made_by", report->made_by).set("store", to_json(report->store));
    std::printf("%s\n", out.dump().c_str());
    return kOk;
  }
  std::printf("sound: %s, of %s, by hansard %s; every byte is as it was written\n", path.c_str(),
              printable(report->created).c_str(), printable(report->made_by).c_str());
  print_contents(*report);
  return kOk;
}

void print_check(const DataCheck& check) {
  for (const auto& f : check.faults)
    std::printf("fault  %s: %s; %s\n", printable(f.where).c_str(), printable(f.what).c_str(), printable(f.advice).c_str());
  for (const auto& note : check.notes) std::printf("note   %s\n", printable(note).c_str());
  std::printf(
      "%s: %llu meetings, %llu utterances, %lld records, %lld events, %lld waiting effects, %llu tracks of audio, %llu rows of "
      "the "
      "audit log; %zu faults\n",
      check.faults.empty() ? "sound" : "not sound", static_cast<unsigned long long>(check.meetings),
      static_cast<unsigned long long>(check.utterances), static_cast<long long>(check.store.records),
      static_cast<long long>(check.store.journal), static_cast<long long>(check.store.effects),
      static_cast<unsigned long long>(check.audio), static_cast<unsigned long long>(check.audit.rows), check.faults.size());
}

Json check_json(const DataCheck& check) {
  Json out = Json::object();
  out.set("sound", check.faults.empty())
      .set("meetings", check.meetings)
      .set("utterances", check.utterances)
      .set("audio_tracks", check.audio);
  Json log = Json::object();
  log.set("rows", check.audit.rows).set("fault", enum_name(check.audit.fault)).set("seq", check.audit.seq);
  log.set("anchors", std::uint64_t{check.audit.anchors}).set("anchored", check.audit.anchored);
  out.set("audit", std::move(log));
  return out.set("store", to_json(check.store)).set("faults", to_json(check.faults)).set("notes", to_json(check.notes));
}

}  // namespace

int cmd_backup(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {});
  if (!a || a->rest.size() != 1)
    return wrong_use(a ? "backup needs the name of a new file, or a folder to put it in" : a.error().detail);
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  Progress progress;
  const auto made = make_backup(*config, a->rest[0], system_now(), progress.function());
  progress.clear();
  if (!made) return report(made.error());
  std::printf("backup      %s (%llu bytes, read back and verified)\n", made->path.c_str(),
              static_cast<unsigned long long>(made->bytes));
  print_contents(*made);
  print_notes(made->notes);
  std::printf("careful     it is NOT encrypted and holds what was said%s: keep it where only you can read it\n",
              made->secrets > 0 || made->configuration ? " and secrets (tokens of calendars and platforms)" : "");
  return kOk;
}

int cmd_restore(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--force"});
  if (!a || a->rest.size() != 1) return wrong_use(a ? "restore needs the name of a backup" : a.error().detail);
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  Progress progress;
  const auto done = restore_backup(*config, a->rest[0], a->flag("--force"), system_now(), progress.function());
  progress.clear();
  if (!done) return report(done.error());
  std::printf("restored    %s, as it was at %s\n", config->data_dir.c_str(), printable(done->backup.created).c_str());
  print_contents(done->backup);
  if (!done->kept_aside.empty()) std::printf("kept aside  the data of before is in %s\n", done->kept_aside.c_str());
  print_notes(done->notes);
  if (done->backup.configuration)
    std::puts("note        the configuration in force stays; the one of then is in the backup as config/hansard.toml");
  std::puts(
      "note        what was sent after the backup was made may be sent again, under the same key; do not run both copies at "
      "once");
  return kOk;
}

int cmd_check(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--json"});
  if (!a || a->rest.size() > 1) return wrong_use(a ? "check takes at most one backup" : a.error().detail);
  if (!a->rest.empty()) return check_backup(a->rest[0], a->flag("--json"));
  const auto config = load_config(a->text("--config"));
  if (!config) return report(config.error());
  Progress progress;
  const auto check = check_data(*config, progress.function());
  progress.clear();
  if (!check) return report(check.error());
  if (a->flag("--json")) {
    std::printf("%s\n", check_json(*check).dump().c_str());
  } else {
    print_check(*check);
  }
  return check->faults.empty() ? kOk : kFailed;
}

}  // namespace hansard::cli
