#include "adapters/curl/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <deque>
#include <map>

#include "adapters/curl/guard.h"
#include "core/base/text.h"

namespace hansard {
namespace {

constexpr std::string_view kArea = "http";
constexpr std::size_t kMaxHeaderBytes = 256 << 10;

struct Transfer {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  HttpRequest request;
  UrlParts url;
  bool trusted = false;
  bool blocked = false;
  bool too_large = false;
  int redirects = 0;
  std::size_t header_bytes = 0;
  HttpResponse response;
  std::function<void(Result<HttpResponse>)> done;

  ~Transfer() {
    curl_slist_free_all(headers);
    if (easy != nullptr) curl_easy_cleanup(easy);
  }
};

std::size_t take_body(char* data, std::size_t size, std::size_t n, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  if (t.response.body.size() + size * n > t.request.max_bytes) {
    t.too_large = true;
    return 0;
  }
  t.response.body.append(data, size * n);
  return size * n;
}

std::size_t take_header(char* data, std::size_t size, std::size_t n, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  const std::string_view line = trim(std::string_view(data, size * n));
  t.header_bytes += size * n;
  if (t.header_bytes > kMaxHeaderBytes) {
    t.too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) t.response.headers.clear();  // a 1xx answer came before
  const auto colon = line.find(':');
  if (colon != std::string_view::npos)
    t.response.headers.emplace_back(to_lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  return size * n;
}

curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& t = *static_cast<Transfer*>(user);
  if (!t.trusted && is_private_address(&address->addr)) {
    t.blocked = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// What to tell a person; never the URL, which is a secret.
std::string explain(CURLcode code, const UrlParts& url) {
  const std::string host = url.host + ":" + std::to_string(url.port);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "the name " + url.host + " cannot be resolved; check the address and the network";
    case CURLE_COULDNT_CONNECT: return "nothing answers at " + host + "; check the address and that the server runs";
    case CURLE_OPERATION_TIMEDOUT: return host + " did not answer in time";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "the certificate of " + host +
             " does not verify: is the address right, and the certificate neither expired nor self-made?";
    case CURLE_BAD_CONTENT_ENCODING: return "the answer of " + host + " is damaged: its compression cannot be undone";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING: return host + " broke off its answer";
    default: return "the request to " + host + " failed: " + curl_easy_strerror(code);
  }
}

}  // namespace

struct CurlClient::Impl {
  Impl(Loop& l, CurlOptions o) : loop(l), options(std::move(o)), guard(options.allowed_hosts) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  }
  ~Impl() {
    *alive = false;
    waiting.clear();
    for (auto& [easy, _] : transfers) curl_multi_remove_handle(multi, easy);
    transfers.clear();
    curl_multi_cleanup(multi);
    if (timer != 0) loop.cancel(timer);
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* user, void*) {
    auto& self = *static_cast<Impl*>(user);
    if (what == CURL_POLL_REMOVE) {
      self.loop.unwatch(fd);
      return 0;
    }
    self.loop.watch(fd, what != CURL_POLL_OUT, what != CURL_POLL_IN, [&self, fd](bool readable, bool writable) {
      self.act(fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
    });
    return 0;
  }

  static int on_timer(CURLM*, long ms, void* user) {
    auto& self = *static_cast<Impl*>(user);
    if (self.timer != 0) self.loop.cancel(std::exchange(self.timer, 0));
    if (ms >= 0) {
      self.timer = self.loop.after({ms}, [&self] {
        self.timer = 0;
        self.act(CURL_SOCKET_TIMEOUT, 0);
      });
    }
    return 0;
  }

  void act(curl_socket_t fd, int events) {
    int running = 0;
    curl_multi_socket_action(multi, fd, events, &running);
    int left = 0;
    std::vector<std::pair<CURL*, CURLcode>> finished;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) finished.emplace_back(message->easy_handle, message->data.result);
    }
    const auto still = alive;
    for (const auto& [easy, code] : finished) {
      finish(easy, code);
      if (!*still) return;
    }
    begin_waiting();
  }

  bool full() const { return transfers.size() >= static_cast<std::size_t>(options.max_requests); }

  void begin_waiting() {
    while (!waiting.empty() && !full()) {
      auto next = std::move(waiting.front());
      waiting.pop_front();
      begin(std::move(next));
    }
  }

