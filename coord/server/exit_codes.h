// Exit codes of the process, Apache's numbers (ExitCode): scripts and supervisors tell them apart.
#pragma once

namespace tandem::coord::server {

enum class ExitCode {
  ok = 0,
  unexpected = 1,    // recovery, ports, a failed log
  invalid_args = 2,  // command line and zoo.cfg
  data_dir = 3,      // directories missing, not writable or mixed up
};

}  // namespace tandem::coord::server
