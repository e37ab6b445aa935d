#pragma once
// libcurl's multi interface on the loop, as the one guarded HttpClient. The check is made on the very address that a
// socket is about to be connected to, so that a name cannot change its address in between.
#include <memory>
#include <string>
#include <vector>

#include "ports/http_client.h"
#include "ports/loop.h"

namespace hansard {

struct CurlOptions {
  std::vector<std::string> allowed_hosts;  ///< "host" or "host:port" that may lie in private ranges
  std::string user_agent = "hansard";
  int max_redirects = 5;
  int max_requests = 64;    ///< at the same time; further ones wait, in order
  int max_waiting = 4'096;  ///< beyond this they fail
};

class CurlClient final : public HttpClient {
 public:
  CurlClient(Loop& loop, CurlOptions options);
  ~CurlClient() override;
  void send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) override;

  /// A person has named this URL by hand: its host and port may lie in private ranges from now on.
  void allow(const std::string& url);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hansard
