#pragma once
// What must hold after every run, whatever went wrong in it.
#include "sim/daemon.h"

namespace hansard::sim {

/// Adds to `outcome.violations` and its counts. `replay`: every journal must lead to its state and records again.
void check(Machine& machine, const Scenario& scenario, bool replay, Outcome& outcome);

}  // namespace hansard::sim
