#pragma once
#include "adapters/children/media_processes.h"
#include "adapters/children/speech_process.h"
#include "core/base/json.h"
#include "daemon/calendars.h"
#include "daemon/config.h"
#include "daemon/live.h"
#include "daemon/stopping.h"
#include "host/engine.h"
#include "host/executor.h"

namespace hansard {

/// What GET /api/status is made from.
struct StatusParts {
  const Config& config;
  Instant started;  ///< of this daemon
  const host::Engine& engine;
  const host::Executor& executor;
  const MediaProcesses& media;
  const SpeechProcess& speech;
  const Calendars& calendars;
  const LiveHub& hub;
  const Stopping& stopping;
  bool store_failing = false;
};

/// {"version","pid","since","data_dir","output_dir","recognizer":{"ready","model","detail","pid"},"calendars":[...],
/// "meetings":[those ahead and running, with "media_pid","behind_ms","behind","audio_kept","note" where there is something to
/// say],"viewers","last_seq","encrypted_at_rest","store"?,"stopping"?}. Times are RFC 3339.
Json status_view(const StatusParts& parts);

}  // namespace hansard
