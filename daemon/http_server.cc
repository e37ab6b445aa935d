#include "daemon/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <set>

namespace hansard {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
namespace {

constexpr std::size_t kMaxSessions = 128;
constexpr std::size_t kMaxHeader = 16 << 10;
constexpr std::size_t kMaxBody = 64 << 10;
/// Microsoft tells of many changes in one push.
constexpr std::size_t kMaxPushBody = 256 << 10;
constexpr auto kRequestTime = std::chrono::seconds(15);
constexpr auto kIdleTime = std::chrono::seconds(60);
/// A viewer that takes nothing for this long is dropped; it resumes from its last event.
constexpr auto kViewerTime = std::chrono::seconds(20);
constexpr auto kKeepAlive = std::chrono::seconds(10);

constexpr const char* kSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'";

template <class Fields>
void set_common(Fields& fields) {
  fields.set(http::field::server, "hansard");
  fields.set(http::field::cache_control, "no-store");
  fields.set("Content-Security-Policy", kSecurityPolicy);
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set("Referrer-Policy", "no-referrer");
  fields.set("X-Frame-Options", "DENY");
  fields.set("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  class Session;

  Impl(asio::io_context& context, LiveHub& live) : io(context), hub(live), acceptor(context), retry(context) {}

  void accept();

  asio::io_context& io;
  LiveHub& hub;
  tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::unique_ptr<api::Context> context;
  std::set<std::shared_ptr<Session>> sessions;
};

class HttpServer::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Impl> server, tcp::socket socket) : server_(server), stream_(std::move(socket)), timer_(server->io) {}

  void read() {
    parser_.emplace();
    parser_->header_limit(kMaxHeader);
    parser_->body_limit(kMaxPushBody);
    stream_.expires_after(first_ ? kRequestTime : kIdleTime);
    first_ = false;
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_read(error); });
  }

  void close() {
    if (viewer_ != 0) server_hub_remove();
    timer_.cancel();
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
    if (const auto server = server_.lock()) server->sessions.erase(shared_from_this());
  }

 private:
  void server_hub_remove() {
    if (const auto server = server_.lock()) server->hub.remove(viewer_);
    viewer_ = 0;
  }

  void on_read(beast::error_code error) {
    if (error == http::error::body_limit) return refuse(413, "the request is too large");
    if (error == http::error::header_limit) return refuse(431, "the request's header is too large");
    if (error == http::error::end_of_stream || error == beast::error::timeout ||
        error.category() != http::make_error_code(http::error::bad_method).category()) {
      if (error) return close();
    }
    if (error) return refuse(400, "this is not a request that can be read");
    const auto server = server_.lock();
    if (!server) return close();
    const auto& message = parser_->get();
    if (message.body().size() > kMaxBody && !api::is_push_address(std::string(message.target())))
      return refuse(413, "the request is too large");
    const auto text = [&](http::field field) { return std::string(message[field]); };
    api::Request request{std::string(message.method_string()),
                         std::string(message.target()),
                         text(http::field::host),
                         text(http::field::origin),
                         text(http::field::authorization),
                         text(http::field::content_type),
                         std::string(message["Last-Event-ID"]),
                         message.body()};
    for (const auto& field : message) request.headers.emplace_back(field.name_string(), field.value());
    keep_alive_ = message.keep_alive();
    const bool head = message.method() == http::verb::head;
    respond(api::handle(*server->context, request), head);
  }

  void refuse(int status, const char* why) {
    keep_alive_ = false;
    respond(api::error_response(status, "invalid", why), false);
  }

  void respond(api::Response answer, bool head) {
    if (answer.stream) return start_stream(answer);
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(answer.status));
    set_common(response_);
    response_.set(http::field::content_type, answer.type);
    if (!answer.allow.empty()) response_.set(http::field::allow, answer.allow);
    if (answer.status == 401) response_.set(http::field::www_authenticate, "Bearer");
    response_.keep_alive(keep_alive_);
    response_.content_length(answer.body.size());
    if (!head) response_.body() = std::move(answer.body);
    stream_.expires_after(kRequestTime);
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error || !self->keep_alive_) return self->close();
      self->read();
    });
  }

  void start_stream(const api::Response& answer) {
    const auto server = server_.lock();
    if (!server) return close();
    viewer_ = server->hub.add(answer.after, [weak = weak_from_this(), &io = server->io] {
      asio::post(io, [weak] {
        if (const auto self = weak.lock()) self->pump();
      });
    });
    http::response<http::empty_body> head{http::status::ok, 11};
    set_common(head);
    head.set(http::field::content_type, "text/event-stream");
    head.set(http::field::connection, "close");
    std::ostringstream text;
    text << head.base();
    out_ = text.str() + "retry: 1000\n\n";
    write();
    watch_end();
    keep_alive_tick();
  }

  /// A viewer says nothing more; a byte or the end both mean that it goes.
  void watch_end() {
    stream_.socket().async_wait(tcp::socket::wait_read, [self = shared_from_this()](beast::error_code error) {
      if (!error) self->close();
    });
  }

  void keep_alive_tick() {
    timer_.expires_after(kKeepAlive);
    timer_.async_wait([self = shared_from_this()](beast::error_code error) {
      if (error || self->viewer_ == 0) return;
      if (!self->writing_) {
        self->out_ = ": still here\n\n";
        self->write();
      }
      self->keep_alive_tick();
    });
  }

  void pump() {
    const auto server = server_.lock();
    if (!server || viewer_ == 0 || writing_) return;
    auto text = server->hub.next(viewer_);
    if (!text) return close();
    if (text->empty()) return;
    out_ = std::move(*text);
    write();
  }

  void write() {
    writing_ = true;
    stream_.expires_after(kViewerTime);
    asio::async_write(stream_, asio::buffer(out_), [self = shared_from_this()](beast::error_code error, std::size_t) {
      self->writing_ = false;
      if (error) return self->close();
      self->stream_.expires_never();
      self->pump();
    });
  }

  std::weak_ptr<Impl> server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  asio::steady_timer timer_;
  std::string out_;
  LiveHub::ViewerId viewer_ = 0;
  bool writing_ = false;
  bool keep_alive_ = false;
  bool first_ = true;
};

