#include "adapters/webrtc/gst/http.h"

#include <libsoup/soup.h>

#include <utility>
#include <vector>

#include "adapters/webrtc/gst/loop.h"
#include "core/base/text.h"

namespace hansard::webrtc {
namespace {

constexpr std::size_t kMaxReply = 256 * 1024;
constexpr std::size_t kMaxEvent = 256 * 1024;
constexpr int kMaxRedirects = 3;
constexpr auto kUriFlags = static_cast<GUriFlags>(SOUP_HTTP_URI_FLAGS);

// Both sessions live as long as the process. No proxy: media would not pass it either.
SoupSession* session() {
  static SoupSession* const s =
      soup_session_new_with_options("timeout", 10u, "proxy-resolver", nullptr, "user-agent", "hansard ", nullptr);
  return s;
}
SoupSession* stream_session() {
  static SoupSession* const s = soup_session_new_with_options("timeout", 0u, "proxy-resolver", nullptr, "user-agent", "hansard ",
                                                              "max-conns-per-host", 64, nullptr);
  return s;
}

std::string header(SoupMessage* message, const char* name) {
  const char* value = soup_message_headers_get_one(soup_message_get_response_headers(message), name);
  return value != nullptr ? sanitize_utf8(value) : "";
}

SoupMessage* make_message(const HttpRequest& request) {
  SoupMessage* message = soup_message_new(request.method.c_str(), request.url.c_str());
  if (message == nullptr) return nullptr;
  soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
  if (!request.body.empty()) {
    GBytes* bytes = g_bytes_new(request.body.data(), request.body.size());
    soup_message_set_request_body_from_bytes(message, request.content_type.c_str(), bytes);
    g_bytes_unref(bytes);
  }
  if (!request.token.empty()) {
    const std::string bearer = "Bearer " + request.token;
    soup_message_headers_replace(soup_message_get_request_headers(message), "Authorization", bearer.c_str());
  }
  return message;
}

struct Exchange {
  HttpRequest request;
  std::function<void(Result<HttpReply>)> done;
  SoupMessage* message = nullptr;
  HttpReply reply;
  int redirects = 0;

  ~Exchange() { g_clear_object(&message); }
};

void start(Exchange* exchange);

void finish(Exchange* exchange, Result<HttpReply> result) {
  const auto done = std::move(exchange->done);
  delete exchange;
  done(std::move(result));
}

std::string take_error(GError* error) {
  std::string text = error != nullptr ? sanitize_utf8(error->message) : "unknown";
  g_clear_error(&error);
  return text;
}

void read_more(GInputStream* stream, Exchange* exchange);

void on_read(GObject* source, GAsyncResult* result, gpointer data) {
  auto* exchange = static_cast<Exchange*>(data);
  GError* error = nullptr;
  GBytes* bytes = g_input_stream_read_bytes_finish(G_INPUT_STREAM(source), result, &error);
  if (bytes == nullptr) {
    g_object_unref(source);
    finish(exchange, fail(ErrorClass::kUnavailable, "media", take_error(error)));
    return;
  }
  gsize size = 0;
  const auto* text = static_cast<const char*>(g_bytes_get_data(bytes, &size));
  if (size > 0) exchange->reply.body.append(text, size);
  g_bytes_unref(bytes);
  if (size > 0 && exchange->reply.body.size() <= kMaxReply) {
    read_more(G_INPUT_STREAM(source), exchange);
    return;
  }
  g_object_unref(source);
  if (exchange->reply.body.size() > kMaxReply) {
    finish(exchange, fail(ErrorClass::kInvalid, "media", "the server's reply is too long"));
    return;
  }
  finish(exchange, std::move(exchange->reply));
}

void read_more(GInputStream* stream, Exchange* exchange) {
  g_input_stream_read_bytes_async(stream, 16384, G_PRIORITY_DEFAULT, nullptr, on_read, exchange);
}

void on_sent(GObject* source, GAsyncResult* result, gpointer data) {
  auto* exchange = static_cast<Exchange*>(data);
  GError* error = nullptr;
  GInputStream* stream = soup_session_send_finish(SOUP_SESSION(source), result, &error);
  if (stream == nullptr) {
    finish(exchange, fail(ErrorClass::kUnavailable, "media", take_error(error)));
    return;
  }
  HttpReply& reply = exchange->reply;
  reply.status = static_cast<int>(soup_message_get_status(exchange->message));
  reply.content_type = header(exchange->message, "Content-Type");
  reply.retry_after = header(exchange->message, "Retry-After");
  const std::string location = header(exchange->message, "Location");
  if (!location.empty()) {
    GUri* resolved = g_uri_parse_relative(soup_message_get_uri(exchange->message), location.c_str(), kUriFlags, nullptr);
    if (resolved != nullptr) {
      gchar* text = g_uri_to_string(resolved);
      reply.location = text;
      g_free(text);
      g_uri_unref(resolved);
    }
  }
  if ((reply.status == 307 || reply.status == 308) && !reply.location.empty() && exchange->redirects++ < kMaxRedirects) {
    g_object_unref(stream);
    exchange->request.url = std::exchange(reply, {}).location;
    start(exchange);
    return;
  }
  read_more(stream, exchange);
}

void start(Exchange* exchange) {
  g_clear_object(&exchange->message);
  exchange->message = make_message(exchange->request);
  if (exchange->message == nullptr) {
    post([exchange] { finish(exchange, fail(ErrorClass::kInvalid, "media", "that is no usable URL")); });
    return;
  }
  soup_session_send_async(session(), exchange->message, G_PRIORITY_DEFAULT, nullptr, on_sent, exchange);
}

}  // namespace

void http_send(HttpRequest request, std::function<void(Result<HttpReply>)> done) {
  start(new Exchange{std::move(request), std::move(done), nullptr, {}, 0});
}

/// Shared with the pending read, which outlives the owner until its cancellation arrives.
struct EventStream::Impl : std::enable_shared_from_this<EventStream::Impl> {
  std::function<void(const Json&)> event;
  std::function<void(int)> closed;
  GCancellable* cancel = g_cancellable_new();
  SoupMessage* message = nullptr;
  GInputStream* stream = nullptr;
  std::string buffer;
  std::string data;

