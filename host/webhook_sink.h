#pragma once
#include "core/tasks/webhook.h"
#include "host/task_sink.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace hansard::host {

/// A signed webhook (core/tasks/webhook.h). Idempotent: receivers know a repeat by its webhook-id.
class WebhookSink final : public TaskSink {
 public:
  WebhookSink(tasks::Webhook hook, HttpClient& http, const Clock& clock) : hook_(std::move(hook)), http_(http), clock_(clock) {}

  tasks::SinkClass sink_class() const override { return tasks::SinkClass::kIdempotent; }
  void send(const tasks::Task& task, Instant created, std::function<void(tasks::Answer)> done) override;
  void find(const tasks::Task& task, std::function<void(tasks::Answer, bool)> done) override;

 private:
  tasks::Webhook hook_;
  HttpClient& http_;
  const Clock& clock_;
};

}  // namespace hansard::host
