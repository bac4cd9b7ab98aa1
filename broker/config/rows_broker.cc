#include "broker/config/rows.h"

namespace tandem::broker::config {

using conf::Change;
using conf::setting;

std::vector<conf::Setting> identity_rows() {
  return {
      setting("broker.id", &BrokerConfig::broker_id,
              {.doc = "This broker's number in the cluster; -1 takes one above reserved.broker.max.id from "
                      "the tree.",
               .aliases = {"node.id"}}),
      setting("broker.id.generation.enable", &BrokerConfig::broker_id_generation_enable,
              {.doc = "Whether broker.id=-1 may take a number from the tree."}),
      setting(
          "reserved.broker.max.id", &BrokerConfig::reserved_broker_max_id,
          {.doc = "The largest number that may be given by hand; generated ones start above it.", .min = 0}),
      setting("broker.rack", &BrokerConfig::broker_rack, {.doc = "The rack that this broker registers."}),
      setting("listeners", &BrokerConfig::listeners,
              {.doc = "Where to listen: NAME://host:port, several with commas. Only PLAINTEXT here.",
               .change = Change::live_per_server}),
      setting("advertised.listeners", &BrokerConfig::advertised_listeners,
              {.doc = "What clients and brokers are told to connect to; unset: the listeners.",
               .change = Change::live_per_server}),
      setting("listener.security.protocol.map", &BrokerConfig::listener_security_protocol_map,
              {.doc = "The security protocol of each listener name.", .change = Change::live_per_server}),
      setting("inter.broker.listener.name", &BrokerConfig::inter_broker_listener_name,
              {.doc = "The listener that brokers use among themselves; unset: the one of "
                      "security.inter.broker.protocol."}),
      setting(
          "control.plane.listener.name", &BrokerConfig::control_plane_listener_name,
          {.doc = "The listener by which the controller reaches brokers; unset: the one between brokers."}),
      setting("security.inter.broker.protocol", &BrokerConfig::security_inter_broker_protocol,
              {.doc = "The protocol of the listener that brokers use among themselves.",
               .one_of = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}}),
      setting("inter.broker.protocol.version", &BrokerConfig::inter_broker_protocol_version,
              {.doc = "The newest version that all brokers of the cluster speak."}),
      setting("port", &BrokerConfig::port,
              {.doc = "Before Kafka 3.0: the port, when there are no listeners.", .min = 0, .max = 65535}),
      setting("host.name", &BrokerConfig::host_name,
              {.doc = "Before Kafka 3.0: the address to listen on, when there are no listeners."}),
      setting("advertised.port", &BrokerConfig::advertised_port,
              {.doc = "Before Kafka 3.0: the port that is told.", .min = 0, .max = 65535}),
      setting("advertised.host.name", &BrokerConfig::advertised_host_name,
              {.doc = "Before Kafka 3.0: the host that is told."}),
      setting("tandem.broker.shards", &BrokerConfig::tandem_broker_shards,
              {.doc = "Request threads, each with its connections and partitions; 0: half the cores.",
               .min = 0,
               .max = 256}),
      setting(
          "tandem.network.spin.us", &BrokerConfig::tandem_network_spin_us,
          {.doc = "How long a request thread looks for the next request before it sleeps, in microseconds, "
                  "while single requests come at short intervals; 0: never.",
           .min = 0,
           .max = 1000}),
      setting("tandem.accept.transactions", &BrokerConfig::tandem_accept_transactions,
              {.doc = "Start although the cluster has transactional state, which is not served here yet."}),
  };
}

std::vector<conf::Setting> zookeeper_rows() {
  return {
      setting("zookeeper.connect", &BrokerConfig::zookeeper_connect,
              {.doc = "The coordination servers: host:port with commas, and at the end the path below which "
                      "the cluster keeps its nodes."}),
      setting("zookeeper.session.timeout.ms", &BrokerConfig::zookeeper_session_timeout_ms,
              {.doc = "How long the broker's session outlives its last heartbeat."}),
      setting("zookeeper.connection.timeout.ms", &BrokerConfig::zookeeper_connection_timeout_ms,
              {.doc = "How long to wait for the first connection; unset: the session timeout."}),
  };
}

