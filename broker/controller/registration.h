// CORE: a broker's membership of the cluster. prepare() makes the persistent paths, reads or makes the
// cluster id, draws a broker id when none is configured and refuses a tree that this broker must not join;
// enlist() writes /brokers/ids/N and learns the broker epoch, at the start and again after each new session.
// The server owns it, performs the ZkBatches of take(), hands their results to on_results() and acts on the
// outcome that take() ends with. Source: Kafka 3.9 KafkaServer, KafkaZkClient (registerBroker,
// checkedEphemeralCreate, KAFKA-7165).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "broker/controller/script.h"
#include "broker/zk/brokers.h"
#include "broker/zk/names.h"

namespace tandem::broker::controller {

struct PrepareOptions {
  std::int32_t broker_id = -1;  // configured, or from meta.properties; -1: draw one from /brokers/seqid
  bool id_generation = true;    // broker.id.generation.enable
  std::int32_t reserved_id_max = 1000;
  bool protocol_configured =
      false;  // inter.broker.protocol.version is set: the tree may be of an older cluster
  bool accept_transactions = false;              // start although the tree has __transaction_state
  std::vector<std::string> required_paths = {};  // further persistent paths, such as a chroot's
};

struct Prepared {
  std::int32_t broker_id = -1;
  std::string cluster_id;
};
struct Enlisted {
  std::int64_t broker_epoch = -1;  // czxid of /brokers/ids/N
};
struct Refused {
  std::string reason;  // one sentence for the operator: the broker must not go on
};

class Registration {
 public:
  using Effect = std::variant<ZkBatch, Prepared, Enlisted, Refused>;

  explicit Registration(base::Random random) : random_(random) {}

  void prepare(PrepareOptions options);
  // `session` is the id of the session in which the operations will be performed. `predecessor_gone`: whoever
  // registered this broker from these log directories is dead, as their locks are held here; its node, when
  // it names the same end points, is replaced.
  void enlist(zk::BrokerRegistration broker, std::int64_t session, base::WallTime now,
              bool predecessor_gone = false);
  // A change of the node's content (dynamic listeners) while the registration stands.
  void update(zk::BrokerRegistration broker, base::WallTime now);
  void on_results(std::uint64_t batch, std::vector<zk::ZkResult> results);
  // The session has expired: what was under way is void; enlist() again when there is a new session.
  void on_session_lost();

  std::vector<Effect> take();

 private:
  Task<void> run_prepare(PrepareOptions options);
  Task<bool> make_paths(std::vector<std::string> paths);
  Task<std::optional<std::string>> cluster_id();
  Task<std::optional<std::int32_t>> draw_id(std::int32_t reserved_max);
  Task<bool> tree_is_acceptable(PrepareOptions options);
  Task<void> run_enlist(zk::BrokerRegistration broker, std::int64_t session, base::WallTime now,
                        bool predecessor_gone);
  // Of a node that stands where this broker's is to be made.
  struct Standing {
    std::int64_t owner = 0;
    std::optional<std::int32_t> replace;  // this version of it
    std::optional<std::int64_t> ours;     // its epoch: the reply of an earlier attempt was lost
  };
  Task<std::optional<Standing>> look_at(zk::BrokerRegistration broker, std::int64_t session,
                                        bool predecessor_gone);
  Task<bool> endpoints_are_free(zk::BrokerRegistration broker);
  Task<void> run_update(zk::BrokerRegistration broker, base::WallTime now);
  void refuse(std::string reason);

  base::Random random_;
  ZkPort zk_;
  Task<void> script_;
  std::vector<Effect> effects_;
  std::optional<std::int64_t> own_session_;  // the session of the last registration that stood
};

// A random (version 4) id, as topics and clusters carry it.
zk::TopicId random_id(base::Random& random);

}  // namespace tandem::broker::controller
