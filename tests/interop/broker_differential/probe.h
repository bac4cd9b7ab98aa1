// Probe: asks two brokers the same, compares what they say once it is scrubbed of times, ids and addresses,
// and counts each answer under (API, version, error). Made for Apache Kafka against tandem-broker.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "broker/protocol/errors.h"
#include "broker/protocol/messages/alter_partition_reassignments.h"
#include "broker/protocol/messages/create_topics.h"
#include "broker/protocol/messages/describe_configs.h"
#include "broker/protocol/messages/elect_leaders.h"
#include "broker/protocol/messages/metadata.h"
#include "broker/protocol/messages/update_features.h"
#include "broker/protocol/printer.h"
#include "tools/kafka/connection.h"

namespace tandem::differential {

namespace protocol = broker::protocol;
using tools::kafka::Connection;

constexpr std::int32_t kTimeoutMs = 10'000;  // what the broker may take for a request

// One of the two brokers, with what it has handed out.
struct Side {
  std::string host;
  std::uint16_t port = 0;
  std::optional<Connection> connection;
  std::map<std::string, protocol::Uuid> topic_ids;
  std::string member_id;
  std::int32_t generation = -1;
  std::int64_t broker_epoch = -1;
  std::string log_dir;

  bool open();
};

// Replaces by constants what differs between any two brokers, and collects the error codes.
class Scrubber final : public protocol::Fields {
 public:
  Scrubber(std::int16_t version, std::set<std::int16_t>& errors)
      : Fields(version, true, Mode::reads_values), errors_(errors) {}

 private:
  void value(bool&) override {}
  void value(std::int8_t&) override {}
  void value(std::int16_t& v) override;
  void value(std::int32_t& v) override;
  void value(std::int64_t& v) override;
  void value(double&) override {}
  void value(protocol::Uuid& v) override { v = {}; }
  void value(std::string& v) override;
  void value(std::optional<std::string>& v) override;
  void value(protocol::Bytes&) override {}
  void value(std::optional<protocol::Bytes>&) override {}
  void value(protocol::Records&) override {}
  std::int64_t open_array(std::int64_t size, bool, std::size_t) override { return size; }
  void close_array() override {}
  void open_struct() override {}
  void close_struct() override {}
  bool open_tag(std::uint32_t, bool) override { return true; }
  void close_tag() override {}

  bool named(std::initializer_list<const char*> names) const;
  std::set<std::int16_t>& errors_;
};

// Puts into order what Kafka lists in the order of a hash table.
template <class Response>
void put_in_order(Response&) {}
void put_in_order(protocol::AlterPartitionReassignmentsResponse& response);
void put_in_order(protocol::CreateTopicsResponse& response);
void put_in_order(protocol::DescribeConfigsResponse& response);
void put_in_order(protocol::ElectLeadersResponse& response);
void put_in_order(protocol::MetadataResponse& response);
void put_in_order(protocol::UpdateFeaturesResponse& response);

struct Cell {
  std::int64_t peer = 0;  // answers of Kafka with this error
  std::int64_t ours = 0;
};
using CellKey = std::tuple<std::string, std::int16_t, std::int16_t>;  // API, version, error

class Probe {
 public:
  Probe(Side peer, Side ours) : sides_{std::move(peer), std::move(ours)} {}

  bool open() { return sides_[0].open() && sides_[1].open(); }

  // `make(side)` gives the request; `learn(side, response)` keeps what a later request needs.
  template <class Make, class Learn>
  void ask(std::string_view label, std::int16_t version, Make make, Learn learn) {
    using Request = decltype(make(sides_[0]));
    std::array<std::string, 2> texts;
    std::array<std::set<std::int16_t>, 2> errors;
    for (std::size_t i = 0; i < 2; ++i) {
      Side& side = sides_[i];
      if (!side.connection && !side.open()) {
        texts[i] = "no connection";
        continue;
      }
      const Request request = make(side);
      const auto offered = side.connection->version_for(Request::kApi, version);
      if (!offered || *offered != version) {
        texts[i] = "version not offered";
        continue;
      }
      for (int attempt = 0; attempt < kAttempts; ++attempt) {
        auto response = side.connection->call_at(request, version);
        if (!response) {
          texts[i] = "connection ended or answer unreadable: " + response.error().context;
          side.connection.reset();
          break;
        }
        learn(side, *response);
        errors[i].clear();
        Scrubber scrubber(version, errors[i]);
        scrubber.walk(*response);
        put_in_order(*response);
        texts[i] = protocol::print(*response, version);
        if (!passing(errors[i])) break;
        pause();
      }
    }
    record(protocol::api_of(Request::kApi).name, label, version, texts, errors);
  }

  template <class Request>
  void ask(std::string_view label, std::int16_t version, const Request& request) {
    ask(
        label, version, [&](Side&) { return request; }, [](Side&, const auto&) {});
  }

  // Prints the matrix and the differences; the number of answers that agree comes last.
  int report() const;

 private:
  static constexpr int kAttempts = 50;
  static bool passing(const std::set<std::int16_t>& errors);
  static void pause();
  void record(std::string_view api, std::string_view label, std::int16_t version,
              const std::array<std::string, 2>& texts, const std::array<std::set<std::int16_t>, 2>& errors);

  std::array<Side, 2> sides_;
  std::map<CellKey, Cell> matrix_;
  std::int64_t asked_ = 0;
  std::int64_t equal_ = 0;
  std::vector<std::string> differences_;
};

template <class Request, class Body>
void each_version(Body body) {
  for (std::int16_t version = 0; version <= Request::kVersionMax; ++version) body(version);
}

void ask_cluster(Probe& probe);
void ask_cluster_admin(Probe& probe);
void ask_topics(Probe& probe);
void ask_configs(Probe& probe);
void ask_records(Probe& probe);
void ask_groups(Probe& probe);
void ask_controller_requests(Probe& probe);

}  // namespace tandem::differential
