#include "conf/reference.h"
#include "coord/server/config.h"

namespace tandem::coord::server {

using conf::recognised;
using conf::setting;
using conf::Setting;
using conf::State;
using conf::Truth;
using conf::Type;

namespace {

constexpr double kPortMax = 65535;

// A key whose neglect would weaken security: the start is refused when it is switched on.
Setting refused_when_true(std::string_view key, std::string_view property, std::string_view what) {
  return recognised(
      key, Type::boolean, "false",
      {.doc = what, .property = property, .refuse = [](std::string_view value) -> std::optional<std::string> {
         if (value == "true" || value == "TRUE" || value == "True" || value == "yes")
           return "is not here yet, and starting without it would weaken security; remove the key to "
                  "start without it";
         return std::nullopt;
       }});
}

// A valid key of Apache's whose feature is not here.
Setting accepted(std::string_view key, Type type, std::string_view fallback, std::string_view property,
                 std::string_view doc) {
  return recognised(key, type, fallback, {.doc = doc, .property = property, .state = State::accepted});
}

void add_files(std::vector<Setting>& rows) {
  using C = Config;
  rows.push_back(
      setting("dataDir", &C::data_dir,
              {.doc = "Where snapshots are kept, and transaction logs unless dataLogDir says otherwise."}));
  rows.push_back(setting("dataLogDir", &C::data_log_dir,
                         {.doc = "Where transaction logs are kept; dataDir when empty."}));
  rows.push_back(
      setting("preAllocSize", &C::pre_alloc_size_kb,
              {.doc = "KiB that a log file is zeroed ahead at most, in steps of 1 MiB; 0 turns it off.",
               .property = "zookeeper.preAllocSize",
               .min = 0}));
  rows.push_back(setting("snapCount", &C::snap_count,
                         {.doc = "Transactions between snapshots: a random number from half of it up to it.",
                          .property = "zookeeper.snapCount",
                          .min = 2}));
  rows.push_back(setting("snapSizeLimitInKb", &C::snap_size_limit_kb,
                         {.doc = "KiB of log between snapshots, in the same way; 0 or less turns it off.",
                          .property = "zookeeper.snapSizeLimitInKb"}));
  rows.push_back(setting("txnLogSizeLimitInKb", &C::txn_log_size_limit_kb,
                         {.doc = "KiB after which a new log file is begun; 0 or less turns it off.",
                          .property = "zookeeper.txnLogSizeLimitInKb"}));
  rows.push_back(setting("forceSync", &C::force_sync,
                         {.doc = "Whether a write is acknowledged only after fdatasync of its batch.",
                          .property = "zookeeper.forceSync",
                          .truth = Truth::yes_no}));
  rows.push_back(setting("fsync.warningthresholdms", &C::fsync_warning_threshold_ms,
                         {.doc = "A sync of the log that takes longer, in ms, is logged and counted.",
                          .property = "zookeeper.fsync.warningthresholdms",
                          .min = 0}));
  rows.push_back(setting("snapshot.compression.method", &C::snapshot_compression,
                         {.doc = "How snapshots are written; every method is read always.",
                          .property = "zookeeper.snapshot.compression.method",
                          .one_of = {"", "gz", "snappy"}}));
  rows.push_back(setting("snapshot.trust.empty", &C::trust_empty_snapshot,
                         {.doc = "Start from the logs alone when there is no snapshot.",
                          .property = "zookeeper.snapshot.trust.empty"}));
  rows.push_back(setting("digest.enabled", &C::digest_enabled,
                         {.doc = "Keep a digest of the tree in transactions and snapshots and compare it.",
                          .property = "zookeeper.digest.enabled"}));
  rows.push_back(setting("serializeLastProcessedZxid.enabled", &C::serialize_last_processed_zxid,
                         {.doc = "Write the last zxid at the end of snapshots, as 3.9 does.",
                          .property = "zookeeper.serializeLastProcessedZxid.enabled"}));
  rows.push_back(
      setting("datadir.autocreate", &C::datadir_autocreate,
              {.doc = "Make missing data directories.", .property = "zookeeper.datadir.autocreate"}));
  rows.push_back(setting("autopurge.snapRetainCount", &C::autopurge_snap_retain_count,
                         {.doc = "Snapshots that autopurge keeps, at least 3, with the logs they need."}));
  rows.push_back(setting("autopurge.purgeInterval", &C::autopurge_purge_interval_h,
                         {.doc = "Hours between purges; 0 turns them off."}));
  rows.push_back(setting(
      "db.autocreate", &C::db_autocreate,
      {.doc = "Whether a server without a database may vote for another one without. If not, only when "
              "a file `initialize` lies in the log's directory; it is removed.",
       .property = "zookeeper.db.autocreate"}));
}

void add_clients(std::vector<Setting>& rows) {
  using C = Config;
  rows.push_back(
      setting("clientPort", &C::client_port, {.doc = "Port for clients.", .min = 0, .max = kPortMax}));
  rows.push_back(setting("clientPortAddress", &C::client_port_address,
                         {.doc = "Address to listen on; all when empty."}));
  rows.push_back(setting("clientPortListenBacklog", &C::client_port_listen_backlog,
                         {.doc = "Connections the kernel keeps for us to accept; -1 is 50."}));
  rows.push_back(setting("maxClientCnxns", &C::max_client_cnxns,
                         {.doc = "Connections from one address; 0 is no limit.", .min = 0}));
  rows.push_back(setting("maxCnxns", &C::max_cnxns,
                         {.doc = "Connections in total; 0 is no limit.", .property = "zookeeper.maxCnxns"}));
  rows.push_back(setting("jute.maxbuffer", &C::jute_max_buffer,
                         {.doc = "The largest request in bytes; larger ones close the connection.",
                          .property = "jute.maxbuffer",
                          .min = 1}));
  rows.push_back(setting("jute.maxbuffer.extrasize", &C::jute_max_buffer_extra,
                         {.doc = "Bytes by which a transaction may exceed jute.maxbuffer; -1: as much again.",
                          .property = "zookeeper.jute.maxbuffer.extrasize",
                          .min = -1}));
  rows.push_back(setting("nio.sessionlessCnxnTimeout", &C::sessionless_timeout_ms,
                         {.doc = "Ms after which a connection without a session is closed.",
                          .property = "zookeeper.nio.sessionlessCnxnTimeout",
                          .min = 1}));
  rows.push_back(setting("globalOutstandingLimit", &C::global_outstanding_limit,
                         {.doc = "Requests waiting for the log before no more are read.",
                          .property = "zookeeper.globalOutstandingLimit"}));
  rows.push_back(setting(
      "clientTcpKeepAlive", &C::tcp_keep_alive,
      {.doc = "SO_KEEPALIVE on connections of clients.", .property = "zookeeper.clientTcpKeepAlive"}));
  rows.push_back(setting(
      "tandem.spinMicros", &C::spin_us,
      {.doc = "How long a server looks for the next request, packet or synced write before it sleeps, in "
              "microseconds, while single ones come at short intervals; 0: never.",
       .property = "tandem.spinMicros",
       .min = 0,
       .max = 1000}));
  rows.push_back(setting("secureClientPort", &C::secure_client_port,
                         {.doc = "Port for TLS clients: stays shut, with a warning."}));
  rows.push_back(accepted("secureClientPortAddress", Type::string, "", {}, "Address of secureClientPort."));
}

void add_time_and_nodes(std::vector<Setting>& rows) {
  using C = Config;
  rows.push_back(setting("tickTime", &C::tick_time_ms,
                         {.doc = "Ms of one tick, the unit of the other times.", .min = 1}));
  rows.push_back(setting("minSessionTimeout", &C::min_session_timeout_ms, {.doc = "Ms; -1 is two ticks."}));
  rows.push_back(
      setting("maxSessionTimeout", &C::max_session_timeout_ms, {.doc = "Ms; -1 is twenty ticks."}));
  rows.push_back(setting("extendedTypesEnabled", &C::extended_types,
                         {.doc = "Allow nodes with a TTL.", .property = "zookeeper.extendedTypesEnabled"}));
  rows.push_back(setting("znode.container.checkIntervalMs", &C::container_check_interval_ms,
                         {.doc = "Ms between searches for containers and TTL nodes to delete.",
                          .property = "znode.container.checkIntervalMs",
                          .min = 1}));
  rows.push_back(setting("znode.container.maxPerMinute", &C::container_max_per_minute,
                         {.doc = "How many of them are deleted in a minute.",
                          .property = "znode.container.maxPerMinute",
                          .min = 1}));
  rows.push_back(setting("znode.container.maxNeverUsedIntervalMs", &C::container_max_never_used_interval_ms,
                         {.doc = "Ms after which a container that never had a child goes too; 0: never.",
                          .property = "znode.container.maxNeverUsedIntervalMs",
                          .min = 0}));
  rows.push_back(accepted("emulate353TTLNodes", Type::boolean, "false", "zookeeper.emulate353TTLNodes",
                          "TTL nodes as 3.5.3 encoded them."));
  rows.push_back(setting("enforceQuota", &C::enforce_quota,
                         {.doc = "Refuse writes over a hard quota.", .property = "zookeeper.enforceQuota"}));
  rows.push_back(setting("closeSessionTxn.enabled", &C::close_session_txn,
                         {.doc = "List the ephemerals to delete in the transaction that ends a session.",
                          .property = "zookeeper.closeSessionTxn.enabled"}));
}

void add_security(std::vector<Setting>& rows) {
  using C = Config;
  rows.push_back(
      setting("skipACL", &C::skip_acl,
              {.doc = "Anybody may do anything.", .property = "zookeeper.skipACL", .truth = Truth::yes_no}));
  rows.push_back(setting("DigestAuthenticationProvider.enabled", &C::digest_auth_enabled,
                         {.doc = "Whether the digest scheme is there.",
                          .property = "zookeeper.DigestAuthenticationProvider.enabled"}));
  rows.push_back(setting("DigestAuthenticationProvider.digestAlg", &C::digest_auth_alg,
                         {.doc = "The hash of the digest scheme.",
                          .property = "zookeeper.DigestAuthenticationProvider.digestAlg"}));
  rows.push_back(setting("DigestAuthenticationProvider.superDigest", &C::super_digest,
                         {.doc = "super:<base64 of the hash>: who proves it passes every ACL.",
                          .property = "zookeeper.DigestAuthenticationProvider.superDigest",
                          .sensitive = true}));
  rows.push_back(setting(
      "reconfigEnabled", &C::reconfig_enabled,
      {.doc = "Whether reconfig may be asked for. The configuration then has a version from the first "
              "epoch on, as Apache's servers give it."}));
  rows.push_back(refused_when_true("sslQuorum", {}, "TLS between servers: refused when true."));
  rows.push_back(refused_when_true("quorum.auth.enableSasl", {}, "SASL between servers: refused when true."));
  rows.push_back(refused_when_true("enforce.auth.enabled", "zookeeper.enforce.auth.enabled",
                                   "Close sessions without authentication: refused when true."));
  rows.push_back(refused_when_true("sessionRequireClientSASLAuth", "zookeeper.sessionRequireClientSASLAuth",
                                   "Close sessions without SASL: refused when true."));
  rows.push_back(accepted("enforce.auth.schemes", Type::string, "", "zookeeper.enforce.auth.schemes",
                          "Schemes that enforce.auth.enabled asks for."));
  rows.push_back(conf::family("authProvider.*", &C::auth_providers,
                              {.doc = "More authentication providers: named in a warning, not loaded.",
                               .property = "zookeeper.authProvider.*"}));
  struct Row {
    std::string_view key;
    Type type;
    std::string_view fallback;
    std::string_view property;
  };
  static constexpr Row kRows[] = {
      {"allowSaslFailedClients", Type::boolean, "false", "zookeeper.allowSaslFailedClients"},
      {"ensembleAuthName", Type::string, "", "zookeeper.ensembleAuthName"},
      {"superUser", Type::string, "", "zookeeper.superUser"},
      {"letAnySaslUserDoX", Type::string, "", "zookeeper.letAnySaslUserDoX"},
      {"kerberos.removeHostFromPrincipal", Type::boolean, "false",
       "zookeeper.kerberos.removeHostFromPrincipal"},
      {"kerberos.removeRealmFromPrincipal", Type::boolean, "false",
       "zookeeper.kerberos.removeRealmFromPrincipal"},
      {"X509AuthenticationProvider.superUser", Type::string, "",
       "zookeeper.X509AuthenticationProvider.superUser"},
      {"portUnification", Type::boolean, "false", {}},
      {"client.portUnification", Type::boolean, "false", "zookeeper.client.portUnification"},
      {"sslQuorumReloadCertFiles", Type::boolean, "false", {}},
      {"client.certReload", Type::boolean, "false", "zookeeper.client.certReload"},
      {"fips-mode", Type::boolean, "true", "zookeeper.fips-mode"},
      {"quorum.auth.learnerRequireSasl", Type::boolean, "false", {}},
      {"quorum.auth.serverRequireSasl", Type::boolean, "false", {}},
      {"quorum.auth.learner.loginContext", Type::string, "QuorumLearner", {}},
      {"quorum.auth.server.loginContext", Type::string, "QuorumServer", {}},
      {"quorum.auth.kerberos.servicePrincipal", Type::string, "zkquorum/localhost", {}},
  };
  for (const Row& row : kRows)
    rows.push_back(accepted(row.key, row.type, row.fallback, row.property, "Of authentication and TLS."));
  rows.push_back(recognised(
      "ssl.*", Type::string, "",
      {.doc = "Key stores and rules of TLS.", .property = "zookeeper.ssl.*", .state = State::accepted}));
}

void add_members(std::vector<Setting>& rows) {
  using C = Config;
  rows.push_back(conf::family(
      "server.*", &C::servers,
      {.doc = "host:port:port[:role][|...][;client address] of each member; one participant is a server that "
              "stands alone, several are refused."}));
  rows.push_back(
      conf::family("group.*", &C::groups, {.doc = "Numbers of the members of a group, by colons."}));
  rows.push_back(
      conf::family("weight.*", &C::weights, {.doc = "Weight of a member in its group; 0 never leads."}));
  rows.push_back(setting("dynamicConfigFile", &C::dynamic_config_file,
                         {.doc = "A file with the server, group and weight lines."}));
  rows.push_back(setting("standaloneEnabled", &C::standalone_enabled,
                         {.doc = "Whether one participant means a server that stands alone."}));
  rows.push_back(setting("peerType", &C::peer_type,
                         {.doc = "What server.N says of this server; a difference is only warned of.",
                          .one_of = {"participant", "observer"}}));
  rows.push_back(accepted("syncEnabled", Type::boolean, "true", {},
                          "Whether an observer writes log and snapshots; it always does here."));
  rows.push_back(setting("initLimit", &C::init_limit,
                         {.doc = "Ticks in which a member must find its leader and fetch what it lacks."}));
  rows.push_back(
      setting("syncLimit", &C::sync_limit, {.doc = "Ticks that leader and followers may be silent for."}));
  rows.push_back(setting("connectToLearnerMasterLimit", &C::connect_to_learner_master,
                         {.doc = "Ticks in which a leader must be reached; 0: initLimit."}));
  rows.push_back(setting("quorumListenOnAllIPs", &C::quorum_listen_on_all_ips,
                         {.doc = "Listen for other members on all addresses instead of those of server.N."}));
  rows.push_back(setting(
      "multiAddress.enabled", &C::multi_address_enabled,
      {.doc = "Whether members may have several addresses.", .property = "zookeeper.multiAddress.enabled"}));
  rows.push_back(setting("cnxTimeout", &C::cnx_timeout_ms,
                         {.doc = "Ms in which a connection of the election must open.",
                          .property = "zookeeper.cnxTimeout",
                          .min = 1}));
  rows.push_back(setting("electionPortBindRetry", &C::election_port_bind_retry,
                         {.doc = "Tries to listen on the election port, a second apart; 0: for ever.",
                          .property = "zookeeper.electionPortBindRetry",
                          .min = 0}));
  rows.push_back(setting("tcpKeepAlive", &C::election_keep_alive,
                         {.doc = "Whether connections of the election are probed by TCP while they are idle.",
                          .property = "zookeeper.tcpKeepAlive"}));
  rows.push_back(setting("fastleader.minNotificationInterval", &C::notification_interval_min_ms,
                         {.doc = "Ms before a vote is repeated; doubled each time.",
                          .property = "zookeeper.fastleader.minNotificationInterval",
                          .min = 1}));
  rows.push_back(setting("fastleader.maxNotificationInterval", &C::notification_interval_max_ms,
                         {.doc = "Ms between repetitions of a vote at most.",
                          .property = "zookeeper.fastleader.maxNotificationInterval",
                          .min = 1}));
}

void add_roles(std::vector<Setting>& rows) {
  using C = Config;
  rows.push_back(
      setting("tandem.heartbeatTimeout", &C::heartbeat_timeout_ms,
              {.doc = "Ms of silence after which Tandem's servers give up a leader, or a leader its "
                      "quorum; with Apache's, and when it is 0, syncLimit holds.",
               .property = "tandem.heartbeatTimeout",
               .min = 0}));
  rows.push_back(setting("tandem.sync.quorumVerified", &C::sync_quorum_verified,
                         {.doc = "Whether a leader asks a quorum before it answers a sync.",
                          .property = "tandem.sync.quorumVerified"}));
  rows.push_back(
      setting("localSessionsEnabled", &C::local_sessions_enabled,
              {.doc = "Sessions are known only to their server until they make an ephemeral node."}));
  rows.push_back(setting("localSessionsUpgradingEnabled", &C::local_sessions_upgrading_enabled,
                         {.doc = "Whether a local session becomes a global one when it must."}));
  rows.push_back(setting("leaderServes", &C::leader_serves,
                         {.doc = "Whether a leader serves clients.",
                          .property = "zookeeper.leaderServes",
                          .truth = Truth::yes_no}));
  rows.push_back(setting("readonlymode.enabled", &C::read_only_mode,
                         {.doc = "Whether a member that finds no leader serves read-only clients.",
                          .property = "readonlymode.enabled"}));
  rows.push_back(setting("leader.maxTimeToWaitForEpoch", &C::leader_max_time_to_wait_for_epoch_ms,
                         {.doc = "Ms that an elected leader waits for a quorum to connect; -1: initLimit.",
                          .property = "zookeeper.leader.maxTimeToWaitForEpoch"}));
  rows.push_back(setting("leader.maxConcurrentSnapSyncs", &C::leader_max_concurrent_snap_syncs,
                         {.doc = "Observers that are sent a snapshot at the same time.",
                          .property = "zookeeper.leader.maxConcurrentSnapSyncs",
                          .min = 1}));
  rows.push_back(setting("leader.maxConcurrentDiffSyncs", &C::leader_max_concurrent_diff_syncs,
                         {.doc = "Observers that are sent transactions at the same time.",
                          .property = "zookeeper.leader.maxConcurrentDiffSyncs",
                          .min = 1}));
  rows.push_back(setting("commitLogCount", &C::commit_log_count,
                         {.doc = "Transactions kept in memory for members that lag behind.",
                          .property = "zookeeper.commitLogCount",
                          .min = 1}));
  rows.push_back(setting("snapshotSizeFactor", &C::snapshot_size_factor,
                         {.doc = "Log that is read for a member that lags, as a part of a snapshot's size; "
                                 "negative: none.",
                          .property = "zookeeper.snapshotSizeFactor"}));
  rows.push_back(setting("oraclePath", &C::oracle_path,
                         {.doc = "Not used, and a warning says so: of two servers neither goes on without "
                                 "the other, whatever the file says."}));
  rows.push_back(setting("observerMasterPort", &C::observer_master_port,
                         {.doc = "Port on which followers serve observers, and where observers look for "
                                 "one; 0: observers connect to the leader.",
                          .min = 0,
                          .max = kPortMax}));
  rows.push_back(recognised("observerMaster.sizeLimit", Type::int64, "33554432",
                            {.doc = "Not needed: observers are served from what commitLogCount keeps and "
                                    "from the log.",
                             .property = "zookeeper.observerMaster.sizeLimit"}));
  rows.push_back(setting("observer.reconnectDelayMs", &C::observer_reconnect_delay_ms,
                         {.doc = "Ms at most that an observer waits before it connects again.",
                          .property = "zookeeper.observer.reconnectDelayMs",
                          .min = 0}));
  rows.push_back(setting("observer.election.DelayMs", &C::observer_election_delay_ms,
                         {.doc = "Ms at most that an observer waits before it asks who leads.",
                          .property = "zookeeper.observer.election.DelayMs",
                          .min = 0}));
}

void add_ensemble(std::vector<Setting>& rows) {
  add_members(rows);
  add_roles(rows);
  rows.push_back(
      recognised("electionAlg", Type::int32, "3",
                 {.doc = "Always 3.", .refuse = [](std::string_view value) -> std::optional<std::string> {
                    if (value == "3") return std::nullopt;
                    return "only 3 is supported";
                  }}));
  struct Row {
    std::string_view key;
    Type type;
    std::string_view fallback;
    std::string_view property;
  };
  static constexpr Row kRows[] = {
      {"multiAddress.reachabilityCheckEnabled", Type::boolean, "true",
       "zookeeper.multiAddress.reachabilityCheckEnabled"},
      {"multiAddress.reachabilityCheckTimeoutMs", Type::int32, "1000",
       "zookeeper.multiAddress.reachabilityCheckTimeoutMs"},
      {"quorum.cnxn.threads.size", Type::int32, "20", {}},
  };
  // These only matter between servers: a server that stands alone ignores them, as Apache's does.
  for (const Row& row : kRows) {
    rows.push_back(recognised(row.key, row.type, row.fallback,
                              {.doc = "Only matters in an ensemble.", .property = row.property}));
  }
}

void add_operations(std::vector<Setting>& rows) {
  using C = Config;
  rows.push_back(setting("4lw.commands.whitelist", &C::four_letter_whitelist,
                         {.doc = "Four-letter words that are answered; * is all.",
                          .property = "zookeeper.4lw.commands.whitelist"}));
  rows.push_back(
      setting("metricsProvider.className", &C::metrics_provider,
              {.doc = "Words print the form of the default provider; no HTTP endpoint is opened."}));
  struct Row {
    std::string_view key;
    Type type;
    std::string_view fallback;
    std::string_view property;
  };
  static constexpr Row kRows[] = {
      {"admin.enableServer", Type::boolean, "true", "zookeeper.admin.enableServer"},
      {"admin.serverPort", Type::int32, "8080", "zookeeper.admin.serverPort"},
      {"admin.serverAddress", Type::string, "0.0.0.0", "zookeeper.admin.serverAddress"},
      {"admin.commandURL", Type::string, "/commands", "zookeeper.admin.commandURL"},
      {"admin.idleTimeout", Type::int32, "30000", "zookeeper.admin.idleTimeout"},
      {"admin.portUnification", Type::boolean, "false", "zookeeper.admin.portUnification"},
      {"admin.forceHttps", Type::boolean, "false", "zookeeper.admin.forceHttps"},
      {"admin.needClientAuth", Type::boolean, "false", "zookeeper.admin.needClientAuth"},
      {"admin.snapshot.enabled", Type::boolean, "true", "zookeeper.admin.snapshot.enabled"},
      {"admin.restore.enabled", Type::boolean, "true", "zookeeper.admin.restore.enabled"},
      {"admin.rateLimiterIntervalInMS", Type::int32, "300000", "zookeeper.admin.rateLimiterIntervalInMS"},
      {"metricsProvider.*", Type::string, "", {}},
      {"audit.enable", Type::boolean, "false", "zookeeper.audit.enable"},
      {"audit.impl.class", Type::string, "", "zookeeper.audit.impl.class"},
      {"request_throttle_max_requests", Type::int32, "0", "zookeeper.request_throttle_max_requests"},
      {"request_throttle_stall_time", Type::int32, "100", "zookeeper.request_throttle_stall_time"},
      {"request_throttle_drop_stale", Type::boolean, "true", "zookeeper.request_throttle_drop_stale"},
      {"throttledOpWaitTime", Type::int32, "0", "zookeeper.throttled_op_wait_time"},
      {"connectionMaxTokens", Type::int32, "0", "zookeeper.connection_throttle_tokens"},
      {"connectionTokenFillTime", Type::int32, "1", "zookeeper.connection_throttle_fill_time"},
      {"connectionTokenFillCount", Type::int32, "1", "zookeeper.connection_throttle_fill_count"},
      {"connectionFreezeTime", Type::int32, "-1", "zookeeper.connection_throttle_freeze_time"},
      {"largeRequestMaxBytes", Type::int64, "104857600", "zookeeper.largeRequestMaxBytes"},
      {"largeRequestThreshold", Type::int64, "-1", "zookeeper.largeRequestThreshold"},
  };
  for (const Row& row : kRows)
    rows.push_back(accepted(row.key, row.type, row.fallback, row.property, "Of operations."));
  // They size what the Java server needs and this one does not have; nothing is missed.
  static constexpr Row kNotNeeded[] = {
      {"jvm.pause.monitor", Type::boolean, "false", "zookeeper.jvm.pause.monitor"},
      {"jvm.pause.warn-threshold.ms", Type::int32, "10000", {}},
      {"jvm.pause.info-threshold.ms", Type::int32, "1000", {}},
      {"maxResponseCacheSize", Type::int32, "400", "zookeeper.maxResponseCacheSize"},
      {"maxGetChildrenResponseCacheSize", Type::int32, "400", "zookeeper.maxGetChildrenResponseCacheSize"},
      {"maxBatchSize", Type::int32, "1000", "zookeeper.maxBatchSize"},
      {"flushDelay", Type::int32, "0", "zookeeper.flushDelay"},
      {"maxWriteQueuePollTime", Type::int32, "0", "zookeeper.maxWriteQueuePollTime"},
      {"enableEagerACLCheck", Type::boolean, "false", "zookeeper.enableEagerACLCheck"},
      {"nio.numSelectorThreads", Type::int32, "1", "zookeeper.nio.numSelectorThreads"},
      {"nio.numWorkerThreads", Type::int32, "0", "zookeeper.nio.numWorkerThreads"},
      {"nio.directBufferBytes", Type::int32, "65536", "zookeeper.nio.directBufferBytes"},
      {"nio.workerShutdownTimeoutMS", Type::int32, "5000", "zookeeper.nio.workerShutdownTimeoutMS"},
      {"commitProcessor.numWorkerThreads", Type::int32, "0", "zookeeper.commitProcessor.numWorkerThreads"},
      {"commitProcessor.shutdownTimeout", Type::int32, "5000", "zookeeper.commitProcessor.shutdownTimeout"},
      {"watchManagerName", Type::string, "", "zookeeper.watchManagerName"},
      {"serverCnxnFactory", Type::string, "", "zookeeper.serverCnxnFactory"},
      {"netty.*", Type::string, "", "zookeeper.netty.*"},
  };
  for (const Row& row : kNotNeeded) {
    rows.push_back(recognised(
        row.key, row.type, row.fallback,
        {.doc = "Sizes a part of the Java server that is not needed here.", .property = row.property}));
  }
}

std::vector<Setting> rows() {
  std::vector<Setting> rows;
  add_files(rows);
  add_clients(rows);
  add_time_and_nodes(rows);
  add_security(rows);
  add_operations(rows);
  add_ensemble(rows);
  return rows;
}

}  // namespace

const conf::Table<Config>& config_table() {
  static const conf::Table<Config> table(rows());
  return table;
}

std::string describe_config() {
  const conf::Reference reference{
      .title = "Configuration of tandem-coord",
      .introduction =
          "Keys of zoo.cfg, and the Java system property (`-Dname=value` on the command line or in "
          "SERVER_JVMFLAGS) that sets the same. A key that is not listed is taken as the property "
          "`zookeeper.<key>`, as Apache does."};
  return conf::render_reference(reference, config_table());
}

}  // namespace tandem::coord::server
