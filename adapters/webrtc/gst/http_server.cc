#include "adapters/webrtc/gst/http_server.h"

#include <libsoup/soup.h>

#include <cstdlib>

#include "adapters/webrtc/gst/loop.h"
#include "core/base/text.h"

namespace hansard::webrtc {
namespace {

constexpr int kMaxUnreadEvents = 500;

std::string request_header(SoupServerMessage* message, const char* name) {
  const char* value = soup_message_headers_get_one(soup_server_message_get_request_headers(message), name);
  return value != nullptr ? value : "";
}

bool is_loopback_origin(const std::string& origin) {
  GUri* uri = g_uri_parse(origin.c_str(), G_URI_FLAGS_NONE, nullptr);
  if (uri == nullptr) return false;
  const std::string host = g_uri_get_host(uri) != nullptr ? g_uri_get_host(uri) : "";
  g_uri_unref(uri);
  return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

/// A page of another site must not steer a server on this machine: only loopback pages and our own may.
bool origin_allowed(SoupServerMessage* message) {
  const std::string origin = request_header(message, "Origin");
  if (origin.empty() || is_loopback_origin(origin)) return true;
  const std::string host = request_header(message, "Host");
  return origin == "http://" + host || origin == "https://" + host;
}

class SoupResponder final : public Responder, public std::enable_shared_from_this<SoupResponder> {
 public:
  explicit SoupResponder(SoupServerMessage* message) : message_(SOUP_SERVER_MESSAGE(g_object_ref(message))) {
    const auto gone = [](SoupServerMessage*, gpointer self) { static_cast<SoupResponder*>(self)->finished(); };
    finished_id_ = g_signal_connect(message_, "finished", G_CALLBACK(+gone), this);
    // libsoup 3.2 keeps an idle connection whose client was killed for ever: one request a connection.
    soup_message_headers_replace(soup_server_message_get_response_headers(message_), "Connection", "close");
  }
  ~SoupResponder() override {
    if (!answered_) reply(500, "text/plain", "", {});
    g_signal_handler_disconnect(message_, finished_id_);
    if (wrote_id_ != 0) g_signal_handler_disconnect(message_, wrote_id_);
    g_object_unref(message_);
  }

  /// To be called when the handler has returned: without a reply yet, the message waits for one.
  void pause_if_open() {
    if (answered_) return;
    paused_ = true;
    soup_server_message_pause(message_);
  }

  void reply(int status, std::string_view content_type, std::string_view body, const Headers& headers) override {
    if (answered_) return;
    answered_ = true;
    if (gone_) return;
    add_headers(headers);
    soup_server_message_set_status(message_, static_cast<guint>(status), nullptr);
    if (!body.empty() || status == 200) {
      soup_server_message_set_response(message_, std::string(content_type).c_str(), SOUP_MEMORY_COPY, body.data(), body.size());
    }
    if (paused_) soup_server_message_unpause(message_);
  }

  void begin_events(std::function<void()> closed) override {
    answered_ = true;
    closed_ = std::move(closed);
    if (gone_) return;
    SoupMessageHeaders* headers = soup_server_message_get_response_headers(message_);
    add_headers({{"Cache-Control", "no-store"}, {"Content-Type", "text/event-stream"}});
    soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
    soup_message_body_set_accumulate(soup_server_message_get_response_body(message_), FALSE);
    soup_server_message_set_status(message_, 200, nullptr);
    const auto wrote = [](SoupServerMessage*, gpointer self) { --static_cast<SoupResponder*>(self)->unread_; };
    wrote_id_ = g_signal_connect(message_, "wrote-chunk", G_CALLBACK(+wrote), this);
    streaming_ = true;
  }

  bool send_event(const Json& event) override {
    if (gone_ || !streaming_) return false;
    if (++unread_ > kMaxUnreadEvents) return false;
    const std::string text = "data: " + event.dump() + "\n\n";
    soup_message_body_append(soup_server_message_get_response_body(message_), SOUP_MEMORY_COPY, text.data(), text.size());
    soup_server_message_unpause(message_);
    return true;
  }

  void end_events() override {
    if (gone_ || !streaming_) return;
    streaming_ = false;
    closed_ = nullptr;
    soup_message_body_complete(soup_server_message_get_response_body(message_));
    soup_server_message_unpause(message_);
  }

 private:
  void add_headers(const Headers& headers) {
    SoupMessageHeaders* out = soup_server_message_get_response_headers(message_);
    for (const auto& [name, value] : headers) soup_message_headers_replace(out, name.c_str(), value.c_str());
  }

  void finished() {
    gone_ = true;
    if (const auto closed = std::exchange(closed_, nullptr)) closed();
  }

  SoupServerMessage* message_;
  gulong finished_id_ = 0;
  gulong wrote_id_ = 0;
  bool answered_ = false;
  bool paused_ = false;
  bool gone_ = false;
  bool streaming_ = false;
  int unread_ = 0;
  std::function<void()> closed_;
};

class SoupHttpServer final : public HttpServer {
 public:
  explicit SoupHttpServer(Handler handler)
      : handler_(std::move(handler)), server_(soup_server_new("server-header", "hansard", nullptr)) {
    soup_server_add_early_handler(server_, nullptr, &SoupHttpServer::on_headers, this, nullptr);
    soup_server_add_handler(server_, nullptr, &SoupHttpServer::on_request, this, nullptr);
  }
  ~SoupHttpServer() override {
    soup_server_disconnect(server_);
    g_object_unref(server_);
  }

  Result<void> start(const std::string& address, unsigned port) {
    GSocketAddress* socket_address = g_inet_socket_address_new_from_string(address.c_str(), port);
    if (socket_address == nullptr) return fail(ErrorClass::kInvalid, "media", address + " is no IP address to listen on");
    GError* error = nullptr;
    const gboolean ok = soup_server_listen(server_, socket_address, static_cast<SoupServerListenOptions>(0), &error);
    g_object_unref(socket_address);
    if (!ok) {
      std::string text =
          "cannot listen on " + address + ":" + std::to_string(port) + ": " + (error != nullptr ? error->message : "");
      g_clear_error(&error);
      return fail(ErrorClass::kUnavailable, "media", text);
    }
    GSList* uris = soup_server_get_uris(server_);
    if (uris != nullptr) port_ = static_cast<unsigned>(g_uri_get_port(static_cast<GUri*>(uris->data)));
    g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
    return {};
  }
  unsigned port() const override { return port_; }

 private:
  // Runs when the headers are there: what is too long is never kept.
  static void on_headers(SoupServer*, SoupServerMessage* message, const char*, GHashTable*, gpointer) {
    SoupMessageHeaders* headers = soup_server_message_get_request_headers(message);
    if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH &&
        soup_message_headers_get_content_length(headers) > static_cast<goffset>(kMaxRequestBody)) {
      soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
      soup_server_message_set_status(message, 413, nullptr);
      return;
    }
    const auto chunk = [](SoupServerMessage* m, GBytes*, gpointer) {
      SoupMessageBody* body = soup_server_message_get_request_body(m);
      if (body->length <= static_cast<goffset>(kMaxRequestBody)) return;
      soup_message_body_truncate(body);
      soup_message_body_set_accumulate(body, FALSE);
      soup_server_message_set_status(m, 413, nullptr);
    };
    g_signal_connect(message, "got-chunk", G_CALLBACK(+chunk), nullptr);
  }

  static void on_request(SoupServer*, SoupServerMessage* message, const char* path, GHashTable* query, gpointer self) {
    if (soup_server_message_get_status(message) == 413) return;
    if (!origin_allowed(message)) {
      soup_server_message_set_status(message, 403, nullptr);
      return;
    }
    add_cors(message);
    const std::string method = soup_server_message_get_method(message);
    if (method == "OPTIONS") {
      SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
      soup_message_headers_replace(headers, "Accept-Post", "application/sdp");
      soup_server_message_set_status(message, 204, nullptr);
      return;
    }
    const auto responder = std::make_shared<SoupResponder>(message);
    static_cast<SoupHttpServer*>(self)->handler_(make_request(message, method, path, query), responder);
    responder->pause_if_open();
  }

  static void add_cors(SoupServerMessage* message) {
    const std::string origin = request_header(message, "Origin");
    if (origin.empty()) return;
    SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
    soup_message_headers_replace(headers, "Access-Control-Allow-Origin", origin.c_str());
    soup_message_headers_replace(headers, "Vary", "Origin");
    soup_message_headers_replace(headers, "Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD");
    soup_message_headers_replace(headers, "Access-Control-Allow-Headers", "Content-Type, Authorization, If-Match");
    soup_message_headers_replace(headers, "Access-Control-Expose-Headers", "Location, ETag, Link");
  }

  static ServerRequest make_request(SoupServerMessage* message, const std::string& method, const char* path, GHashTable* query) {
    ServerRequest request;
    request.method = method;
    for (const auto part : split(path, '/')) {
      if (part.empty()) continue;
      // An escaped slash stays inside its segment.
      gchar* decoded = g_uri_unescape_segment(part.data(), part.data() + part.size(), nullptr);
      request.path.push_back(decoded != nullptr ? sanitize_utf8(decoded) : "?");
      g_free(decoded);
    }
    SoupMessageBody* body = soup_server_message_get_request_body(message);
    GBytes* bytes = soup_message_body_flatten(body);
    gsize size = 0;
    const auto* text = static_cast<const char*>(g_bytes_get_data(bytes, &size));
    if (size > 0) request.body.assign(text, size);
    g_bytes_unref(bytes);
    std::string type = to_lower(request_header(message, "Content-Type"));
    request.content_type = trim(std::string_view(type).substr(0, type.find(';')));
    request.if_none_match = request_header(message, "If-None-Match");
    if (query != nullptr) {
      GHashTableIter it;
      gpointer key = nullptr;
      gpointer value = nullptr;
      g_hash_table_iter_init(&it, query);
      while (g_hash_table_iter_next(&it, &key, &value)) {
        request.query.emplace_back(static_cast<const char*>(key), sanitize_utf8(static_cast<const char*>(value)));
      }
    }
    return request;
  }

  Handler handler_;
  SoupServer* server_;
  unsigned port_ = 0;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const std::string& address, unsigned port, Handler handler) {
  auto server = std::make_unique<SoupHttpServer>(std::move(handler));
  if (auto r = server->start(address, port); !r) return pass(r);
  return server;
}

}  // namespace hansard::webrtc
