// zkServer-initialize.sh and zkCleanup.sh: making and thinning the directories of a coordination server.
#include <cstdio>
#include <filesystem>

#include "coord/storage/purge.h"
#include "fs/posix_disk.h"
#include "tools/service/process.h"
#include "tools/service/service.h"
#include "tools/service/zoo_config.h"

namespace tandem::tools::service {

namespace {

namespace files = std::filesystem;

struct InitializeOptions {
  std::string config;
  std::string my_id;
  bool force = false;
};

int initialize_usage(const Invocation& invocation, const std::string& config) {
  std::printf(
      "usage: %s <parameters>\n"
      "  Optional parameters:\n"
      "     -h                                                    Display this message\n"
      "     --help                                                Display this message\n"
      "     --configfile=%-40s ZooKeeper config file\n"
      "     --myid=#                                              Set the myid to be used, if any (1-255)\n"
      "     --force                                               Force creation of the data/txnlog dirs\n",
      invocation.called_as.c_str(), config.c_str());
  return 1;
}

// False after having said what is wrong.
bool parse_initialize(const Invocation& invocation, InitializeOptions& options) {
  const auto& args = invocation.args;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto value_of = [&](const std::string& name, std::string& out) {
      if (args[i] == name && i + 1 < args.size()) {
        out = args[++i];
        return true;
      }
      if (!args[i].starts_with(name + "=")) return false;
      out = args[i].substr(name.size() + 1);
      return true;
    };
    if (value_of("--configfile", options.config) || value_of("--myid", options.my_id)) continue;
    if (args[i] == "--force") {
      options.force = true;
    } else {
      if (args[i] != "-h" && args[i] != "--help") std::printf("Unknown option: %s\n", args[i].c_str());
      return false;
    }
  }
  return true;
}

bool holds_data(const std::string& directory) { return files::is_directory(directory + "/version-2"); }

void make_empty(const std::string& directory) {
  files::remove(directory + "/myid");
  files::remove_all(directory + "/version-2");
  files::create_directories(directory + "/version-2");
}

int initialize(const InitializeOptions& options) {
  const auto config = ZooConfig::read(options.config);
  if (!config) {
    std::printf("Unable to find config file at %s\n", options.config.c_str());
    return 1;
  }
  const std::string data = config->data_directory(), log = config->log_directory();
  if (data.empty()) {
    std::printf("Unable to determine dataDir from %s\n", options.config.c_str());
    return 1;
  }
  if (options.force) {
    std::puts("Force enabled, data/txnlog directories will be re-initialized");
  } else if (holds_data(data) || (!log.empty() && holds_data(log))) {
    std::printf("ZooKeeper %s directory already exists at %s (or use --force to force re-initialization)\n",
                holds_data(data) ? "data" : "txnlog", (holds_data(data) ? data : log).c_str());
    return 1;
  }
  make_empty(data);
  if (!log.empty()) make_empty(log);
  if (options.my_id.empty()) {
    std::printf("No myid provided, be sure to specify it in %s/myid if using non-standalone\n", data.c_str());
  } else {
    std::printf("Using myid of %s\n", options.my_id.c_str());
    if (!write_file(data + "/myid", options.my_id + "\n")) return 1;
  }
  return write_file(data + "/initialize", "") ? 0 : 1;
}

int cleanup_usage() {
  std::puts(
      "Usage:\n"
      "PurgeTxnLog dataLogDir [snapDir] -n count\n"
      "\tdataLogDir -- path to the txn log directory\n"
      "\tsnapDir -- path to the snapshot directory\n"
      "\tcount -- the number of old snaps/logs you want to keep, value should be greater than or equal to 3");
  return 1;
}

}  // namespace

int zk_server_initialize(const Invocation& called) {
  Invocation invocation = called;
  InitializeOptions options;
  options.config = ZooConfig::locate(invocation);
  if (!parse_initialize(invocation, options)) return initialize_usage(invocation, options.config);
  try {
    return initialize(options);
  } catch (const files::filesystem_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

int zk_cleanup(const Invocation& called) {
  Invocation invocation = called;
  const auto config = ZooConfig::read(ZooConfig::locate(invocation));
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().context.c_str());
    return 1;
  }
  const auto& args = invocation.args;
  if (args.size() != 2 || args[0] != "-n") return cleanup_usage();
  char* end = nullptr;
  const long keep = std::strtol(args[1].c_str(), &end, 10);
  if (end == args[1].c_str() || *end != '\0') {
    std::fprintf(stderr, "'%s' can not be parsed to integer.\n", args[1].c_str());
    return cleanup_usage();
  }
  if (keep < coord::storage::kSnapshotsKeptMin) {
    std::fputs("count should be greater than or equal to 3\n", stderr);
    return cleanup_usage();
  }
  const std::string data = config->data_directory();
  const std::string log = config->log_directory().empty() ? data : config->log_directory();
  fs::PosixDisk disk;
  const auto removed =
      coord::storage::purge(disk, log + "/version-2", data + "/version-2", static_cast<int>(keep));
  if (!removed) {
    std::fprintf(stderr, "%s\n", removed.error().context.c_str());
    return 1;
  }
  for (const std::string& path : *removed) std::printf("Removing file: %s\n", path.c_str());
  return 0;
}

}  // namespace tandem::tools::service