  ~Impl() {
    g_clear_object(&stream);
    g_clear_object(&message);
    g_clear_object(&cancel);
  }
  using Ref = std::shared_ptr<Impl>;

  void read() {
    g_input_stream_read_bytes_async(
        stream, 8192, G_PRIORITY_DEFAULT, cancel,
        [](GObject* source, GAsyncResult* result, gpointer user) {
          const Ref self = *std::unique_ptr<Ref>(static_cast<Ref*>(user));
          GBytes* bytes = g_input_stream_read_bytes_finish(G_INPUT_STREAM(source), result, nullptr);
          if (bytes == nullptr || g_bytes_get_size(bytes) == 0) {
            if (bytes != nullptr) g_bytes_unref(bytes);
            self->end(0);
            return;
          }
          gsize size = 0;
          const auto* text = static_cast<const char*>(g_bytes_get_data(bytes, &size));
          self->buffer.append(text, size);
          g_bytes_unref(bytes);
          if (!self->lines()) {
            self->end(0);
            return;
          }
          if (!g_cancellable_is_cancelled(self->cancel)) self->read();
        },
        new Ref(shared_from_this()));
  }

  // Takes whole lines out of the buffer. False when the other side sends without end.
  bool lines() {
    std::size_t from = 0;
    while (!g_cancellable_is_cancelled(cancel)) {
      const std::size_t newline = buffer.find('\n', from);
      if (newline == std::string::npos) break;
      line(std::string_view(buffer).substr(from, newline - from));
      from = newline + 1;
    }
    buffer.erase(0, from);
    return buffer.size() + data.size() <= kMaxEvent;
  }

  void line(std::string_view text) {
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.starts_with("data:")) {
      data += trim(text.substr(5));
    } else if (text.empty() && !data.empty()) {
      const auto json = Json::parse(std::exchange(data, {}));
      if (const auto handler = event; json && handler) handler(*json);
    }
  }

  void end(int status) {
    event = nullptr;
    if (const auto handler = std::exchange(closed, nullptr); handler && !g_cancellable_is_cancelled(cancel)) handler(status);
  }
};

EventStream::EventStream(const std::string& url, const std::string& token, std::function<void(const Json&)> event,
                         std::function<void(int)> closed)
    : impl_(std::make_shared<Impl>()) {
  impl_->event = std::move(event);
  impl_->closed = std::move(closed);
  impl_->message = make_message({"GET", url, "", "", token});
  if (impl_->message == nullptr) {
    post([weak = std::weak_ptr(impl_)] {
      if (const auto self = weak.lock()) self->end(0);
    });
    return;
  }
  soup_message_headers_replace(soup_message_get_request_headers(impl_->message), "Accept", "text/event-stream");
  soup_session_send_async(
      stream_session(), impl_->message, G_PRIORITY_DEFAULT, impl_->cancel,
      [](GObject* source, GAsyncResult* result, gpointer user) {
        const Impl::Ref self = *std::unique_ptr<Impl::Ref>(static_cast<Impl::Ref*>(user));
        self->stream = soup_session_send_finish(SOUP_SESSION(source), result, nullptr);
        const int status = self->stream != nullptr ? static_cast<int>(soup_message_get_status(self->message)) : 0;
        if (status == 200) {
          self->read();
        } else {
          self->end(status);
        }
      },
      new Impl::Ref(impl_));
}

EventStream::~EventStream() {
  impl_->event = nullptr;
  impl_->closed = nullptr;
  g_cancellable_cancel(impl_->cancel);
}

Result<Url> parse_http_url(const std::string& url) {
  GUri* uri = g_uri_parse(url.c_str(), kUriFlags, nullptr);
  if (uri == nullptr) return fail(ErrorClass::kInvalid, "media", "that is no URL");
  const std::string scheme = g_uri_get_scheme(uri);
  const char* host = g_uri_get_host(uri);
  Url out;
  if (host != nullptr && *host != '\0') {
    const std::string name = host;
    out.origin = scheme + "://" + (name.find(':') != std::string::npos ? "[" + name + "]" : name);
    if (g_uri_get_port(uri) > 0) out.origin += ":" + std::to_string(g_uri_get_port(uri));
    out.path = g_uri_get_path(uri);
    if (out.path.empty()) out.path = "/";
  }
  g_uri_unref(uri);
  if ((scheme != "http" && scheme != "https") || out.origin.empty()) {
    return fail(ErrorClass::kInvalid, "media", "the URL must begin with http:// or https:// and name a host");
  }
  return out;
}

std::string query_escape(const std::string& value) {
  gchar* text = g_uri_escape_string(value.c_str(), nullptr, FALSE);
  std::string out = text;
  g_free(text);
  return out;
}

}  // namespace hansard::webrtc
