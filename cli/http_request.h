#pragma once
// A small blocking HTTP/1.1 client for servers of our own on this machine.
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace hansard::cli {

struct LocalReply {
  int status = 0;
  std::string body;
};

struct LocalRequest {
  std::string address;  ///< IP address
  std::uint16_t port = 0;
  std::string method = "GET";
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

/// Errors: kUnavailable (nobody answers, or the answer breaks off).
Result<LocalReply> local_request(const LocalRequest& request);

/// Gives the pieces of the answer's body to `take` as they come, and an empty one about every 200 ms without any; ends
/// when `take` returns false or the answer ends. Errors: kUnavailable, kDenied (a status other than 200).
Result<void> local_stream(const LocalRequest& request, const std::function<bool(std::string_view)>& take);

}  // namespace hansard::cli
