#include "daemon/app.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "adapters/children/media_processes.h"
#include "adapters/children/speech_process.h"
#include "adapters/curl/guard.h"
#include "adapters/curl/http_client.h"
#include "adapters/files/files.h"
#include "adapters/files/posix.h"
#include "adapters/files/secrets.h"
#include "adapters/files/spool.h"
#include "adapters/openssl/signer.h"
#include "adapters/sqlite/sqlite_store.h"
#include "adapters/zoneinfo/zoneinfo.h"
#include "core/analysis/model.h"
#include "core/analysis/weights/embedded.h"
#include "core/base/text.h"
#include "daemon/api.h"
#include "daemon/asio_loop.h"
#include "daemon/audit_log.h"
#include "daemon/calendars.h"
#include "daemon/data_dir.h"
#include "daemon/health_log.h"
#include "daemon/http_server.h"
#include "daemon/status_view.h"
#include "daemon/stopping.h"
#include "daemon/system.h"
#include "daemon/task_outbox.h"
#include "host/stored.h"
#include "ipc/process.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "daemon";
constexpr Duration kLongestWait = seconds(1);
/// How often work that waits for a busy recognizer is tried again.
constexpr Duration kBacklogWait = milliseconds(50);
constexpr Duration kHealthEvery = seconds(1);
/// For the children's and the sinks' last words; TimeoutStopSec in share/hansard.service leaves more.
constexpr Duration kLongestGoodbye = seconds(6);
constexpr std::size_t kMaxWeights = 64u << 20;

Result<std::shared_ptr<const analysis::Model>> load_model(const Config& config) {
  auto bytes = config.analysis_weights.empty() ? Result<std::string>(analysis::embedded_weights())
                                               : read_file(config.analysis_weights, kMaxWeights);
  if (!bytes) return pass(bytes);
  auto model = analysis::Model::load(*bytes);
  if (!model) return pass(model);
  return std::make_shared<const analysis::Model>(std::move(*model));
}

}  // namespace

std::string find_share_file(const std::string& name) {
  const auto exe = ipc::self_executable();
  const std::string dir = exe ? exe->substr(0, exe->rfind('/')) : ".";
  for (const std::string& base : {dir + "/share/", dir + "/../share/hansard/", std::string(HANSARD_SOURCE_DIR "/share/")}) {
    std::error_code error;
    if (std::filesystem::exists(base + name, error)) return base + name;
  }
  return "";
}

struct App::Impl {
  explicit Impl(AppOptions o) : options(std::move(o)), config(options.config) {}

  Result<void> open();
  Result<void> open_store();
  Result<void> open_http();
  void make_adapters(const std::string& executable);
  void trust_meetings();
  Json status() const {
    return status_view({config, started, *engine, *executor, *media, *speech, *calendars, *hub, *stopping, store_failing});
  }
  bool no_recognizer() const { return !speech->unavailable().empty(); }
  api::Context api_context();
  void published(const host::LiveRecord& record);
  Result<void> turn();
  void keep_anchor(bool now);
  /// Who a person's word comes through, for the audit log.
  std::string_view person() const { return options.http ? audit::kByApi : audit::kByCli; }
  void signalled();
  void hand_over();

  AppOptions options;
  Config config;
  SystemClock clock;
  posix::Descriptor lock;
  std::string token;
  std::uint16_t port = 0;
  Instant started;
  AsioLoop loop;
  std::unique_ptr<Store> store;
  std::optional<DiskFiles> files;
  std::optional<DiskSpool> spool;
  std::optional<FileSecrets> secrets;
  OpensslSigner signer;
  std::optional<CurlClient> http_client;
  std::optional<MediaProcesses> media;
  std::optional<SpeechProcess> speech;
  std::optional<host::Executor> executor;
  std::optional<host::Engine> engine;
  std::optional<LiveHub> hub;
  std::optional<HttpServer> server;
  std::optional<Calendars> calendars;
  std::optional<Stopping> stopping;
  std::function<void(const LiveEvent&)> on_event;
  std::function<void()> on_signal;
  bool store_failing = false;
  Refusals refusals;
  AnchorFile anchors{config.audit_anchor_file, config.audit_anchor_every};
  HealthLog health_log;
  Duration health_seen;
};

