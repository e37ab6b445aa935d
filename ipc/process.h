#pragma once
// Starting the program's own children: the same binary as `hansard child ROLE ... --fd 3`, one end of a socketpair
// at descriptor 3, standard input empty, standard error inherited. A child dies with its parent (PR_SET_PDEATHSIG)
// and when its socketpair closes.
#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/result.h"

namespace hansard::ipc {

constexpr int kChildFd = 3;

struct ChildProcess {
  pid_t pid = -1;
  int fd = -1;  ///< our end; the caller owns it (give it to a Pipe)
};

/// Path of the running executable. Errors: kInternal.
Result<std::string> self_executable();

/// Starts `executable child ARGS...` with its end of the pair at kChildFd and none of our other descriptors. Errors: kUnavailable
/// (no process or descriptor to be had).
Result<ChildProcess> spawn_child(const std::string& executable, const std::vector<std::string>& args);

}  // namespace hansard::ipc