  void begin(std::unique_ptr<Transfer> owned) {
    Transfer& t = *owned;
    t.easy = curl_easy_init();
    t.trusted = guard.trusts(t.url);
    CURL* e = t.easy;
    std::string url = t.request.url;
    if (starts_with_ignore_case(url, "webcal://")) url = "https" + url.substr(6);
    curl_easy_setopt(e, CURLOPT_URL, url.c_str());
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    // A proxy would connect where the guard cannot look.
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, static_cast<long>(t.request.timeout.ms));
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min<std::int64_t>(t.request.timeout.ms, 10'000)));
    curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(e, CURLOPT_USERAGENT, options.user_agent.c_str());
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, &t);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, &t);
    // A reused connection would not be checked again.
    curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    if (t.request.method != "GET") curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t.request.method.c_str());
    if (!t.request.body.empty() || t.request.method == "POST" || t.request.method == "PUT" || t.request.method == "PATCH") {
      curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.request.body.size()));
      curl_easy_setopt(e, CURLOPT_POSTFIELDS, t.request.body.data());
    }
    if (t.request.method == "HEAD") curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    for (const auto& [name, value] : t.request.headers) {
      // A line break would start a header of somebody else's making.
      if ((name + value).find_first_of("\r\n") != std::string::npos) continue;
      t.headers = curl_slist_append(t.headers, (name + ": " + value).c_str());
    }
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, t.headers);
    transfers[e] = std::move(owned);
    curl_multi_add_handle(multi, e);
  }

  void finish(CURL* easy, CURLcode code) {
    const auto it = transfers.find(easy);
    if (it == transfers.end()) return;
    const auto t = std::move(it->second);
    transfers.erase(it);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi, easy);
    if (t->blocked) {
      return t->done(
          fail(ErrorClass::kDenied, kArea,
               t->url.host + " is a private address; name it in http.allow_hosts of the configuration if it is yours"));
    }
    if (t->too_large)
      return t->done(fail(ErrorClass::kExhausted, kArea, "the answer of " + t->url.host + " is too large and was not read"));
    if (code != CURLE_OK) return t->done(fail(ErrorClass::kUnavailable, kArea, explain(code, t->url)));
    t->response.status = static_cast<int>(status);
    const bool moved = status >= 300 && status < 400 && status != 304;
    if (moved && t->request.follow_redirects && (t->request.method == "GET" || t->request.method == "HEAD")) return redirect(*t);
    t->done(std::move(t->response));
  }

  void redirect(Transfer& t) {
    std::string location;
    for (const auto& [name, value] : t.response.headers) {
      if (name == "location") location = value;
    }
    if (location.empty()) return t.done(std::move(t.response));
    if (t.redirects >= options.max_redirects)
      return t.done(fail(ErrorClass::kUnavailable, kArea, t.url.host + " redirects in circles"));
    const auto target = resolve_location(t.request.url, location);
    if (!target) return t.done(fail(ErrorClass::kDenied, kArea, t.url.host + " redirects to an address that is not read"));
    auto next = std::make_unique<Transfer>();
    next->request = std::move(t.request);
    next->request.url = *target;
    next->url = *read_url(*target);
    next->redirects = t.redirects + 1;
    next->done = std::move(t.done);
    if (t.url.scheme == "https" && next->url.scheme == "http") {
      return next->done(fail(ErrorClass::kDenied, kArea, t.url.host + " redirects from https to http, which is not followed"));
    }
    if (next->url.origin() != t.url.origin()) {
      std::erase_if(next->request.headers, [](const auto& h) {
        return equals_ignore_case(h.first, "authorization") || equals_ignore_case(h.first, "cookie");
      });
    }
    begin(std::move(next));
  }

  Loop& loop;
  CurlOptions options;
  AddressGuard guard;
  CURLM* multi = nullptr;
  Loop::TimerId timer = 0;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers;
  std::deque<std::unique_ptr<Transfer>> waiting;  ///< their time-out begins when they do
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

CurlClient::CurlClient(Loop& loop, CurlOptions options) : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
CurlClient::~CurlClient() = default;

void CurlClient::allow(const std::string& url) {
  const auto parts = read_url(url);
  if (!parts || impl_->guard.trusts(*parts)) return;
  const bool v6 = parts->host.find(':') != std::string::npos;
  impl_->guard.allow((v6 ? "[" + parts->host + "]" : parts->host) + ":" + std::to_string(parts->port));
}

void CurlClient::send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) {
  auto parts = read_url(request.url);
  const bool refused = impl_->full() && impl_->waiting.size() >= static_cast<std::size_t>(impl_->options.max_waiting);
  if (!parts || refused) {
    Error error = parts ? Error{ErrorClass::kUnavailable, kArea, "too many requests at the same time"} : parts.error();
    impl_->loop.post([done = std::move(done), error = std::move(error)] { done(std::unexpected(error)); });
    return;
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->url = std::move(*parts);
  transfer->done = std::move(done);
  if (impl_->full()) {
    impl_->waiting.push_back(std::move(transfer));
  } else {
    impl_->begin(std::move(transfer));
  }
}

}  // namespace hansard
