#pragma once
// A media process for each meeting, as a MediaSource.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/children/child.h"
#include "ipc/messages.h"
#include "ports/media_source.h"

namespace hansard {

/// Meetings at once. One more counts as lost until another has ended; the flow tries again with its delays.
constexpr std::size_t kMaxMeetings = 64;

struct MediaProcessOptions {
  std::string executable;
  std::vector<std::string> args{"media", "capture", "--fd", "3"};
  /// Audio that may be on its way from a media process: half a minute of one participant.
  std::uint32_t credit_bytes = 1 << 20;
  /// For a polite goodbye before the process is killed.
  Duration leave_limit = seconds(4);
  std::function<void(const std::string& meeting, const std::string& what, pid_t pid)> log;
};

class MediaProcesses final : public MediaSource {
 public:
  MediaProcesses(Loop& loop, MediaProcessOptions options);
  ~MediaProcesses() override;

  void listen(MediaListener* listener) override { listener_ = listener; }
  void start(const MediaJoin& join) override;
  void capture(const std::string& meeting, std::uint32_t epoch, Duration origin) override;
  void pause(const std::string& meeting, std::uint32_t epoch) override;
  void stop(const std::string& meeting, std::uint32_t epoch) override;

  /// Leaves every meeting without a word to the listener about it: the host ends, the meetings do not. Audio that is still
  /// delivered reaches the listener. `done` is called when all processes are gone, at most leave_limit later.
  void shut_down(std::function<void()> done);

  /// Process ids by meeting, for `status` and tests.
  std::map<std::string, pid_t> pids() const;

 private:
  struct Session;
  void on_frame(Session& session, ipc::Frame frame);
  void on_message(Session& session, ipc::FromMedia message);
  void on_status(Session& session, const ipc::MediaStatus& status);
  void on_gone(Session& session);
  void leave(Session& session);
  void tell(Session& session, const MediaNews& news);
  void remove(Session& session);
  Session* find(const std::string& meeting, std::uint32_t epoch);

  Loop& loop_;
  MediaProcessOptions options_;
  MediaListener* listener_ = nullptr;
  std::map<std::string, std::unique_ptr<Session>> sessions_;  ///< the current one of each meeting
  std::vector<std::unique_ptr<Session>> leaving_;             ///< replaced ones on their way out, told to nobody
  bool shutting_down_ = false;
  std::function<void()> shut_down_;
};

}  // namespace hansard
