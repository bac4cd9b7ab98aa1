#include "tests/sim/node_rules.h"

#include <fmt/format.h>

#include "bytes/reader.h"

namespace tandem::sim {

using coord::records::TxnHeader;
using jute::OpCode;

namespace {

constexpr std::size_t kGivenNodes =
    4;  // of every tree, beside the root: /zookeeper, two below, "/" as a name
constexpr std::size_t kTxnHeaderBytes = 32;

std::string_view string_of(bytes::Reader& reader) {
  return reader.bytes(static_cast<std::size_t>(std::max(reader.i32(), 0)));
}

std::int32_t more(std::int32_t number) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(number) + 1);
}

std::string text_of(const NodeRules::Found& found) {
  if (!found) return "not there";
  return fmt::format("czxid 0x{:x}, mzxid 0x{:x}, pzxid 0x{:x}, versions {}/{}/{}, owner 0x{:x}",
                     found->czxid.value, found->mzxid.value, found->pzxid.value, found->version,
                     found->cversion, found->aversion, found->ephemeral_owner);
}

template <class... Arguments>
Judgement breach(const char* invariant, const TxnHeader& header, fmt::format_string<Arguments...> text,
                 Arguments&&... arguments) {
  return Breach{invariant, fmt::format("0x{:x} {}", header.zxid.value,
                                       fmt::format(text, std::forward<Arguments>(arguments)...))};
}

}  // namespace

NodeRules::NodeRules() { nodes_[""].exists = true; }

NodeRules::Entry* NodeRules::existing(std::string_view path) {
  const auto it = nodes_.find(path);
  return it != nodes_.end() && it->second.exists ? &*it : nullptr;
}

NodeRules::Entry* NodeRules::parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? nullptr : existing(path.substr(0, slash));
}

Judgement NodeRules::applies(std::string_view payload) {
  bytes::Reader reader(payload);
  TxnHeader header;
  header.client_id = jute::SessionId(reader.i64());
  header.cxid = reader.i32();
  header.zxid = jute::Zxid(reader.i64());
  header.time = reader.i64();
  header.type = static_cast<OpCode>(reader.i32());
  return applies(header, header.type, payload.substr(kTxnHeaderBytes));
}

Judgement NodeRules::applies(const TxnHeader& header, OpCode type, std::string_view body) {
  bytes::Reader reader(body);
  switch (type) {
    case OpCode::create:
    case OpCode::create2:
      return creates(header, body);
    case OpCode::remove:
      return removes(header, string_of(reader));
    case OpCode::set_data:
      return sets_data(header, body);
    case OpCode::multi:
      return does_all(header, body);
    case OpCode::create_session:
      sessions_.insert(header.client_id.value);
      return {};
    case OpCode::close_session:
      return ends_session(header);
    case OpCode::check:
    case OpCode::error:
      return {};
    default:
      return breach("S7", header, "is of type {}, for which there is no rule here", static_cast<int>(type));
  }
}

Judgement NodeRules::creates(const TxnHeader& header, std::string_view body) {
  bytes::Reader reader(body);
  const std::string_view path = string_of(reader);
  string_of(reader);  // data
  for (std::int32_t left = reader.i32(); left > 0 && reader.ok(); --left) {
    reader.i32();
    string_of(reader);
    string_of(reader);
  }
  const bool ephemeral = reader.boolean();
  const std::int32_t parent_cversion = reader.i32();
  Entry* const parent = parent_of(path);
  if (parent == nullptr) return breach("S7", header, "makes {}, which has no parent", path);
  Entry& made = *nodes_.try_emplace(std::string(path)).first;
  if (made.second.exists) return breach("S7", header, "makes {}, which is there", path);
  jute::StatPersisted& above = parent->second.stat;
  if (above.ephemeral_owner != 0) return breach("S4", header, "makes {} below a session's node", path);
  if (parent_cversion != more(above.cversion))
    return breach("S7", header, "makes {}, cversion {} of its parent becomes {}", path, above.cversion,
                  parent_cversion);
  above.cversion = parent_cversion;
  above.pzxid = header.zxid;
  ++parent->second.children;
  ++count_;
  made.second = {true, 0, {}};
  jute::StatPersisted& stat = made.second.stat;
  stat.czxid = stat.mzxid = stat.pzxid = header.zxid;
  touched_.push_back(parent);
  touched_.push_back(&made);
  if (!ephemeral) return {};
  stat.ephemeral_owner = header.client_id.value;
  owned_[stat.ephemeral_owner].insert(&made);
  if (sessions_.contains(stat.ephemeral_owner)) return {};
  return breach("S4", header, "makes {} of session 0x{:x}, which does not live", path, stat.ephemeral_owner);
}

