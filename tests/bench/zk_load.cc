// zk-load: load generator for servers that speak ZooKeeper's client protocol, on loopback only.
//   zk-load fill  --nodes N --size B    creates PREFIX/dDDDD/nNNNNNNN
//   zk-load run   --op get|set|create|exists|children|sync|mix --conns C --depth D --time S --warmup S
//   [--rate R] zk-load null  --port P [--log FILE] the null server (zk_null.h)
// Prints one line of key=value pairs; exit status 3 when the server broke the protocol.
#include <fmt/core.h>

#include <csignal>
#include <thread>

#include "tests/bench/process.h"
#include "tests/bench/zk_loop.h"
#include "tests/bench/zk_null.h"

namespace tandem::bench {

namespace {

std::map<std::string, std::string> defaults() {
  return {{"servers", "127.0.0.1:2181"},
          {"op", "get"},
          {"reads", "90"},
          {"conns", "1"},
          {"depth", "1"},
          {"threads", "1"},
          {"nodes", "1000"},
          {"fanout", "1000"},
          {"size", "100"},
          {"prefix", "/load"},
          {"time", "5"},
          {"warmup", "1"},
          {"flags", "0"},
          {"pid", ""},
          {"port", "21811"},
          {"log", ""},
          {"label", ""},
          {"rate", "0"}};
}

ZkOp read_op(const std::string& op) {
  if (op == "exists") return kZkExists;
  if (op == "children") return kZkGetChildren;
  return op == "sync" ? kZkSync : kZkGetData;
}

void prepare(ZkRun& run, const Options& options, const ZkLayout& layout, const std::string& op) {
  run.depth = static_cast<int>(options.number("depth"));
  run.nodes = static_cast<std::uint64_t>(options.number("nodes"));
  run.fanout = layout.fanout;
  run.value_bytes = static_cast<std::size_t>(options.number("size"));
  run.rate = static_cast<std::uint64_t>(options.number("rate"));
  run.fill = op == "fill";
  run.create = op == "create";
  if (op == "mix") run.read_percent = static_cast<unsigned>(options.number("reads"));
  if (run.fill || run.create || op == "set") run.read_percent = 0;
  const auto flags = static_cast<std::int32_t>(options.number("flags"));
  const std::string run_name =
      run.create ? fmt::format("{:08x}", static_cast<std::uint32_t>(now_ns() >> 16)) : "";
  run.checks_data = read_op(op) == kZkGetData;
  run.read = make_template(read_op(op), layout, run.value_bytes, 0, "");
  run.write = make_template(run.fill || run.create ? kZkCreate : kZkSetData, layout, run.value_bytes, flags,
                            run_name);
  std::vector<std::string> directories = layout.parents();
  if (run.fill) {
    for (std::uint64_t d = 0; d * layout.fanout < run.nodes; ++d) directories.push_back(layout.directory(d));
  } else if (run.create) {
    for (std::uint64_t d = 0; d < run.create_directories; ++d)
      directories.push_back(layout.create_directory(d));
  }
  if (run.fill || run.create) make_directories(split(options.text("servers"), ',')[0], directories);
}

struct Cost {
  ProcessSample before, after;
  double own_cpu_s = 0;
};

int report(const Options& options, const std::string& op, const ZkRun& run,
           const std::vector<std::unique_ptr<ZkWorker>>& workers, double seconds, const Cost& cost) {
  Histogram all;
  std::uint64_t errors = 0;
  std::int32_t first_error = 0;
  for (const auto& worker : workers) {
    all.add(worker->latencies());
    errors += worker->errors();
    if (worker->first_error() != 0) first_error = worker->first_error();
  }
  fmt::print(
      "{}{}op={} size={} conns={} depth={} secs={:.2f} ops={} ops_per_s={:.0f} p50_us={:.0f} p99_us={:.0f} "
      "p999_us={:.0f} max_us={:.0f} errors={} first_error={} client_cpu={:.2f} server_cpu={:.2f} "
      "server_rss_kib={} server_rss_peak_kib={}\n",
      options.text("label"), options.text("label").empty() ? "" : " ", op, run.value_bytes,
      options.number("conns"), run.depth, seconds, all.count(), static_cast<double>(all.count()) / seconds,
      all.quantile_us(.5), all.quantile_us(.99), all.quantile_us(.999), all.max_us(), errors, first_error,
      cost.own_cpu_s / seconds, (cost.after.cpu_s - cost.before.cpu_s) / seconds, cost.after.rss_kib,
      cost.after.rss_peak_kib);
  return errors == 0 ? 0 : 1;
}

int run_load(const Options& options, const std::string& op) {
  const ZkLayout layout{options.text("prefix"), static_cast<std::uint64_t>(options.number("fanout"))};
  const int total = static_cast<int>(options.number("conns"));
  ZkRun run(total);
  prepare(run, options, layout, op);
  std::vector<sockaddr_in> servers;
  for (const auto& server : split(options.text("servers"), ',')) servers.push_back(loopback_address(server));
  const int threads = std::min(static_cast<int>(options.number("threads")), total);
  std::vector<std::unique_ptr<ZkWorker>> workers;
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    workers.push_back(std::make_unique<ZkWorker>(run, static_cast<std::uint64_t>(i + 1) * 7919));
    running.emplace_back([&, i] { workers[static_cast<std::size_t>(i)]->work(servers, i, threads, total); });
  }
  run.connected.wait();
  const std::uint64_t start = now_ns();
  const auto warmup = static_cast<std::uint64_t>((run.fill ? 0 : options.real("warmup")) * 1e9);
  const auto window = static_cast<std::uint64_t>((run.fill ? 3600 : options.real("time")) * 1e9);
  run.until_ns = start + warmup + window;
  run.from_ns = start + warmup;
  run.started.count_down();
  pass_time(start + warmup);
  const auto pid = options.text("pid");
  const ProcessSample before = sample_process(pid);
  const double own_before = own_cpu_s();
  if (!run.fill) pass_time(run.until_ns);
  ProcessSample after = sample_process(pid);
  double own_after = own_cpu_s();
  for (auto& thread : running) thread.join();
  double seconds = static_cast<double>(window) / 1e9;
  if (run.fill) {
    seconds = static_cast<double>(now_ns() - start) / 1e9;
    after = sample_process(pid);
    own_after = own_cpu_s();
  }
  return report(options, op, run, workers, seconds, {before, after, own_after - own_before});
}

int run_verb(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb != "fill" && verb != "run" && verb != "null")
    fail("use: zk-load fill|run|null [--option value]...");
  Options options(defaults());
  options.parse(argc, argv, 2);
  std::signal(SIGPIPE, SIG_IGN);
  if (verb == "null") {
    serve_null(options.text("port"), options.text("log"), static_cast<std::size_t>(options.number("size")),
               options.real("time"));
    return 0;
  }
  return run_load(options, verb == "fill" ? "fill" : options.text("op"));
}

}  // namespace

}  // namespace tandem::bench

int main(int argc, char** argv) { return tandem::bench::run_verb(argc, argv); }
