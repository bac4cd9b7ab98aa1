// Exit codes of the process: the numbers of Apache's ExitCode, which scripts and supervisors tell apart.
// Main returns them; only a failed log leaves in another way (standalone.cc).
#pragma once

namespace tandem::coord::server {

enum class ExitCode {
  ok = 0,
  unexpected = 1,      // recovery, ports, a failed log, a number that server.N does not list
  invalid_args = 2,    // command line, zoo.cfg, myid
  data_dir = 3,        // directories missing, not writable or mixed up
  quorum_packet = 13,  // a history that cannot be cut back as the leader asks
  election_port = 14,  // cannot be listened on
};

}  // namespace tandem::coord::server