Result<void> App::Impl::open() {
  started = clock.now();
  log::set_level(config.log_level);
  if (auto r = make_folders(config.data_dir, 0700); !r) return r;
  if (auto r = make_folders(config.output_dir, 0700); !r) return r;
  auto locked = lock_data_dir(config.data_dir);
  if (!locked) return pass(locked);
  lock = std::move(*locked);
  auto kept = config.api_token.empty() ? keep_api_token(config.data_dir) : Result<std::string>(config.api_token);
  if (!kept) return pass(kept);
  token = *kept;
  if (auto r = open_store(); !r) return r;
  std::string executable = options.executable;
  if (executable.empty()) {
    auto self = ipc::self_executable();
    if (!self) return pass(self);
    executable = *self;
  }
  make_adapters(executable);
  auto model = load_model(config);
  if (!model) return pass(model);
  host::ExecutorConfig e;
  e.analysis_model = std::move(*model);
  e.generic_hosts = config.media_hosts;
  e.own_addresses = config.own_addresses;
  e.min_free_bytes = config.min_free_bytes;
  e.read_zone = [](std::string_view name) { return read_system_zone(name); };
  e.local_zone = system_zone_name();
  e.sources = config.sources;
  e.sources.read_zone = e.read_zone;
  e.entropy = random_bytes;
  auto sinks = make_task_sinks(config, *http_client, clock);
  if (!sinks) return pass(sinks);
  e.sinks = *sinks;
  executor.emplace(host::ExecutorPorts{clock, *store, *http_client, *media, *speech, *spool, *files, *secrets, signer},
                   std::move(e));
  engine.emplace(*store, clock, *executor);
  stopping.emplace(*engine, clock, config.on_stop, config.drain_limit);
  executor->connect(*engine);
  engine->on_record([this](const host::LiveRecord& record) { published(record); });
  executor->on_partial([this](const host::LivePartial& partial) {
    hub->publish(partial);
    if (on_event) on_event(live_event(partial));
  });
  if (options.http) {
    if (auto r = open_http(); !r) return r;
  }
  speech->start();
  if (auto r = engine->start(options.http ? audit::kByDaemon : audit::kByCli); !r) return r;
  if (engine->machine_restarted())
    log::info("the machine was started again: how long hansard was away is what the wall clock says");
  trust_meetings();
  calendars.emplace(config, Calendars::Parts{*engine, *executor, *secrets, *store, clock, loop});
  calendars->begin();
  begin_task_sinks(config, *sinks, *engine);
  return {};
}

Result<void> App::Impl::open_store() {
  auto opened = open_sqlite_store(store_path(config.data_dir));
  if (!opened) return pass(opened);
  store = std::move(*opened);
  auto last = store->last_seq();
  if (!last) return pass(last);
  hub.emplace(*store, *last);
  return {};
}

void App::Impl::make_adapters(const std::string& executable) {
  files.emplace(config.output_dir, config.data_dir);
  spool.emplace(audio_folder(config.data_dir));
  secrets.emplace(secrets_folder(config.data_dir));
  CurlOptions curl;
  curl.allowed_hosts = config.allow_hosts;
  curl.allowed_hosts.insert(curl.allowed_hosts.end(), config.media_hosts.begin(), config.media_hosts.end());
  http_client.emplace(loop, std::move(curl));
  MediaProcessOptions m;
  m.executable = executable;
  m.leave_limit = config.meeting.leave.leave_answer - milliseconds(500);
  m.log = [](const std::string& meeting, const std::string& what, pid_t pid) {
    log::info(what, {{"meeting", meeting}, {"pid", std::int64_t{pid}}});
  };
  media.emplace(loop, std::move(m));
  SpeechProcessOptions s;
  s.executable = executable;
  s.args = {"speech", "--fd", "3"};
  if (!config.speech_models.empty()) s.args.insert(s.args.end(), {"--models", config.speech_models});
  if (!config.speech_model_dir.empty()) s.args.insert(s.args.end(), {"--model", config.speech_model_dir});
  s.log = [](const std::string& what, pid_t pid) { log::info(what, {{"pid", std::int64_t{pid}}}); };
  speech.emplace(loop, std::move(s));
}

Result<void> App::Impl::open_http() {
  server.emplace(loop, *hub);
  auto bound = server->listen(config.listen_address, config.listen_port);
  if (!bound) return pass(bound);
  port = *bound;
  const DaemonInfo info{::getpid(), config.listen_address, port};
  return write_file(daemon_info_path(config.data_dir), json_text(info) + "\n", 0600);
}

