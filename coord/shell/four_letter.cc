#include "coord/shell/four_letter.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "bytes/reader.h"
#include "coord/shell/process.h"

namespace tandem::coord::shell {

namespace {

// A double as Java prints it: at least one decimal.
std::string java_double(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".eEn") == std::string::npos) text += ".0";
  return text;
}

std::string average(std::int64_t total, std::uint64_t count) {
  if (count == 0) return "0.0";
  const double mean = static_cast<double>(total) / static_cast<double>(count);
  return java_double(static_cast<double>(static_cast<std::int64_t>(mean * 10000 + 0.5)) / 10000);
}

// "/127.0.0.1:4711", "/[0:0:0:0:0:0:0:1]:4711".
std::string shown_address(const pipeline::Link& link) {
  const bool v6 = link.address.find(':') != std::string::npos;
  return v6 ? fmt::format("/[{}]:{}", link.address, link.port)
            : fmt::format("/{}:{}", link.address, link.port);
}

template <class... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

}  // namespace

std::span<const FourLetterWords::Row> FourLetterWords::table() {
  static constexpr std::array kWords{
      Row{"conf", &FourLetterWords::conf},        Row{"cons", &FourLetterWords::cons},
      Row{"crst", &FourLetterWords::crst},        Row{"dirs", &FourLetterWords::dirs},
      Row{"dump", &FourLetterWords::dump},        Row{"envi", &FourLetterWords::envi, false},
      Row{"gtmk", &FourLetterWords::gtmk, false}, Row{"hash", &FourLetterWords::hash},
      Row{"isro", &FourLetterWords::isro, false}, Row{"mntr", &FourLetterWords::mntr},
      Row{"ruok", &FourLetterWords::ruok, false}, Row{"srst", &FourLetterWords::srst},
      Row{"srvr", &FourLetterWords::srvr},        Row{"stat", &FourLetterWords::stat},
      Row{"stmk", &FourLetterWords::stmk, false}, Row{"wchc", &FourLetterWords::wchc},
      Row{"wchp", &FourLetterWords::wchp},        Row{"wchs", &FourLetterWords::wchs},
  };
  return kWords;
}

bool is_four_letter_word(std::string_view word) {
  const auto table = FourLetterWords::table();
  return std::any_of(table.begin(), table.end(), [word](const auto& row) { return row.word == word; });
}

bool FourLetterWords::is_enabled(std::string_view word) const {
  return word == "srvr" ||
         std::any_of(facts_.whitelist.begin(), facts_.whitelist.end(),
                     [word](const std::string& name) { return name == "*" || name == word; });
}

void FourLetterWords::run(std::string_view word, std::string& out) {
  argument_ = word.substr(4);
  word = word.substr(0, 4);
  if (!is_enabled(word)) return put(out, "{} is not executed because it is not in the whitelist.\n", word);
  core_ = serving_();
  for (const Row& row : table()) {
    if (row.word != word) continue;
    if (row.needs_core && core_ == nullptr) {
      out += "This ZooKeeper instance is not currently serving requests\n";
      return;
    }
    (this->*row.run)(out);
  }
}

void FourLetterWords::conf(std::string& out) {
  put(out, "clientPort={}\nsecureClientPort=-1\n", facts_.client_port);
  put(out, "dataDir={}\ndataDirSize={}\n", facts_.data_dir,
      facts_.data_dir_size ? facts_.data_dir_size() : 0);
  put(out, "dataLogDir={}\ndataLogSize={}\n", facts_.data_log_dir,
      facts_.data_log_dir_size ? facts_.data_log_dir_size() : 0);
  put(out, "tickTime={}\nmaxClientCnxns={}\n", facts_.tick_time_ms, facts_.max_client_cnxns);
  put(out, "minSessionTimeout={}\nmaxSessionTimeout={}\n", facts_.min_session_timeout_ms,
      facts_.max_session_timeout_ms);
  put(out, "clientPortListenBacklog={}\nserverId={}\n", facts_.listen_backlog, facts_.server_id);
  if (facts_.ensemble_conf) out += facts_.ensemble_conf();
}

void FourLetterWords::put_link(const pipeline::Link& link, bool brief, std::string& out) const {
  const pipeline::LinkStats& stats = link.stats;
  const std::size_t queued = link.queue.size() + link.writes_waiting();
  put(out, " {}[{}](queued={},recved={},sent={}", shown_address(link), link.choked ? 0 : 1, queued,
      stats.packets_received, stats.packets_sent);
  if (!brief && link.session.value != 0) {
    put(out, ",sid=0x{:x},lop={},est={},to={}", bits(link.session), stats.last_op, stats.established_ms,
        link.timeout_ms);
    if (stats.last_cxid >= 0) put(out, ",lcxid=0x{:x}", stats.last_cxid);
    put(out, ",lzxid=0x{:x},lresp={},llat={},minlat={},avglat={},maxlat={}", bits(stats.last_zxid),
        stats.last_response_ms, stats.last_latency_ms, stats.min_latency_ms,
        stats.replies == 0 ? 0 : stats.total_latency_ms / static_cast<std::int64_t>(stats.replies),
        stats.max_latency_ms);
  }
  out += ')';
}

