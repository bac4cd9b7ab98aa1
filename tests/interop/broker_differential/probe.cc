#include "probe.h"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <string_view>

namespace tandem::differential {

namespace {

constexpr std::chrono::milliseconds kTimeout{6'000};
constexpr std::size_t kShownMax = 400;     // of one answer
constexpr std::size_t kShownBefore = 100;  // in front of the first difference

constexpr int kPauseMilliseconds = 100;

template <class Rows>
void sort_by_name(Rows& rows) {
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
}

template <class Rows>
void sort_by_partition(Rows& rows) {
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.partition_index < b.partition_index; });
}

}  // namespace

void put_in_order(protocol::AlterPartitionReassignmentsResponse& response) {
  for (auto& topic : response.responses) sort_by_partition(topic.partitions);
}

void put_in_order(protocol::CreateTopicsResponse& response) {
  for (auto& topic : response.topics)
    if (topic.configs) sort_by_name(*topic.configs);
}

void put_in_order(protocol::DescribeConfigsResponse& response) {
  for (auto& result : response.results) sort_by_name(result.configs);
}

void put_in_order(protocol::ElectLeadersResponse& response) {
  for (auto& topic : response.replica_election_results)
    std::sort(topic.partition_result.begin(), topic.partition_result.end(),
              [](const auto& a, const auto& b) { return a.partition_id < b.partition_id; });
}

void put_in_order(protocol::MetadataResponse& response) {
  for (auto& topic : response.topics) sort_by_partition(topic.partitions);
}

void put_in_order(protocol::UpdateFeaturesResponse& response) {
  std::sort(response.results.begin(), response.results.end(),
            [](const auto& a, const auto& b) { return a.feature < b.feature; });
}

// What passes by itself while a new broker makes its internal topics.
bool Probe::passing(const std::set<std::int16_t>& errors) {
  using protocol::ErrorCode;
  return std::any_of(errors.begin(), errors.end(), [](std::int16_t error) {
    const ErrorCode code{error};
    return code == ErrorCode::coordinator_load_in_progress || code == ErrorCode::coordinator_not_available ||
           code == ErrorCode::leader_not_available || code == ErrorCode::not_coordinator;
  });
}

void Probe::pause() { ::poll(nullptr, 0, kPauseMilliseconds); }

bool Side::open() {
  auto opened = Connection::open(host, port, kTimeout);
  if (!opened) return false;
  connection.emplace(std::move(*opened));
  return true;
}

bool Scrubber::named(std::initializer_list<const char*> names) const {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return name == name_; });
}

void Scrubber::value(std::int16_t& v) {
  if (named({"error_code", "partition_error_code"})) errors_.insert(v);
}

void Scrubber::value(std::int32_t& v) {
  if (named({"port", "throttle_time_ms", "session_id"})) v = 0;
}

void Scrubber::value(std::int64_t& v) {
  if (named({"producer_id", "producer_id_start", "log_append_time_ms", "partition_size", "total_bytes",
             "usable_bytes", "timestamp"}))
    v = std::min<std::int64_t>(v, 0);
}

void Scrubber::value(std::string& v) {
  if (named({"host", "log_dir", "cluster_id"})) v.clear();
  if (named({"member_id", "leader"}) && !v.empty()) v = "<member>";
  if (named({"client_host"})) v = "<host>";
}

void Scrubber::value(std::optional<std::string>& v) {
  if (named({"cluster_id", "host"}) && v) v = "<id>";
}

void Probe::record(std::string_view api, std::string_view label, std::int16_t version,
                   const std::array<std::string, 2>& texts,
                   const std::array<std::set<std::int16_t>, 2>& errors) {
  ++asked_;
  for (const std::int16_t error : errors[0]) ++matrix_[{std::string(api), version, error}].peer;
  for (const std::int16_t error : errors[1]) ++matrix_[{std::string(api), version, error}].ours;
  if (texts[0] == texts[1]) {
    ++equal_;
    return;
  }
  const auto part = std::mismatch(texts[0].begin(), texts[0].end(), texts[1].begin(), texts[1].end()).first;
  const auto equal = static_cast<std::size_t>(part - texts[0].begin());
  const std::size_t from = equal > kShownBefore ? equal - kShownBefore : 0;
  differences_.push_back(fmt::format("{} v{} {}, from character {}:\n  kafka: {}\n  ours:  {}\n", api,
                                     version, label, from, texts[0].substr(from, kShownMax),
                                     texts[1].substr(from, kShownMax)));
}

int Probe::report() const {
  std::set<std::tuple<std::string, std::int16_t>> served;
  std::int64_t agreeing = 0;
  for (const auto& [key, cell] : matrix_) {
    const auto& [api, version, error] = key;
    served.emplace(api, version);
    const auto& info = protocol::error_info(protocol::ErrorCode(error));
    const bool same = cell.peer == cell.ours;
    agreeing += same ? 1 : 0;
    fmt::print("cell {} v{} {} kafka={} ours={}{}\n", api, version, info.name, cell.peer, cell.ours,
               same ? "" : " DIFFERENT");
  }
  for (const std::string& difference : differences_) fmt::print("{}", difference);
  fmt::print("cells {} agreeing {} versions {} asked {} equal {}\n", matrix_.size(), agreeing, served.size(),
             asked_, equal_);
  return 0;
}

}  // namespace tandem::differential
