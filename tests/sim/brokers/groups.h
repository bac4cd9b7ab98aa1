// GroupRules: what must hold of consumer groups (G of docs/simulation.md): told of every commit that a member
// begins, of what members hear, and of the committed records of __consumer_offsets in their order. Each
// attempt to commit has a number, which its metadata bears. Owned by the Checker.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "broker/protocol/errors.h"
#include "broker/zk/names.h"

namespace tandem::sim::brokers {

constexpr std::string_view kOffsetsName = "__consumer_offsets";
constexpr std::int32_t kOffsetsPartitions = 2;

// What a broker was last told of the partition that a group lives in.
struct Office {
  bool here = false;  // it has the replica, in a log that has not failed
  bool leads = false;
  bool settled = false;  // what the log had when it began to lead is committed
  std::int32_t epoch = -1;
  base::Instant since{};  // of these two in this epoch
  bool operator==(const Office&) const = default;
};

class GroupRules {
 public:
  using Partition = broker::zk::TopicPartition;
  using Violate = std::function<void(const std::string& invariant, const std::string& text)>;
  explicit GroupRules(Violate violate) : violate_(std::move(violate)) {}

  // ---- of members ----
  std::uint64_t on_commit(const std::string& group, std::int32_t generation, const Partition& at,
                          std::int64_t offset);
  void on_commit_answered(std::uint64_t attempt, broker::protocol::ErrorCode error);
  // What a fetch that is sent now must see at least.
  std::int64_t acknowledged_up_to(const std::string& group, const Partition& at) const;
  void on_fetched(const std::string& group, const Partition& at, std::int64_t at_least, std::int64_t offset,
                  const std::string& metadata);
  void on_synced(const std::string& group, std::int32_t generation, const std::string& member,
                 const std::vector<Partition>& owned);
  void on_answer(const std::string& group, int broker, broker::protocol::ErrorCode error,
                 const Office& before, const Office& after, base::Instant sent);

  // ---- of the log ----
  void on_record(std::string_view key, std::optional<std::string_view> value);

  std::uint64_t committed() const { return committed_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t generations() const { return generations_; }

 private:
  struct Attempt {
    std::string group;
    std::int32_t generation = -1;
    Partition at;
    std::int64_t offset = -1;
    std::int32_t newest = -1;  // generation that somebody had an assignment of when it was sent
    std::int64_t known = -1;   // the largest offset acknowledged by then
    std::int64_t place = -1;   // among the commits of its group and partition in the log
  };
  struct Place {
    std::int64_t count = 0;          // of commits in the log
    std::int64_t acknowledged = -1;  // the last one that a member heard of
    std::int64_t offset = -1;        // the largest of those
    std::uint64_t newest = 0;        // the attempt begun last of those
  };
  struct State {
    std::int32_t synced = -1;  // the newest generation that somebody has an assignment of
    std::int32_t stored = -1;  // the newest in the log
    std::map<std::int32_t, std::map<Partition, std::string>> owners;
    std::map<Partition, Place> places;
  };
  std::optional<std::uint64_t> attempt_of(const std::string& metadata) const;
  std::string text(const Attempt& attempt) const;

  Violate violate_;
  std::map<std::uint64_t, Attempt> attempts_;
  std::map<std::string, State> groups_;
  std::uint64_t last_attempt_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t generations_ = 0;
};

}  // namespace tandem::sim::brokers
