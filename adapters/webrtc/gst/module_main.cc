// What the program loads: one function. argv[0] is the role.
#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include "adapters/webrtc/gst/options.h"
#include "adapters/webrtc/gst/peer.h"
#include "adapters/webrtc/gst/roles.h"
#include "adapters/webrtc/gst/room.h"

extern "C" __attribute__((visibility("default"))) int hansard_media_main(int argc, char** argv) {
  using namespace hansard::webrtc;
  const std::string role = argc > 0 ? argv[0] : "";
  const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (role == "check") {
      const auto ready = init_gstreamer();
      return ready ? 0 : complain(ready.error().detail, 1);
    }
    if (role == "capture") return run_capture(args);
    if (role == "room") return run_room(args);
    if (role == "publish") return run_publish(args);
    if (role == "decode") return run_decode(args);
  } catch (const std::exception& e) {
    return complain(std::string("internal error: ") + e.what(), 1);
  }
  return complain("the media module knows the roles capture, room, publish, decode and check", 2);
}