void FourLetterWords::cons(std::string& out) {
  core_->for_each_link([&](const pipeline::Link& link) {
    put_link(link, false, out);
    out += '\n';
  });
  out += '\n';
}

void FourLetterWords::crst(std::string& out) {
  core_->reset_link_stats();
  out += "Connection stats reset.\n";
}

void FourLetterWords::dirs(std::string& out) {
  put(out, "datadir_size: {}\nlogdir_size: {}\n", facts_.data_dir_size ? facts_.data_dir_size() : 0,
      facts_.data_log_dir_size ? facts_.data_log_dir_size() : 0);
}

// When each session expires, as the one who decides about it knows.
void FourLetterWords::put_sessions(const session::SessionTracker& sessions, std::string& out) const {
  const auto now_ms = std::chrono::duration_cast<base::milliseconds>(clock_.now().time_since_epoch()).count();
  const std::int64_t wall_ms = clock_.wall().ms;
  std::map<std::int64_t, std::vector<std::int64_t>> buckets;
  for (const auto& [id, session] : sessions.all()) buckets[session->expires_ms].push_back(id);
  put(out, "Session Sets ({})/({}):\n", buckets.size(), sessions.size());
  for (auto& [at_ms, ids] : buckets) {
    const auto seconds = static_cast<std::time_t>((wall_ms + at_ms - now_ms) / 1000);
    put(out, "{} expire at {:%a %b %d %H:%M:%S %Z %Y}:\n", ids.size(), fmt::localtime(seconds));
    std::sort(ids.begin(), ids.end());
    for (const std::int64_t id : ids) put(out, "\t0x{:x}\n", static_cast<std::uint64_t>(id));
  }
}

void FourLetterWords::put_global_sessions(std::string& out) const {
  auto sessions = core_->sessions().committed_timeouts();
  std::sort(sessions.begin(), sessions.end());
  put(out, "Global Sessions({}):\n", sessions.size());
  for (const auto& [id, timeout_ms] : sessions)
    put(out, "0x{:x}\t{}ms\n", static_cast<std::uint64_t>(id.value), timeout_ms);
}

void FourLetterWords::dump(std::string& out) {
  out += "SessionTracker dump:\n";
  const bool local = core_->has_local_sessions();
  if (local) {
    out += "Local ";
    put_sessions(core_->local_sessions(), out);
  }
  if (core_->leads()) {
    if (local) out += "Global ";
    put_sessions(core_->sessions(), out);
  } else {
    put_global_sessions(out);
  }
  const auto owners = core_->tree().owners().sessions();
  put(out, "ephemeral nodes dump:\nSessions with Ephemerals ({}):\n", owners.size());
  for (const jute::SessionId id : owners) {
    put(out, "0x{:x}:\n", static_cast<std::uint64_t>(id.value));
    for (const std::string& path : core_->tree().ephemerals(id)) put(out, "\t{}\n", path);
  }
  put(out, "Connections dump:\nConnections Sets (1)/({}):\n", core_->link_count());
  core_->for_each_link([&](const pipeline::Link& link) {
    put(out, "\tip: {} sessionId: 0x{:x}\n", shown_address(link), bits(link.session));
  });
}

void FourLetterWords::envi(std::string& out) {
  put(out, "Environment:\nzookeeper.version={}\n", facts_.version);
  for (const auto& [key, value] : facts_.environment) put(out, "{}={}\n", key, value);
}

void FourLetterWords::gtmk(std::string& out) { put(out, "{}", trace_mask_); }

// The mask is kept and told; there is nothing here that it would trace.
void FourLetterWords::stmk(std::string& out) {
  trace_mask_ = bytes::Reader(argument_).i64();
  put(out, "{}", trace_mask_);
}

void FourLetterWords::hash(std::string& out) {
  if (!core_->tree().options().digest) return;
  put(out, "{:x}: {}\n", core_->tree().last_zxid().value, static_cast<std::int64_t>(core_->tree().digest()));
}

void FourLetterWords::isro(std::string& out) {
  if (core_ == nullptr) {
    out += "null";
  } else {
    out += core_->role() == pipeline::Role::read_only ? "ro" : "rw";
  }
}
void FourLetterWords::ruok(std::string& out) { out += "imok"; }

void FourLetterWords::srst(std::string& out) {
  core_->reset_stats();
  out += "Server stats reset.\n";
}

void FourLetterWords::put_version(std::string& out) const {
  put(out, "Zookeeper version: {}\n", facts_.version);
  if (core_->role() == pipeline::Role::read_only) out += "READ-ONLY mode; serving only read-only clients\n";
}