Judgement NodeRules::removes(const TxnHeader& header, std::string_view path) {
  Entry* const gone = existing(path);
  if (gone == nullptr) return breach("S7", header, "removes {}, which is not there", path);
  if (gone->second.children != 0) return breach("S7", header, "removes {}, which has children", path);
  Entry* const parent = parent_of(path);
  parent->second.stat.pzxid = header.zxid;
  --parent->second.children;
  --count_;
  gone->second.exists = false;
  if (const std::int64_t owner = gone->second.stat.ephemeral_owner; owner != 0) owned_[owner].erase(gone);
  touched_.push_back(parent);
  touched_.push_back(gone);
  return {};
}

Judgement NodeRules::sets_data(const TxnHeader& header, std::string_view body) {
  bytes::Reader reader(body);
  const std::string_view path = string_of(reader);
  string_of(reader);  // data
  const std::int32_t version = reader.i32();
  Entry* const changed = existing(path);
  if (changed == nullptr) return breach("S7", header, "changes {}, which is not there", path);
  jute::StatPersisted& stat = changed->second.stat;
  if (version != more(stat.version))
    return breach("S7", header, "changes {}, version {} becomes {}", path, stat.version, version);
  stat.version = version;
  stat.mzxid = header.zxid;
  touched_.push_back(changed);
  return {};
}

// One that failed has an error among its parts, and does nothing.
Judgement NodeRules::does_all(const TxnHeader& header, std::string_view body) {
  bytes::Reader reader(body);
  std::vector<std::pair<OpCode, std::string_view>> parts;
  bool failed = false;
  for (std::int32_t left = reader.i32(); left > 0 && reader.ok(); --left) {
    const auto type = static_cast<OpCode>(reader.i32());
    parts.emplace_back(type, string_of(reader));
    failed = failed || type == OpCode::error;
  }
  if (failed) return {};
  for (const auto& [type, part] : parts)
    if (auto judgement = applies(header, type, part)) return judgement;
  return {};
}

Judgement NodeRules::ends_session(const TxnHeader& header) {
  sessions_.erase(header.client_id.value);
  const auto it = owned_.find(header.client_id.value);
  if (it == owned_.end()) return {};
  const std::set<Entry*> nodes = std::move(it->second);
  owned_.erase(it);
  for (const Entry* node : nodes)
    if (auto judgement = removes(header, node->first)) return judgement;
  return {};
}

Judgement NodeRules::holds(int server, std::size_t nodes, const Find& find) {
  for (const Entry* entry : std::exchange(touched_, {})) {
    const auto& [path, node] = *entry;
    const Found found = find(path);
    Found expected;
    if (node.exists) expected = node.stat;
    if (expected && found) {  // wall clocks are not judged
      expected->ctime = found->ctime;
      expected->mtime = found->mtime;
    }
    if (expected == found) continue;
    const bool of_session = node.stat.ephemeral_owner != 0 && node.exists != found.has_value();
    return Breach{of_session ? "S4" : "S7", fmt::format("server {} has {} with {}, it should be {}", server,
                                                        path, text_of(found), text_of(expected))};
  }
  if (nodes == count_ + kGivenNodes) return {};
  return Breach{
      "S7", fmt::format("server {} has {} nodes, it should have {}", server, nodes, count_ + kGivenNodes)};
}

}  // namespace tandem::sim