/// The addresses that a person has named by hand may be asked, wherever they are.
void App::Impl::trust_meetings() {
  engine->for_each([this](const std::string&, const flow::State& state) {
    const auto* m = std::get_if<flow::MeetingState>(&state);
    if (m != nullptr && m->spec.by_hand) http_client->allow(m->spec.url);
  });
}

void App::Impl::published(const host::LiveRecord& record) {
  if (const auto* state = std::get_if<flow::StateRecord>(&record.record)) {
    log::info("meeting state",
              {{"meeting", record.aggregate}, {"state", enum_name(state->state)}, {"code", enum_name(state->code)}});
  } else if (const auto* calendar = std::get_if<flow::CalendarRecord>(&record.record)) {
    const auto level = calendar->state == "ok" ? log::Level::kInfo : log::Level::kWarning;
    log::write(level, "calendar",
               {{"source", calendar->source},
                {"state", calendar->state},
                {"detail", calendar->detail},
                {"meetings", std::int64_t{calendar->meetings}}});
  }
  hub->publish(record);
  if (on_event) on_event(live_event(record));
}

api::Context App::Impl::api_context() {
  const std::string suffix = ":" + std::to_string(port);
  std::vector<std::string> hosts{"127.0.0.1" + suffix, "localhost" + suffix, "[::1]" + suffix};
  const bool v6 = config.listen_address.find(':') != std::string::npos;
  hosts.push_back((v6 ? "[" + config.listen_address + "]" : config.listen_address) + suffix);
  for (const auto& name : config.allowed_names) {
    hosts.push_back(to_lower(name));
    hosts.push_back(to_lower(name) + suffix);
  }
  api::Context out{.store = *store, .token = token, .hosts = std::move(hosts)};
  out.status = [this] { return status(); };
  out.last_seq = [this] { return hub->last_seq(); };
  out.push = [this](const std::string& source, const calendar::PushRequest& request) { return calendars->push(source, request); };
  out.calendars = [this] { return calendars->list(); };
  out.reload_calendars = [this] { return calendars->reload(); };
  out.sync_calendars = [this](const std::string& id) { return calendars->sync(id); };
  out.decide_task = [this](const std::string& key, bool retry) { return decide_task(*engine, key, retry); };
  out.refused = [this] { refusals.count(); };
  out.stop = [this](const std::string& word) -> Result<Json> {
    const auto how = enum_value<OnStop>(word);
    if (!how) return fail(ErrorClass::kInvalid, kArea, "'how' must be \"finish\", \"leave\" or \"hand_over\"");
    stopping->ask(*how, audit::kByApi);
    return stopping->status();
  };
  return out;
}

/// Waits, does what has come up, commits it.
Result<void> App::Impl::turn() {
  Duration wait = kLongestWait;
  if (const auto deadline = engine->next_deadline()) wait = std::clamp(*deadline - clock.now(), Duration{0}, wait);
  if (executor->has_backlog()) wait = std::min(wait, kBacklogWait);
  loop.turn(wait);
  if (executor->has_backlog()) executor->poll();
  if (const Duration now = clock.monotonic(); now - health_seen >= kHealthEvery) {
    health_seen = now;
    health_log.look(executor->health());
  }
  if (const auto refused = refusals.due(clock.now(), clock.monotonic())) engine->audit(*refused);
  auto drained = engine->drain();
  if (drained) {
    if (store_failing && !engine->store_failing()) log::info("the store is written again");
    store_failing = engine->store_failing();
    if (!store_failing) keep_anchor(false);
    return {};
  }
  const ErrorClass code = drained.error().code;
  if (!retryable(code) && code != ErrorClass::kExhausted) return drained;
  // The engine keeps its queue and tries again by itself; nothing is released meanwhile.
  if (!std::exchange(store_failing, true)) log::error("the store cannot be written", {{"detail", drained.error().detail}});
  return {};
}

void App::Impl::keep_anchor(bool now) {
  const bool failed = anchors.failing();
  const auto kept = anchors.keep(*store, clock, now);
  if (!kept && !failed) log::warning("the head of the audit log could not be kept", {{"detail", kept.error().detail}});
  if (failed && !anchors.failing()) log::info("the head of the audit log is kept again");
}