void FourLetterWords::put_server(std::string& out) const {
  const pipeline::ServerStats& stats = core_->stats();
  put(out, "Latency min/avg/max: {}/{}/{}\n", stats.latency_min_ms,
      average(stats.latency_total_ms, stats.requests), stats.latency_max_ms);
  put(out, "Received: {}\nSent: {}\nConnections: {}\nOutstanding: {}\n", stats.packets_received,
      stats.packets_sent, core_->link_count(), core_->outstanding());
  put(out, "Zxid: 0x{:x}\nMode: {}\nNode count: {}\n", core_->tree().last_zxid().value,
      to_string(core_->role()), core_->tree().node_count());
  if (core_->role() != pipeline::Role::leader) return;
  const pipeline::ProposalSizes& sizes = core_->proposal_sizes();
  put(out, "Proposal sizes last/min/max: {}/{}/{}\n", sizes.last, sizes.min, sizes.max);
}

void FourLetterWords::srvr(std::string& out) {
  put_version(out);
  put_server(out);
}

void FourLetterWords::stat(std::string& out) {
  put_version(out);
  out += "Clients:\n";
  core_->for_each_link([&](const pipeline::Link& link) {
    put_link(link, true, out);
    out += '\n';
  });
  out += '\n';
  put_server(out);
}

void FourLetterWords::mntr(std::string& out) {
  const pipeline::ServerStats& stats = core_->stats();
  const tree::DataTree& tree = core_->tree();
  const DescriptorCount descriptors = descriptor_count();
  const auto uptime = std::chrono::duration_cast<base::milliseconds>(clock_.now() - facts_.started).count();
  const auto line = [&out](std::string_view key, const auto& value) { put(out, "zk_{}\t{}\n", key, value); };
  line("version", facts_.version);
  line("server_state", to_string(core_->role()));
  line("ephemerals_count", tree.owners().ephemerals());
  line("num_alive_connections", core_->link_count());
  line("avg_latency", average(stats.latency_total_ms, stats.requests));
  line("outstanding_requests", core_->outstanding());
  line("znode_count", tree.node_count());
  line("global_sessions", core_->sessions().size());
  line("local_sessions", core_->local_sessions().size());
  line("non_mtls_remote_conn_count", 0);
  line("non_mtls_local_conn_count", 0);
  line("packets_sent", stats.packets_sent);
  line("packets_received", stats.packets_received);
  line("connection_drop_probability", "0.0");
  line("watch_count", core_->watches().size());
  line("auth_failed_count", 0);
  line("min_latency", stats.latency_min_ms);
  line("max_latency", stats.latency_max_ms);
  line("approximate_data_size", tree.approximate_data_size());
  line("open_file_descriptor_count", descriptors.open);
  line("max_file_descriptor_count", descriptors.limit);
  line("uptime", uptime);
  line("outstanding_tls_handshake", 0);
  line("digest_mismatches_count", core_->digest_mismatches());
  if (core_->role() == pipeline::Role::leader) {
    const pipeline::ProposalSizes& sizes = core_->proposal_sizes();
    line("pending_syncs", core_->pending_syncs());
    line("last_proposal_size", sizes.last);
    line("min_proposal_size", sizes.min);
    line("max_proposal_size", sizes.max);
    line("leader_uptime",
         std::chrono::duration_cast<base::milliseconds>(clock_.now() - core_->since()).count());
  }
  if (!facts_.monitor_values) return;
  for (const auto& [key, value] : facts_.monitor_values()) line(key, value);
}

void FourLetterWords::wchs(std::string& out) {
  const auto summary = core_->watches().summary();
  put(out, "{} connections watching {} paths\nTotal watches:{}\n", summary.watchers, summary.paths,
      summary.total);
}

void FourLetterWords::wchc(std::string& out) {
  std::map<std::int64_t, std::vector<std::string>> by_session;
  core_->watches().for_each([&](std::string_view path, tree::WatcherId watcher, std::uint8_t modes) {
    if ((modes & tree::watch::kDataTable) != 0)
      by_session[core_->session_of(watcher).value].emplace_back(path);
  });
  for (const auto& [session, paths] : by_session) {
    put(out, "0x{:x}\n", static_cast<std::uint64_t>(session));
    for (const std::string& path : paths) put(out, "\t{}\n", path);
  }
  out += '\n';
}

void FourLetterWords::wchp(std::string& out) {
  std::map<std::string, std::vector<std::int64_t>> by_path;
  core_->watches().for_each([&](std::string_view path, tree::WatcherId watcher, std::uint8_t modes) {
    if ((modes & tree::watch::kDataTable) != 0)
      by_path[std::string(path)].push_back(core_->session_of(watcher).value);
  });
  for (const auto& [path, sessions] : by_path) {
    put(out, "{}\n", path);
    for (const std::int64_t session : sessions) put(out, "\t0x{:x}\n", static_cast<std::uint64_t>(session));
  }
  out += '\n';
}

}  // namespace tandem::coord::shell
