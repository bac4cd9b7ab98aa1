#include "coord/server/config.h"

#include <fmt/format.h>

#include "coord/server/ensemble_config.h"
#include "coord/storage/files.h"

namespace tandem::coord::server {

using base::Errc;
using base::Result;
using base::Status;
using conf::Entry;

namespace {

constexpr std::uint64_t kConfigBytesMax = 1U << 20;
constexpr std::string_view kPropertyPrefix = "zookeeper.";

Result<std::vector<Entry>> read_entries(fs::Disk& disk, const std::string& file) {
  const auto text = fs::read_file(disk, file, kConfigBytesMax);
  if (!text) return base::make_error(text.error().code, "cannot read {}: {}", file, text.error().context);
  return conf::parse_properties(*text, file);
}

// What the table does not know by key is a system property without its prefix.
Status apply_file(Config& config, const std::vector<Entry>& entries, conf::Findings& findings) {
  const auto& table = config_table();
  std::vector<Entry> known;
  std::vector<Entry> passed_on;
  for (const Entry& entry : entries) {
    Entry property = entry;
    property.key = std::string(kPropertyPrefix) + entry.key;
    const bool as_property = table.rows().find(entry.key) == nullptr &&
                             table.rows().find(property.key, conf::Names::properties) != nullptr;
    (as_property ? passed_on : known).push_back(as_property ? std::move(property) : entry);
  }
  if (auto status = table.apply(config, known, findings); !status) return status;
  return table.apply(config, passed_on, findings, conf::Names::properties);
}

// Of -D options only those that could be meant for us are named when unknown: scripts pass options of a JVM's
// other libraries as well.
Status apply_properties(Config& config, const std::vector<Entry>& properties, conf::Findings& findings) {
  std::vector<Entry> ours;
  for (const Entry& entry : properties) {
    const bool known = config_table().rows().find(entry.key, conf::Names::properties) != nullptr;
    if (known || entry.key.starts_with(kPropertyPrefix)) ours.push_back(entry);
  }
  return config_table().apply(config, ours, findings, conf::Names::properties);
}

Status check_members(fs::Disk* disk, Config& config, const std::string& file,
                     std::vector<std::string>& warnings) {
  auto members = read_members(config, file, warnings);
  if (!members) return members.error();
  if (!is_distributed(config, *members) || disk == nullptr) {
    if (members->members().empty() || config.client_port) return {};
    if (const auto& client = members->members().begin()->second.client) config.client_port = client->port;
    return {};
  }
  auto ensemble = join_ensemble(*disk, config, std::move(*members), file, warnings);
  if (!ensemble) return ensemble.error();
  config.ensemble = std::move(*ensemble);
  return {};
}

// Without a disk there is no myid: the short form of the command line, which describes no ensemble.
Status check(fs::Disk* disk, Config& config, const std::string& file, std::vector<std::string>& warnings) {
  if (config.data_dir.empty())
    return base::make_error(Errc::invalid_argument, "{}: dataDir is not set", file);
  if (auto status = check_members(disk, config, file, warnings); !status) return status;
  if (!config.client_port) return base::make_error(Errc::invalid_argument, "{}: clientPort is not set", file);
  if (config.min_session_timeout() > config.max_session_timeout())
    return base::make_error(Errc::invalid_argument,
                            "{}: minSessionTimeout ({}) must not be larger than maxSessionTimeout ({})", file,
                            config.min_session_timeout(), config.max_session_timeout());
  return {};
}

void add_warnings(const Config& config, const conf::Findings& findings, std::vector<std::string>& warnings) {
  warnings.insert(warnings.end(), findings.warnings.begin(), findings.warnings.end());
  if (auto sentence = conf::not_here_yet_warning(findings); !sentence.empty())
    warnings.push_back(std::move(sentence));
  if (!config.secure_client_port.empty())
    warnings.push_back(
        fmt::format("secureClientPort: TLS is not here yet, port {} stays shut", config.secure_client_port));
  for (const auto& [name, provider] : config.auth_providers)
    warnings.push_back(
        fmt::format("authProvider.{}: {} is not here, its clients cannot authenticate", name, provider));
  if (!config.metrics_provider.empty() && config.metrics_provider.find("Default") == std::string::npos)
    warnings.push_back(
        fmt::format("metricsProvider.className: {} is not here, use the word mntr", config.metrics_provider));
  if (!config.force_sync)
    warnings.push_back("forceSync=no: a write is acknowledged before it is durable, a power cut may lose it");
  if (config.skip_acl) warnings.push_back("skipACL=yes: anybody may read and write every node");
}

Result<LoadedConfig> finish(fs::Disk* disk, LoadedConfig loaded, const std::string& file,
                            const conf::Findings& findings) {
  if (auto status = check(disk, loaded.config, file, loaded.warnings); !status) return status.error();
  add_warnings(loaded.config, findings, loaded.warnings);
  return loaded;
}

// It has the members and nothing else; its version is the end of its name.
Status apply_dynamic_file(fs::Disk& disk, Config& config, const std::string& file, conf::Findings& findings) {
  if (!config.servers.empty() || !config.groups.empty() || !config.weights.empty())
    return base::make_error(Errc::invalid_argument,
                            "{}: with dynamicConfigFile, server, group and weight lines belong into {}", file,
                            config.dynamic_config_file);
  const auto entries = read_entries(disk, config.dynamic_config_file);
  if (!entries) return entries.error();
  for (const Entry& entry : *entries) {
    const std::string_view kind = std::string_view(entry.key).substr(0, entry.key.find('.'));
    if (kind != "server" && kind != "group" && kind != "weight")
      return base::make_error(Errc::invalid_argument, "{}: {} does not belong into a dynamic file",
                              conf::where(entry), entry.key);
  }
  return apply_file(config, *entries, findings);
}

}  // namespace

std::string Config::log_directory() const {
  return fs::join(data_log_dir.empty() ? data_dir : data_log_dir, storage::kVersionDir);
}

std::string Config::snapshot_directory() const { return fs::join(data_dir, storage::kVersionDir); }

Result<LoadedConfig> load_config(fs::Disk& disk, const std::string& file,
                                 const std::vector<Entry>& properties) {
  const auto entries = read_entries(disk, file);
  if (!entries) return entries.error();
  LoadedConfig loaded;
  conf::Findings findings;
  // The file holds over -D: Apache sets the property when it reads the file.
  if (auto status = apply_properties(loaded.config, properties, findings); !status) return status.error();
  if (auto status = apply_file(loaded.config, *entries, findings); !status) return status.error();
  if (!loaded.config.dynamic_config_file.empty())
    if (auto status = apply_dynamic_file(disk, loaded.config, file, findings); !status) return status.error();
  return finish(&disk, std::move(loaded), file, findings);
}

Result<LoadedConfig> short_config(const std::vector<std::string>& operands,
                                  const std::vector<Entry>& properties) {
  constexpr std::string_view kKeys[] = {"clientPort", "dataDir", "tickTime", "maxClientCnxns"};
  if (operands.size() < 2 || operands.size() > std::size(kKeys))
    return base::make_error(Errc::invalid_argument,
                            "{} operands: give a zoo.cfg, or a port and a data directory", operands.size());
  LoadedConfig loaded;
  conf::Findings findings;
  if (auto status = apply_properties(loaded.config, properties, findings); !status) return status.error();
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < operands.size(); ++i)
    entries.push_back({std::string(kKeys[i]), operands[i], "command line", 0});
  if (auto status = apply_file(loaded.config, entries, findings); !status) return status.error();
  return finish(nullptr, std::move(loaded), "command line", findings);
}

}  // namespace tandem::coord::server
