#pragma once
// The audit log after a run: whole, and a row for each thing that happened and for nothing else.
#include <string>
#include <vector>

#include "sim/daemon.h"

namespace hansard::sim {

/// Reads the log through the Store to its end; "" or what is wrong with the chain.
std::string chain_fault(Store& store);

/// Compares the rows with what else is known of the run: the records that people see, the events in the journals, the starts of
/// the daemon.
void check_audit(Machine& machine, std::vector<std::string>& violations);

}  // namespace hansard::sim
