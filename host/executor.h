#pragma once
// Carries the flow's effects out over the ports and turns what comes back into events.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/analysis/model.h"
#include "core/calendar/sources/source.h"
#include "core/flow/step.h"
#include "host/effect_runner.h"
#include "host/engine.h"
#include "host/task_sink.h"
#include "ports/audio_spool.h"
#include "ports/files.h"
#include "ports/http_client.h"
#include "ports/media_source.h"
#include "ports/secrets.h"
#include "ports/signer.h"
#include "ports/speech_recognizer.h"

namespace hansard::host {

/// A partial result on its way to viewers: never stored.
struct LivePartial {
  std::string meeting;
  std::string participant;
  std::string speaker;
  MediaTime start;
  MediaTime end;
  std::string text;
};

struct ExecutorPorts {
  const Clock& clock;
  Store& store;
  HttpClient& http;
  MediaSource& media;
  SpeechRecognizer& speech;
  AudioSpool& spool;
  Files& files;
  SecretStore& secrets;
  Signer& signer;
};

struct ExecutorConfig {
  std::shared_ptr<const analysis::Model> analysis_model;  ///< needed once there is something to analyse
  std::vector<std::string> generic_hosts;     ///< host or host:port of WHEP endpoints and rooms that calendars may name
  std::vector<std::string> own_addresses;     ///< mail addresses of the calendars' owner: their "declined" counts
  std::uint64_t min_free_bytes = 200u << 20;  ///< below this no recording is begun
  /// TZif bytes of an IANA zone, nothing when unknown.
  std::function<std::optional<std::string>(std::string_view)> read_zone;
  std::string local_zone = "UTC";  ///< IANA name: for floating times and for "by Friday"
  calendar::SourceEnvironment sources;
  std::map<std::string, std::shared_ptr<TaskSink>> sinks;  ///< by the name in the configuration
  /// So many random bytes, for ids and tokens that vendors see.
  std::function<std::string(std::size_t)> entropy;
};

class Executor final : public EffectRunner {
 public:
  Executor(ExecutorPorts ports, ExecutorConfig config);
  ~Executor() override;
  /// Must be called once before the engine starts.
  void connect(Engine& engine);

  void run(const std::string& aggregate, const std::string& key, const flow::Effect& effect) override;

  MediaTime captured_until(const std::string& meeting) override;

  /// A request that reached the push address of calendar source `id`.
  calendar::PushAnswer push(const std::string& id, const calendar::PushRequest& request);

  /// Goes on with what could not be done at once (audio behind a busy recognizer). While has_backlog(), call it about
  /// every 50 ms and after the recognizer has answered; it never blocks.
  void poll();
  bool has_backlog() const;

  /// What a person should know of a recording that runs, by meeting.
  struct Health {
    Duration behind;          ///< of the recognizer (Recording::behind)
    bool far_behind = false;  ///< so far that its owner was told, and not yet caught up
    bool unwritable = false;  ///< audio does not reach the disk
  };
  std::map<std::string, Health> health() const;

  void on_partial(std::function<void(const LivePartial&)> f);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hansard::host
