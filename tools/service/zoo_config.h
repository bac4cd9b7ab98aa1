// What the start scripts need to know from a zoo.cfg and the environment: where the file is, its directories,
// the address to ask for the status. Rules as in Apache's zkEnv.sh and zkServer.sh; the servers parse it for
// real.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "tools/command.h"

namespace tandem::tools::service {

class ZooConfig {
 public:
  // Takes `--config DIR` off the front of the arguments, and the file named by ZOOCFG or the default.
  static std::string locate(Invocation& invocation);
  // A file named on the command line: a bare name lies in the directory of the default, a path stands for
  // itself.
  static std::string locate(const std::string& fallback, const std::string& named);

  static base::Result<ZooConfig> read(const std::string& path);

  std::optional<std::string> get(const std::string& key) const;
  std::string data_directory() const { return get("dataDir").value_or(""); }
  std::string log_directory() const { return get("dataLogDir").value_or(""); }

 private:
  std::map<std::string, std::string> values_;
};

std::string log_directory(const Invocation& invocation);  // ZOO_LOG_DIR, or logs/ of the installation

}  // namespace tandem::tools::service