void App::Impl::signalled() {
  if (on_signal) return std::exchange(on_signal, nullptr)();
  if (stopping->signal()) return;
  log::warning("ending at once: the third signal");
  ::_exit(1);
}

/// Goes without a word to the meetings: the next daemon takes them up. What the children still say is committed, so that no
/// captured audio and no final is lost; an attempt to send a task gets the time to be answered.
void App::Impl::hand_over() {
  stopping->end(!no_recognizer());
  if (server) server->close();
  bool left_all = false;
  media->shut_down([&left_all] { left_all = true; });
  const Duration limit = clock.monotonic() + kLongestGoodbye;
  while ((!left_all || sending(*engine)) && clock.monotonic() < limit) {
    loop.turn(milliseconds(100));
    if (executor->has_backlog()) executor->poll();
    if (!engine->drain()) break;
  }
  if (const auto refused = refusals.rest(clock.now())) engine->audit(*refused);
  engine->audit(stopping->act());
  if (const auto last = engine->drain(); !last || engine->store_failing()) {
    log::warning("the store cannot be written: the audit log does not say how this daemon ended");
  } else {
    keep_anchor(true);
  }
  ::unlink(daemon_info_path(config.data_dir).c_str());
  log::info("stopped");
}

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
App::~App() = default;

Result<std::unique_ptr<App>> App::open(AppOptions options) {
  std::unique_ptr<App> app(new App(std::make_unique<Impl>(std::move(options))));
  Impl& impl = *app->impl_;
  if (auto r = impl.open(); !r) return pass(r);
  if (impl.server) {
    api::Context context = impl.api_context();
    App* self = app.get();
    context.join = [self](const Json& body) {
      return self->join({body.text_or("url"), body.text_or("title"), body.text_or("token")});
    };
    context.post = [self](const std::string& meeting, flow::Event event) { return self->post(meeting, std::move(event)); };
    impl.server->serve(std::move(context));
  }
  return app;
}

std::string App::page_url() const {
  if (!impl_->server) return "";
  const std::string& a = impl_->config.listen_address;
  const std::string host = a.find(':') != std::string::npos ? "[" + a + "]" : a;
  return "http://" + host + ":" + std::to_string(impl_->port) + "/#token=" + impl_->token;
}

Result<std::string> App::join(const JoinRequest& request) {
  if (impl_->stopping->asked()) {
    return fail(ErrorClass::kUnavailable, "join",
                "hansard is stopping and joins nothing new: wait until it runs again, then join");
  }
  auto spec = read_join_request(request, impl_->clock.now());
  if (!spec) return pass(spec);
  // A meeting that is already attended is not joined twice.
  std::optional<std::string> running;
  impl_->engine->for_each([&](const std::string& id, const flow::State& state) {
    const auto* m = std::get_if<flow::MeetingState>(&state);
    if (m != nullptr && meeting::wants_media(m->state) && m->spec.platform == spec->platform &&
        m->spec.meeting_key == spec->meeting_key)
      running = id;
  });
  if (running) return *running;
  impl_->http_client->allow(spec->url);
  const std::string id = flow::meeting_id(spec->platform, spec->meeting_key, spec->start);
  impl_->engine->post(id, flow::MeetingSeen{id, std::move(*spec), impl_->config.meeting, random_seed()}, {}, impl_->person());
  return id;
}

bool App::post(const std::string& meeting, flow::Event event) {
  if (find(meeting) == nullptr) return false;
  impl_->engine->post(meeting, std::move(event), {}, impl_->person());
  return true;
}

const flow::MeetingState* App::find(const std::string& meeting) const {
  const flow::State* state = impl_->engine->find(meeting);
  return state == nullptr ? nullptr : std::get_if<flow::MeetingState>(state);
}

Store& App::store() { return *impl_->store; }
void App::on_event(std::function<void(const LiveEvent&)> f) { impl_->on_event = std::move(f); }
void App::on_signal(std::function<void()> f) { impl_->on_signal = std::move(f); }
void App::stop() { impl_->stopping->ask(OnStop::kHandOver, impl_->person()); }

Result<void> App::run() {
  impl_->loop.on_stop_signal([this](int) { impl_->signalled(); });
  while (!impl_->stopping->due(!impl_->no_recognizer())) {
    if (auto r = impl_->turn(); !r) return r;
  }
  impl_->hand_over();
  return {};
}

}  // namespace hansard
