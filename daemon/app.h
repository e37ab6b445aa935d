#pragma once
// The composition root: the only place that knows every adapter. One thread: the loop, the engine and all callbacks.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/flow/step.h"
#include "daemon/config.h"
#include "daemon/data_dir.h"
#include "daemon/join_request.h"
#include "daemon/live.h"

namespace hansard {

struct AppOptions {
  Config config;
  std::string executable;  ///< of the children; empty: this program
  bool http = true;
};

class App {
 public:
  /// Opens everything. Errors name what to change: another daemon on the same data_dir, port in use, unreadable store ...
  static Result<std::unique_ptr<App>> open(AppOptions options);
  ~App();

  /// The address of the page with its token, empty without HTTP. A secret.
  std::string page_url() const;

  /// The id of the meeting. Errors: kInvalid.
  Result<std::string> join(const JoinRequest& request);
  /// False when there is no such living meeting.
  bool post(const std::string& meeting, flow::Event event);
  /// The living meeting, nullptr when it is over.
  const flow::MeetingState* find(const std::string& meeting) const;
  Store& store();

  /// Called for each live event.
  void on_event(std::function<void(const LiveEvent&)> f);
  /// Called for the first SIGINT or SIGTERM instead of what the configuration says of it.
  void on_signal(std::function<void()> f);

  /// Runs until stop() or a signal, as daemon/stopping.h says; at the end what is left of the meetings is handed over. Errors:
  /// the store's (disk full is waited out, a lost ownership is not).
  Result<void> run();
  /// Hands over at once.
  void stop();

 private:
  struct Impl;
  explicit App(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What a running daemon leaves in its data_dir for the commands.
struct DaemonInfo {
  std::int64_t pid = 0;
  std::string address;
  std::uint16_t port = 0;
  static constexpr auto fields =
      std::make_tuple(field("pid", &DaemonInfo::pid), field("address", &DaemonInfo::address), field("port", &DaemonInfo::port));
};

/// Folder of the program's data files (share/): beside the executable, installed, or in the source tree. Empty: not found.
std::string find_share_file(const std::string& name);

}  // namespace hansard
