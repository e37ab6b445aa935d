#include "host/webhook_sink.h"

#include <utility>

namespace hansard::host {

void WebhookSink::send(const tasks::Task& task, Instant created, std::function<void(tasks::Answer)> done) {
  auto request = tasks::webhook_request(hook_, task, created, clock_.now());
  if (!request) return done({tasks::Outcome::kRefused, request.error().detail, {}});
  http_.send(std::move(*request), [done = std::move(done)](const Result<HttpResponse>& response) {
    done(tasks::read_http_answer(response, "the webhook's receiver"));
  });
}

void WebhookSink::find(const tasks::Task&, std::function<void(tasks::Answer, bool)> done) {
  done({tasks::Outcome::kRefused, "a webhook cannot be asked what it has", {}}, false);
}

}  // namespace hansard::host
