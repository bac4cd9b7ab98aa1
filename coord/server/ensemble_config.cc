#include "coord/server/ensemble_config.h"

#include <fmt/format.h>

#include <charconv>

namespace tandem::coord::server {

using base::Errc;
using base::Result;
using base::Status;
using quorum::QuorumConfig;
using quorum::Role;
using quorum::ServerId;

namespace {

constexpr std::uint64_t kMyIdBytesMax = 4096;
constexpr const char* kMyId = "myid";

void add_entries(const std::map<std::string, std::string>& lines, std::string_view kind,
                 const std::string& file, std::vector<conf::Entry>& entries) {
  for (const auto& [name, value] : lines)
    entries.push_back({fmt::format("{}.{}", kind, name), value, file, 0});
}

Result<ServerId> read_my_id(fs::Disk& disk, const std::string& data_dir) {
  const std::string path = fs::join(data_dir, kMyId);
  if (!fs::exists(disk, path))
    return base::make_error(Errc::not_found,
                            "{} is missing: it must hold the number N of this server's server.N line", path);
  const auto text = fs::read_file(disk, path, kMyIdBytesMax);
  if (!text) return base::make_error(text.error().code, "cannot read {}: {}", path, text.error().context);
  std::string_view line = std::string_view(*text).substr(0, text->find('\n'));
  line = line.substr(std::min(line.size(), line.find_first_not_of(" \t\r")));
  line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || end != line.data() + line.size() || number < 0)
    return base::make_error(Errc::invalid_argument, "{}: serverid '{}' is not a number", path, line);
  return ServerId(number);
}

bool is_wildcard(std::string_view host) {
  return host.empty() || host == "0.0.0.0" || host == "::" || host == "0:0:0:0:0:0:0:0";
}

// The client's part of our line is where we listen; zoo.cfg may say the same, or say it alone.
Status settle_client_address(Config& config, QuorumConfig& members, ServerId self, const std::string& file) {
  const quorum::ServerSpec* spec = members.find(self);
  if (spec == nullptr) return {};
  if (!spec->client) {
    if (config.client_port) {
      const std::string& address = config.client_port_address;
      members.set_static_client(
          self, {address.empty() ? "0.0.0.0" : address, static_cast<std::uint16_t>(*config.client_port)});
    }
    return {};
  }
  const quorum::HostPort& line = *spec->client;
  if (config.client_port) {
    const bool same_host = is_wildcard(config.client_port_address) || config.client_port_address == line.host;
    if (!same_host || *config.client_port != line.port)
      return base::make_error(
          Errc::invalid_argument, "{}: clientPort says that clients connect to {}, and server.{} says to {}",
          file,
          quorum::host_port(config.client_port_address, static_cast<std::uint16_t>(*config.client_port)),
          self, quorum::host_port(line.host, line.port));
  }
  config.client_port = line.port;
  config.client_port_address = is_wildcard(line.host) ? "" : line.host;
  return {};
}

}  // namespace

Result<QuorumConfig> read_members(const Config& config, const std::string& file,
                                  std::vector<std::string>& warnings) {
  const std::string& source = config.dynamic_config_file.empty() ? file : config.dynamic_config_file;
  std::vector<conf::Entry> entries;
  add_entries(config.servers, "server", source, entries);
  add_entries(config.groups, "group", source, entries);
  add_entries(config.weights, "weight", source, entries);
  auto members = QuorumConfig::from_entries(entries);
  if (!members) return members.error();
  if (!config.dynamic_config_file.empty())
    members->set_version(version_of_dynamic_file(config.dynamic_config_file));
  const std::size_t voters = members->voters().size();
  const std::size_t observers = members->members().size() - voters;
  const auto refuse = [&](std::string_view why) {
    return base::make_error(Errc::invalid_argument, "{}: {}", source, why);
  };
  if (voters == 0 && !config.standalone_enabled)
    return refuse("standaloneEnabled=false needs at least one server.N line that is a participant");
  if (voters == 0 && observers > 0) return refuse("there are observers and no participants to observe");
  if (voters == 1 && config.standalone_enabled && observers > 0)
    return refuse(
        "one participant is a server alone, which observers cannot join; set standaloneEnabled=false");
  for (const auto& [id, spec] : members->members())
    if (spec.addresses.size() > 1 && !config.multi_address_enabled)
      return refuse(
          fmt::format("server.{} has several addresses, which needs multiAddress.enabled=true", id));
  if (!is_distributed(config, *members)) return members;
  if (!config.oracle_path.empty())
    warnings.push_back(
        fmt::format("oraclePath: {} is not asked: of two servers neither serves clients without the other, "
                    "where Apache's "
                    "goes on when the file says 1",
                    config.oracle_path));
  if (voters <= 2)
    warnings.push_back("no server failure will be tolerated: at least 3 participants are needed for that");
  else if (voters % 2 == 0)
    warnings.push_back(fmt::format(
        "{} participants tolerate no more failures than {}: consider an odd number", voters, voters - 1));
  return members;
}

bool is_distributed(const Config& config, const QuorumConfig& members) {
  return !members.members().empty() && (!config.standalone_enabled || members.voters().size() > 1);
}

Result<Ensemble> join_ensemble(fs::Disk& disk, Config& config, QuorumConfig members, const std::string& file,
                               std::vector<std::string>& warnings) {
  for (const auto& [key, value] :
       {std::pair("initLimit", config.init_limit), std::pair("syncLimit", config.sync_limit)})
    if (value <= 0) return base::make_error(Errc::invalid_argument, "{}: {} is not set", file, key);
  const auto self = read_my_id(disk, config.data_dir);
  if (!self) return self.error();
  if (auto status = settle_client_address(config, members, *self, file); !status) return status.error();
  const quorum::ServerSpec* spec = members.find(*self);
  const Role by_list = spec == nullptr ? Role::participant : spec->role;
  const auto by_key = quorum::parse_role(config.peer_type);
  if (!by_key)
    return base::make_error(Errc::invalid_argument, "{}: peerType: {}", file, by_key.error().context);
  if (*by_key != by_list)
    warnings.push_back(fmt::format("peerType is {} and server.{} says {}: the latter holds",
                                   to_string(*by_key), *self, to_string(by_list)));
  return Ensemble{*self, by_list, std::move(members)};
}

Status check_listed(const Ensemble& ensemble) {
  if (ensemble.members.find(ensemble.self) != nullptr) return {};
  return base::make_error(Errc::invalid_argument, "my id {} (from myid) is not in the list of server.N lines",
                          ensemble.self);
}

std::int64_t version_of_dynamic_file(const std::string& file) {
  const std::size_t dot = file.rfind('.');
  if (dot == std::string::npos) return 0;
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(file.data() + dot + 1, file.data() + file.size(), version, 16);
  return error == std::errc() && end == file.data() + file.size() ? version : 0;
}

}  // namespace tandem::coord::server
