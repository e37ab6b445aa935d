#include "sim/simulation.h"

#include "core/base/hash.h"
#include "sim/check.h"
#include "sim/daemon.h"

namespace hansard::sim {
namespace {

std::string digest(Machine& m) {
  std::string all = m.world.trace;
  for (const StoredAggregate& a : got(m.store.aggregates({}, false))) {
    all += a.id + "\n" + a.state + "\n";
    for (const auto& [at, event] : got(m.store.journal(a.id))) all += std::to_string(at.ms) + " " + event + "\n";
  }
  for (const StoredRecord& r : got(m.store.records({{}, 0, 10'000'000, {}})))
    all += std::to_string(r.seq) + " " + std::to_string(r.at.ms) + " " + r.body + "\n";
  for (const StoredEffect& e : got(m.store.effects())) all += e.key + " " + e.body + "\n";
  all += audit::hex(got(m.store.audit_head()).hash) + "\n";
  for (const auto& [name, bytes] : m.disk.files) all += name + "\n" + bytes;
  return sha256_hex(all);
}

}  // namespace

Outcome simulate(const Scenario& scenario, const RunOptions& options) {
  Machine machine(scenario, options);
  machine.run();
  Outcome out;
  if (options.judge) check(machine, scenario, options.seed % 4 == 1, out);
  out.digest = digest(machine);
  out.faults = machine.world.faults;
  out.troubles = scenario.troubles.size() + scenario.edits.size();
  out.commits = machine.commits;
  out.effects = machine.effects;
  out.operations = machine.world.operations;
  for (const Attempt& a : machine.rooms.attempts) out.reconnects += a.epoch > 1 ? 1 : 0;
  return out;
}

}  // namespace hansard::sim