void HttpServer::Impl::accept() {
  acceptor.async_accept([self = shared_from_this()](beast::error_code error, tcp::socket socket) {
    if (!self->acceptor.is_open()) return;
    if (error) {
      // Out of descriptors, most likely: come back when some are free.
      self->retry.expires_after(std::chrono::milliseconds(200));
      self->retry.async_wait([self](beast::error_code cancelled) {
        if (!cancelled) self->accept();
      });
      return;
    }
    if (self->sessions.size() < kMaxSessions) {
      beast::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      const auto session = std::make_shared<Session>(self, std::move(socket));
      self->sessions.insert(session);
      session->read();
    }
    self->accept();
  });
}

HttpServer::HttpServer(AsioLoop& loop, LiveHub& hub) : impl_(std::make_shared<Impl>(loop.context(), hub)) {}
HttpServer::~HttpServer() { close(); }

Result<std::uint16_t> HttpServer::listen(const std::string& address, std::uint16_t port) {
  beast::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return fail(ErrorClass::kInvalid, "listen", "'" + address + "' is not an IP address to listen on");
  const tcp::endpoint endpoint(ip, port);
  const std::string where = address + " port " + std::to_string(port);
  impl_->acceptor.open(endpoint.protocol(), error);
  if (!error) impl_->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) impl_->acceptor.bind(endpoint, error);
  if (!error) impl_->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return fail(ErrorClass::kConflict, "listen",
                where + " is in use by another program; choose another port in [listen] or with --port");
  }
  if (error) return fail(ErrorClass::kDenied, "listen", "cannot listen on " + where + ": " + error.message());
  return impl_->acceptor.local_endpoint().port();
}

void HttpServer::serve(api::Context context) {
  impl_->context = std::make_unique<api::Context>(std::move(context));
  impl_->accept();
}

void HttpServer::close() {
  beast::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->retry.cancel();
  const auto sessions = impl_->sessions;
  for (const auto& session : sessions) session->close();
}

}  // namespace hansard