std::vector<conf::Setting> socket_rows() {
  return {
      setting("socket.send.buffer.bytes", &BrokerConfig::socket_send_buffer_bytes,
              {.doc = "The kernel's send buffer of a connection; -1: the system's choice."}),
      setting(
          "socket.receive.buffer.bytes", &BrokerConfig::socket_receive_buffer_bytes,
          {.doc = "The kernel's receive buffer of a connection; -1 and Kafka's default: the system's choice, "
                  "which grows with the connection, where that default would keep senders waiting."}),
      setting("socket.request.max.bytes", &BrokerConfig::socket_request_max_bytes,
              {.doc = "The largest request; a longer one ends the connection.", .min = 1}),
      setting("socket.listen.backlog.size", &BrokerConfig::socket_listen_backlog_size,
              {.doc = "Connections that may wait to be accepted.", .min = 1}),
      setting("max.connections", &BrokerConfig::max_connections,
              {.doc = "Connections of the broker in all; above it accepting waits.",
               .min = 0,
               .change = Change::live}),
      setting("max.connections.per.ip", &BrokerConfig::max_connections_per_ip,
              {.doc = "Connections from one address; more are closed at once.",
               .min = 0,
               .change = Change::live}),
      setting(
          "max.connections.per.ip.overrides", &BrokerConfig::max_connections_per_ip_overrides,
          {.doc = "Other maxima for single addresses: address:number with commas.", .change = Change::live}),
      setting("connections.max.idle.ms", &BrokerConfig::connections_max_idle_ms,
              {.doc = "A connection without requests is closed after so long."}),
      setting("request.timeout.ms", &BrokerConfig::request_timeout_ms,
              {.doc = "How long the broker waits for answers of other brokers."}),
      setting("message.max.bytes", &BrokerConfig::message_max_bytes,
              {.doc = "The largest batch of records that is taken.", .min = 0, .change = Change::live}),
      setting("fetch.max.bytes", &BrokerConfig::fetch_max_bytes,
              {.doc = "The most that one fetch response holds.", .min = 1024}),
      setting("max.incremental.fetch.session.cache.slots",
              &BrokerConfig::max_incremental_fetch_session_cache_slots,
              {.doc = "Fetch sessions kept.", .min = 0}),
  };
}

std::vector<conf::Setting> topic_rows() {
  return {
      setting("auto.create.topics.enable", &BrokerConfig::auto_create_topics_enable,
              {.doc = "Whether asking for a topic that is not there creates it."}),
      setting("num.partitions", &BrokerConfig::num_partitions,
              {.doc = "Partitions of a topic created without a number.", .min = 1}),
      setting("default.replication.factor", &BrokerConfig::default_replication_factor,
              {.doc = "Replicas of a topic created without a number."}),
      setting("delete.topic.enable", &BrokerConfig::delete_topic_enable,
              {.doc = "Whether topics can be deleted."}),
      setting("min.insync.replicas", &BrokerConfig::min_insync_replicas,
              {.doc = "Replicas that must be in sync for acks=all.", .min = 1, .change = Change::live}),
      setting("unclean.leader.election.enable", &BrokerConfig::unclean_leader_election_enable,
              {.doc = "Whether a replica that is not in sync may become leader when no other is left.",
               .change = Change::live}),
      setting("compression.type", &BrokerConfig::compression_type,
              {.doc = "How batches are stored: as the producer sent them, or with this codec.",
               .one_of = {"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"},
               .change = Change::live}),
      setting("compression.gzip.level", &BrokerConfig::compression_gzip_level,
              {.doc = "Level when the broker compresses with gzip.", .change = Change::live}),
      setting(
          "compression.lz4.level", &BrokerConfig::compression_lz4_level,
          {.doc = "Level when the broker compresses with lz4.", .min = 1, .max = 17, .change = Change::live}),
      setting("compression.zstd.level", &BrokerConfig::compression_zstd_level,
              {.doc = "Level when the broker compresses with zstd.",
               .min = -131072,
               .max = 22,
               .change = Change::live}),
  };
}

}  // namespace tandem::broker::config
