// From the configuration to the options of the parts that a server is wired from, alone or in an ensemble.
// Pure translation: what a key means is said in config_table.cc, what an option does where it is kept.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coord/auth/authorizer.h"
#include "coord/pipeline/pipeline.h"
#include "coord/server/config.h"
#include "coord/server/exit_codes.h"
#include "coord/session/session_tracker.h"
#include "coord/shell/client_port.h"
#include "coord/shell/four_letter.h"
#include "coord/shell/snapshot_writer.h"
#include "fs/disk.h"

namespace tandem::coord::server {

// What main knows of the process.
struct ProcessFacts {
  std::string version;
  std::vector<std::pair<std::string, std::string>> environment;  // for the word envi
};

// Why a start failed, and with which code the process ends.
struct StartFailure {
  ExitCode code = ExitCode::unexpected;
  base::Error error;
};

auth::AuthOptions authorizer_options(const Config& config);
pipeline::PipelineOptions pipeline_options(const Config& config);
shell::ClientPortOptions client_port_options(const Config& config);
// All but the functions that only the server can give.
shell::ServerFacts server_facts(const Config& config, const ProcessFacts& process, fs::Disk& disk,
                                base::Instant started);

shell::SessionTimeouts session_timeouts(const session::SessionTracker& sessions);

}  // namespace tandem::coord::server
