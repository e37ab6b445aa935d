#pragma once
// The daemon's calendars: those of the configuration and those that were connected, each an aggregate "calendar:ID".
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/calendar/sources/source.h"
#include "daemon/asio_loop.h"
#include "daemon/config.h"
#include "host/engine.h"
#include "host/executor.h"
#include "ports/secrets.h"

namespace hansard {

class Calendars {
 public:
  struct Parts {
    host::Engine& engine;
    host::Executor& executor;
    SecretStore& secrets;
    Store& store;
    const Clock& clock;
    AsioLoop& loop;
  };
  /// `config` must outlive this; reload() changes its calendars and rules.
  Calendars(Config& config, Parts parts) : config_(config), parts_(parts) {}

  /// Tells the flow which calendars there are, and which of a run before are no more. Call after Engine::start. `by`: on whose
  /// word, a kind of core/audit/chain.h.
  void begin(std::string_view by = audit::kByDaemon);
  /// Reads the configuration file (its calendars and [attend]) and the connections again; all calendars are scanned.
  /// Answers as list(). Errors: those of the configuration file; nothing has changed then.
  Result<Json> reload();
  /// Asks for a scan now, of all calendars when `id` is empty: [{"id", "scans"}], the scans that had ended before; a greater
  /// number later means that the answer is there. Errors: kNotFound.
  Result<Json> sync(const std::string& id);
  /// See calendars_view().
  Result<Json> list() const;
  /// [{"id", "state", "detail", "meetings"}], for `status`.
  Json status() const;
  /// A vendor's push for a source.
  calendar::PushAnswer push(const std::string& id, const calendar::PushRequest& request);

 private:
  std::vector<flow::CalendarSource> sources() const;
  void scan_soon(const std::string& id);

  Config& config_;
  Parts parts_;
  std::map<std::string, Instant> hinted_;  ///< when a push last led to a scan of the source
  std::set<std::string> hints_;            ///< sources whose next scan by push waits
};

}  // namespace hansard
