// `hansard doctor`: what is missing, and how to get it.
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <vector>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/daemon_client.h"
#include "cli/demo_process.h"
#include "cli/modules.h"
#include "ipc/messages.h"
#include "ipc/pipe.h"
#include "ipc/process.h"

namespace hansard::cli {
namespace {

struct Finding {
  std::string what;
  std::string state;  ///< "ok", "missing", "note"
  std::string detail;
};

using Findings = std::vector<Finding>;

void check_modules(Findings& out) {
  for (const std::string name : {"media", "speech"}) {
    const std::string path = find_module(name);
    out.push_back({"module " + name, path.empty() ? "missing" : "ok",
                   path.empty() ? "libhansard_" + name + ".so is not beside the program; run scripts/build" : path});
  }
}

/// Starts the speech process for a moment: it says itself what it lacks.
void check_speech(const Config& config, Findings& out) {
  const auto exe = ipc::self_executable();
  if (!exe || find_module("speech").empty()) return;
  std::vector<std::string> args{"speech", "--fd", "3"};
  if (!config.speech_models.empty()) args.insert(args.end(), {"--models", config.speech_models});
  if (!config.speech_model_dir.empty()) args.insert(args.end(), {"--model", config.speech_model_dir});
  const auto child = ipc::spawn_child(*exe, args);
  if (!child) {
    out.push_back({"recognizer", "missing", child.error().detail});
    return;
  }
  ipc::Pipe pipe(child->fd);
  Finding finding{"recognizer", "missing", "the speech process did not answer"};
  for (int waited = 0; waited < 20'000; waited += 50) {
    const bool open = pipe.read_some();
    const auto frame = pipe.next();
    if (frame && *frame && std::holds_alternative<Json>(**frame)) {
      const auto message = from_json<ipc::FromSpeech>(std::get<Json>(**frame));
      const auto* ready = message ? std::get_if<ipc::SpeechReady>(&*message) : nullptr;
      const auto* none = message ? std::get_if<ipc::SpeechUnavailable>(&*message) : nullptr;
      if (ready != nullptr) finding = {"recognizer", "ok", ready->model};
      if (none != nullptr)
        finding = {"recognizer", "missing", none->detail + "; meetings are still captured and transcribed later"};
      if (ready != nullptr || none != nullptr) break;
      continue;
    }
    if (!open || !frame) break;
    ::usleep(50'000);
  }
  ::kill(child->pid, SIGKILL);
  ::waitpid(child->pid, nullptr, 0);
  out.push_back(std::move(finding));
}

/// Runs a program to its end; its exit code, -1 when it takes too long.
int run_quietly(const std::vector<std::string>& argv) {
  auto process = DemoProcess::start(argv, "/dev/null");
  if (!process) return -1;
  for (int waited = 0; waited < 15'000; waited += 20) {
    if (const auto code = process->poll()) return *code;
    ::usleep(20'000);
  }
  return -1;
}

void check_media(Findings& out) {
  const auto exe = ipc::self_executable();
  if (!exe || find_module("media").empty()) return;
  const int code = run_quietly({*exe, "child", "media", "check"});
  out.push_back(
      {"media", code == 0 ? "ok" : "missing",
       code == 0
           ? "GStreamer and its WebRTC plugins"
           : "GStreamer or a plugin is missing; install it with: scripts/setup run (`hansard child media check` says more)"});
}

void check_disk(const Config& config, Findings& out) {
  std::string dir = config.data_dir;
  while (!dir.empty() && dir != "/" && !std::filesystem::exists(dir)) dir = std::filesystem::path(dir).parent_path().string();
  struct statvfs info{};
  if (::statvfs(dir.c_str(), &info) != 0) {
    out.push_back({"disk", "missing", "cannot look at " + dir});
    return;
  }
  const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
  const bool enough = free >= config.min_free_bytes;
  out.push_back({"disk", enough ? "ok" : "missing",
                 std::to_string(free >> 20) + " MB free for " + config.data_dir +
                     (enough ? "" : "; too little to record, free some space")});
  if (::access(dir.c_str(), W_OK) != 0)
    out.push_back({"data folder", "missing", dir + " cannot be written; choose another data_dir"});
}

Findings examine(const std::string& config_file) {
  Findings out;
  const auto config = load_config(config_file);
  if (!config) {
    out.push_back({"configuration", "missing", config.error().detail});
    return out;
  }
  out.push_back({"configuration", "ok", config->path.empty() ? "no file; the defaults hold" : config->path});
  check_modules(out);
  check_media(out);
  check_speech(*config, out);
  if (!config->analysis_weights.empty()) {
    const bool there = std::filesystem::exists(config->analysis_weights);
    out.push_back(
        {"analysis", there ? "ok" : "missing",
         config->analysis_weights + (there ? "" : " is not there; leave weights in [analysis] out for the embedded ones")});
  }
  const bool flite = run_quietly({"flite", "--version"}) != 127;
  out.push_back(
      {"flite", flite ? "ok" : "note", flite ? "speaks in the demo" : "missing; only the demo needs it: apt-get install flite"});
  check_disk(*config, out);
  const auto daemon = DaemonClient::find(*config);
  out.push_back({"daemon", "note", daemon ? "runs" : "does not run"});
  if (config->calendars.empty())
    out.push_back({"calendars", "note", "none configured; add [[calendar]] to " + default_config_path()});
  out.push_back({"encryption", "note", "nothing is encrypted at rest yet: keep " + config->data_dir + " on an encrypted disk"});
  return out;
}

}  // namespace

int cmd_doctor(std::span<const std::string> args) {
  const auto a = parse_args(args, {"--config"}, {"--json"});
  if (!a || !a->rest.empty()) return wrong_use(a ? "doctor takes no '" + a->rest[0] + "'" : a.error().detail);
  const Findings findings = examine(a->text("--config"));
  bool good = true;
  Json json = Json::array();
  for (const auto& f : findings) {
    good = good && f.state != "missing";
    if (a->flag("--json")) {
      Json one = Json::object();
      one.set("what", f.what).set("state", f.state).set("detail", f.detail);
      json.push(std::move(one));
    } else {
      std::printf("%-8s %-14s %s\n", f.state.c_str(), f.what.c_str(), f.detail.c_str());
    }
  }
  if (a->flag("--json")) std::printf("%s\n", json.dump().c_str());
  return good ? kOk : kFailed;
}

}  // namespace hansard::cli
