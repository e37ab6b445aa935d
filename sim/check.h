#pragma once
// What must hold after every run, whatever went wrong in it.
#include "sim/daemon.h"

namespace hansard::sim {

/// Adds to `outcome.violations` and its counts.
void check(Machine& machine, const Scenario& scenario, Outcome& outcome);

}  // namespace hansard::sim
