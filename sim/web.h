#pragma once
// The simulated network's other side: a calendar feed and the rooms' addresses.
#include <map>
#include <string>
#include <vector>

#include "ports/http_client.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace hansard::sim {

class Web final : public HttpClient {
 public:
  static constexpr const char* kFeed = "https://calendar.example/work.ics";

  Web(World& world, const Scenario& scenario);
  void send(HttpRequest request, std::function<void(Result<HttpResponse>)> done) override;

  void trouble(Fault kind, Duration length) { until_[kind] = world_.now() + length; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  HttpResponse answer(const HttpRequest& request) const;
  std::string feed() const;
  bool on(Fault kind) const {
    const auto it = until_.find(kind);
    return it != until_.end() && it->second > world_.now();
  }

  World& world_;
  const Scenario& scenario_;
  std::vector<Entry> entries_;
  std::uint64_t version_ = 1;
  std::map<Fault, Instant> until_;
};

}  // namespace hansard::sim
