// The part of zoo.cfg that makes a server a member of an ensemble: server.N, group.N and weight.N (or the
// dynamic file that holds them), myid, and the limits that only an ensemble has. Pure but for reading myid.
// Rules and warnings are those of QuorumPeerConfig of ZooKeeper 3.9; what it refuses ends the start with exit
// code 2, a number that is not in the list with 1.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "conf/properties.h"
#include "coord/quorum/config.h"
#include "coord/server/config.h"
#include "fs/disk.h"

namespace tandem::coord::server {

// All lines together, checked as an ensemble; without a single one the result has no members.
base::Result<quorum::QuorumConfig> read_members(const Config& config, const std::string& file,
                                                std::vector<std::string>& warnings);

// Whether these members are served as an ensemble: one voter is a server alone unless
// standaloneEnabled=false.
bool is_distributed(const Config& config, const quorum::QuorumConfig& members);

// Our number, role and client address, and the limits.
base::Result<Ensemble> join_ensemble(fs::Disk& disk, Config& config, quorum::QuorumConfig members,
                                     const std::string& file, std::vector<std::string>& warnings);

// "1 is not in the list": exit code 1, as Apache's QuorumPeer.start.
base::Status check_listed(const Ensemble& ensemble);

// zoo.cfg.dynamic.100000000 has version 0x100000000, zoo.cfg.dynamic has 0.
std::int64_t version_of_dynamic_file(const std::string& file);

}  // namespace tandem::coord::server
