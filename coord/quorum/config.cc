#include "coord/quorum/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tandem::coord::quorum {

using base::Errc;
using base::Result;
using conf::Entry;

namespace {

// The order in which a java.util.HashMap<Long, ?> that was filled one by one gives its keys. Keys of one
// bucket are in the order of insertion, which Apache takes from another hash table: by number here.
std::vector<std::int64_t> in_hash_map_order(std::vector<std::int64_t> keys) {
  std::size_t buckets = 16;
  while (keys.size() * 4 > buckets * 3) buckets *= 2;
  const auto bucket = [buckets](std::int64_t key) {
    const auto bits = static_cast<std::uint64_t>(key);
    const auto hash = static_cast<std::uint32_t>(bits ^ (bits >> 32));
    return (hash ^ (hash >> 16)) & (buckets - 1);
  };
  std::sort(keys.begin(), keys.end(), [&](std::int64_t a, std::int64_t b) {
    return std::pair(bucket(a), a) < std::pair(bucket(b), b);
  });
  return keys;
}

template <class Map>
std::vector<std::int64_t> keys_of(const Map& map) {
  std::vector<std::int64_t> keys;
  for (const auto& entry : map) keys.push_back(entry.first.value);
  return in_hash_map_order(std::move(keys));
}

std::optional<std::int64_t> parse_long(std::string_view text, int base = 10) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

struct Lines {
  std::map<ServerId, ServerSpec> members;
  std::map<GroupId, std::vector<ServerId>> groups;
  std::map<ServerId, std::int64_t> weights;
  std::int64_t version = 0;
  bool hierarchical = false;
};

base::Status read_group(Lines& lines, const Entry& entry, std::int64_t id) {
  std::vector<ServerId> ids;
  for (std::string_view rest = entry.value; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const auto server = parse_long(one);
    if (!server)
      return base::make_error(Errc::invalid_argument, "{}: {}={}: '{}' is not the number of a server",
                              conf::where(entry), entry.key, entry.value, one);
    ids.emplace_back(*server);
  }
  lines.groups[GroupId(id)] = std::move(ids);
  return {};
}

base::Status read_line(Lines& lines, const Entry& entry) {
  const auto refuse = [&](std::string_view why) {
    return base::make_error(Errc::invalid_argument, "{}: {}={}: {}", conf::where(entry), entry.key,
                            entry.value, why);
  };
  if (entry.key == "version") {
    const auto version = parse_long(entry.value, 16);
    if (!version) return refuse("not a hexadecimal number");
    lines.version = *version;
    return {};
  }
  const std::size_t dot = entry.key.find('.');
  const std::string_view kind = std::string_view(entry.key).substr(0, dot);
  if (kind != "server" && kind != "group" && kind != "weight")
    return refuse("not a parameter of an ensemble");
  const auto id =
      dot == std::string::npos ? std::nullopt : parse_long(std::string_view(entry.key).substr(dot + 1));
  if (!id) return refuse("a number must follow the dot");
  if (kind == "group") {
    lines.hierarchical = true;
    return read_group(lines, entry, *id);
  }
  if (kind == "weight") {
    lines.hierarchical = true;
    const auto weight = parse_long(entry.value);
    if (!weight || *weight < 0) return refuse("not a weight");
    lines.weights[ServerId(*id)] = *weight;
    return {};
  }
  auto spec = parse_server(ServerId(*id), entry.value);
  if (!spec)
    return base::make_error(Errc::invalid_argument, "{}: {}", conf::where(entry), spec.error().context);
  lines.members[ServerId(*id)] = std::move(*spec);
  return {};
}

}  // namespace

Result<QuorumConfig> QuorumConfig::from_entries(const std::vector<Entry>& entries) {
  Lines lines;
  for (const Entry& entry : entries)
    if (auto status = read_line(lines, entry); !status) return status.error();
  QuorumConfig config;
  config.members_ = std::move(lines.members);
  config.version_ = lines.version;
  ServerSet voters;
  for (const auto& [id, spec] : config.members_)
    if (spec.role == Role::participant) voters.insert(id);
  if (!lines.hierarchical) {
    config.verifier_ = QuorumVerifier::majority(std::move(voters));
    return config;
  }
  for (const auto& [group, ids] : lines.groups)
    for (const ServerId id : ids)
      if (!config.groups_.emplace(id, group).second)
        return base::make_error(Errc::invalid_argument, "server {} is in more than one group", id);
  config.weights_ = std::move(lines.weights);
  for (const ServerId id : voters) {
    if (!config.groups_.contains(id))
      return base::make_error(Errc::invalid_argument, "server {} is not in a group", id);
    config.weights_.emplace(id, 1);
  }
  for (const auto& [id, group] : config.groups_)
    if (!voters.contains(id))
      return base::make_error(Errc::invalid_argument, "group.{} names server {}, which does not vote", group,
                              id);
  config.verifier_ = QuorumVerifier::hierarchical(std::move(voters), config.groups_, config.weights_);
  return config;
}

Result<QuorumConfig> QuorumConfig::parse(std::string_view text) {
  const auto entries = conf::parse_properties(text, "ensemble");
  if (!entries) return entries.error();
  return from_entries(*entries);
}

QuorumConfig QuorumConfig::of(const std::vector<ServerSpec>& members) {
  QuorumConfig config;
  ServerSet voters;
  for (const ServerSpec& spec : members) {
    config.members_[spec.id] = spec;
    if (spec.role == Role::participant) voters.insert(spec.id);
  }
  config.verifier_ = QuorumVerifier::majority(std::move(voters));
  return config;
}

std::string QuorumConfig::text() const {
  std::string out;
  for (const std::int64_t id : keys_of(members_))
    out += fmt::format("server.{}={}\n", id, members_.at(ServerId(id)).text());
  std::map<GroupId, std::string> groups;
  for (const std::int64_t id : keys_of(groups_)) {
    std::string& line = groups[groups_.at(ServerId(id))];
    line += fmt::format("{}{}", line.empty() ? "" : ":", id);
  }
  for (const std::int64_t group : keys_of(groups))
    out += fmt::format("group.{}={}\n", group, groups.at(GroupId(group)));
  for (const std::int64_t id : keys_of(weights_))
    out += fmt::format("weight.{}={}\n", id, weights_.at(ServerId(id)));
  return out + fmt::format("version={:x}", static_cast<std::uint64_t>(version_));
}

const ServerSpec* QuorumConfig::find(ServerId id) const {
  const auto it = members_.find(id);
  return it == members_.end() ? nullptr : &it->second;
}

void QuorumConfig::set_static_client(ServerId id, HostPort address) {
  const auto it = members_.find(id);
  if (it == members_.end() || (it->second.client && !it->second.client_from_static)) return;
  it->second.client = std::move(address);
  it->second.client_from_static = true;
}

bool QuorumConfig::same_members(const QuorumConfig& other) const {
  return members_.size() == other.members_.size() && groups_ == other.groups_ && weights_ == other.weights_ &&
         std::equal(members_.begin(), members_.end(), other.members_.begin(),
                    [](const auto& a, const auto& b) { return a.second.text() == b.second.text(); });
}

}  // namespace tandem::coord::quorum
