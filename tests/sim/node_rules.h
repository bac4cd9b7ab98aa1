// What each transaction must do to the nodes that it names (S7: versions, cversion, pzxid and who made and
// changed a node last) and to those of sessions (S4: made while the session lives, gone with it). A second,
// small implementation of a tree's numbers, told of every committed transaction once, in order; its nodes are
// compared with those of the first server that has them applied. All other servers' trees are compared with
// that one's. Knows neither servers nor the simulation; tests/sim/node_rules_test.cc shows it broken
// histories.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coord/records/txn.h"
#include "jute/data.h"
#include "tests/sim/ensemble_histories.h"

namespace tandem::sim {

class NodeRules {
 public:
  using Found = std::optional<jute::StatPersisted>;
  using Find = std::function<Found(const std::string& path)>;

  NodeRules();
  NodeRules(const NodeRules&) = delete;
  NodeRules& operator=(const NodeRules&) = delete;

  Judgement applies(std::string_view payload);
  // A tree that has applied just that: the nodes that were named since the last time, and how many there are.
  Judgement holds(int server, std::size_t nodes, const Find& find);
  // There is no such tree: others will be like that.
  void forget() { touched_.clear(); }

 private:
  struct Node {
    bool exists = false;
    std::uint32_t children = 0;
    jute::StatPersisted stat;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Nodes = std::unordered_map<std::string, Node, Hash, std::equal_to<>>;
  using Entry = Nodes::value_type;

  Judgement applies(const coord::records::TxnHeader& header, jute::OpCode type, std::string_view body);
  Judgement creates(const coord::records::TxnHeader& header, std::string_view body);
  Judgement removes(const coord::records::TxnHeader& header, std::string_view path);
  Judgement sets_data(const coord::records::TxnHeader& header, std::string_view body);
  Judgement does_all(const coord::records::TxnHeader& header, std::string_view body);
  Judgement ends_session(const coord::records::TxnHeader& header);
  Entry* existing(std::string_view path);
  Entry* parent_of(std::string_view path);

  Nodes nodes_;  // those that are gone too
  std::size_t count_ = 1;
  std::set<std::int64_t> sessions_;
  std::map<std::int64_t, std::set<Entry*>> owned_;  // by session
  std::vector<Entry*> touched_;
};

}  // namespace tandem::sim
