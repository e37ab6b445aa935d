#pragma once
// The live stream: committed rows in the order of their sequence numbers, and partial results between them. A viewer has
// a cursor, not a queue: rows wait in the store, so a slow or returning viewer costs no memory and misses none.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "host/engine.h"
#include "host/executor.h"
#include "ports/store.h"

namespace hansard {

struct LiveEvent {
  std::uint64_t seq = 0;  ///< 0: a partial result, which cannot be asked for again
  std::string kind;
  std::string body;  ///< one JSON object: {"meeting", "seq"?, "at_unix_ms"?, ...members of the record}
};

LiveEvent live_event(const host::LiveRecord& record);
LiveEvent live_event(const host::LivePartial& partial);
/// As server-sent events write it.
std::string sse_text(const LiveEvent& event);

class LiveHub {
 public:
  using ViewerId = std::uint64_t;

  /// `last_seq`: the newest row already in the store.
  LiveHub(Store& store, std::uint64_t last_seq) : store_(store), recent_after_(last_seq), last_seq_(last_seq) {}

  void publish(const host::LiveRecord& record);
  void publish(const host::LivePartial& partial);

  /// `wake` is called (never from inside this call) when next() has something for the viewer.
  ViewerId add(std::uint64_t after, std::function<void()> wake);
  void remove(ViewerId viewer) { viewers_.erase(viewer); }
  std::size_t viewers() const { return viewers_.size(); }

  /// The next piece of text for the viewer, empty when there is nothing. Rows are taken in pieces of a bounded size.
  /// Errors: those of the store; the viewer must be dropped then.
  Result<std::string> next(ViewerId viewer);

  std::uint64_t last_seq() const { return last_seq_; }

 private:
  struct Viewer {
    std::uint64_t cursor = 0;
    std::map<std::string, std::string> partials;  ///< newest text by meeting and participant
    std::function<void()> wake;
  };
  Result<void> read_stored(Viewer& viewer, std::string& out);

  Store& store_;
  std::deque<std::pair<std::uint64_t, std::string>> recent_;  ///< rows after `recent_after_`, as text
  std::uint64_t recent_after_;
  std::uint64_t last_seq_;
  std::map<ViewerId, Viewer> viewers_;
  ViewerId last_viewer_ = 0;
};

}  // namespace hansard
