// kafka-load: load generator for brokers that speak Kafka's protocol, on loopback only.
//   kafka-load create  --topic T --partitions N
//   kafka-load produce --conns C --inflight K --batch B --record R --acks 1    connection i writes partition
//   i mod N kafka-load fetch   --conns C --max-bytes B                                 from the start to the
//   end, over and over kafka-load meta    --conns C --inflight K
// Prints one line of key=value pairs; exit status 3 when the broker broke the protocol or refused a request.
#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "bytes/reader.h"
#include "tests/bench/histogram.h"
#include "tests/bench/kafka_wire.h"
#include "tests/bench/options.h"
#include "tests/bench/patch.h"
#include "tests/bench/process.h"
#include "tests/bench/socket.h"

namespace tandem::bench {

namespace {

std::map<std::string, std::string> defaults() {
  return {{"broker", "127.0.0.1:9092"},
          {"topic", "load"},
          {"partitions", "1"},
          {"conns", "1"},
          {"inflight", "1"},
          {"batch", "65536"},
          {"record", "1024"},
          {"acks", "1"},
          {"time", "5"},
          {"warmup", "1"},
          {"pid", ""},
          {"label", ""},
          {"max-bytes", "1048576"}};
}

enum class Verb { produce, fetch, meta };

class Load {
 public:
  Load(const Options& options, Verb verb)
      : options_(options), verb_(verb), inflight_max_(verb == Verb::fetch ? 1 : options.number("inflight")) {
    batch_ = make_batch(static_cast<std::size_t>(options.number("batch")),
                        static_cast<std::size_t>(options.number("record")));
    for (long i = 0; i < options.number("conns"); ++i) connect(static_cast<std::int32_t>(i));
  }

  void run() {
    const std::uint64_t start = now_ns();
    from_ns_ = start + static_cast<std::uint64_t>(options_.real("warmup") * 1e9);
    until_ns_ = from_ns_ + static_cast<std::uint64_t>(options_.real("time") * 1e9);
    ProcessSample before;
    double own_before = 0;
    bool warm = false;
    epoll_event events[64];
    for (std::uint64_t now = start; now < until_ns_; now = now_ns()) {
      if (!warm && now >= from_ns_) {
        warm = true;
        before = sample_process(options_.text("pid"));
        own_before = own_cpu_s();
      }
      const int count = epoll_wait(epoll_, events, 64, 100);
      for (int i = 0; i < count; ++i) ready(*static_cast<Connection*>(events[i].data.ptr), events[i].events);
      for (auto& connection : connections_) fill(*connection);
    }
    report(before, sample_process(options_.text("pid")), own_cpu_s() - own_before);
  }

 private:
  struct Connection {
    int fd = -1;
    std::int32_t partition = 0;
    std::string frame;     // the request; correlation id and offset are patched in place
    std::size_t sent = 0;  // of the frame under way; 0 when none is
    long inflight = 0;
    std::int32_t next_correlation = 0, acked_correlation = 0;
    std::int64_t offset = 0;
    std::vector<std::uint64_t> sent_ns;
    std::string in;
    std::size_t in_size = 0;
    bool wants_out = false;
  };

  void connect(std::int32_t index) {
    auto connection = std::make_unique<Connection>();
    connection->fd = connect_to(loopback_address(options_.text("broker")));
    if (connection->fd < 0) fail("cannot connect to " + options_.text("broker"));
    connection->partition = index % static_cast<std::int32_t>(options_.number("partitions"));
    const auto& topic = options_.text("topic");
    if (verb_ == Verb::produce) {
      const auto acks = static_cast<std::int16_t>(options_.number("acks"));
      connection->frame = produce_frame(topic, connection->partition, acks, batch_);
    } else if (verb_ == Verb::meta) {
      connection->frame = metadata_frame(topic);
    }
    connection->sent_ns.resize(static_cast<std::size_t>(inflight_max_));
    connection->in.resize(4 << 20);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection.get();
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->fd, &event);
    connections_.push_back(std::move(connection));
  }

  // Starts requests until the allowed number is under way or the socket is full.
  void fill(Connection& connection) {
    bool full = false;
    while (!full && (connection.sent > 0 || connection.inflight < inflight_max_)) {
      if (connection.sent == 0) start_request(connection);
      const ssize_t sent = send(connection.fd, connection.frame.data() + connection.sent,
                                connection.frame.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      full = sent < 0 && errno == EAGAIN;
      if (sent <= 0 && !full) fail("connection lost");
      if (!full) connection.sent += static_cast<std::size_t>(sent);
      if (connection.sent == connection.frame.size()) connection.sent = 0;
    }
    if (connection.wants_out == full) return;
    connection.wants_out = full;
    epoll_event event{};
    event.events = full ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &connection;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }

  void start_request(Connection& connection) {
    if (verb_ == Verb::fetch) {
      const auto max_bytes = static_cast<std::int32_t>(options_.number("max-bytes"));
      connection.frame =
          fetch_frame(options_.text("topic"), connection.partition, connection.offset, max_bytes);
    }
    patch_i32(connection.frame.data() + kCorrelationAt, connection.next_correlation);
    connection.sent_ns[static_cast<std::size_t>(connection.next_correlation % inflight_max_)] = now_ns();
    ++connection.next_correlation;
    ++connection.inflight;
  }

  void ready(Connection& connection, std::uint32_t events) {
    if ((events & ~EPOLLOUT) == 0) return;
    const ssize_t got = recv(connection.fd, connection.in.data() + connection.in_size,
                             connection.in.size() - connection.in_size, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) fail("connection lost");
    if (got > 0) connection.in_size += static_cast<std::size_t>(got);
    std::string_view bytes(connection.in.data(), connection.in_size);
    while (bytes.size() >= 4) {
      const auto size = static_cast<std::size_t>(bytes::Reader(bytes).u32());
      if (size < 4 || size > (256u << 20)) broken(fmt::format("response of {} bytes", size));
      if (bytes.size() < 4 + size) {
        if (connection.in.size() < 4 + size) grow(connection, bytes, 4 + size);
        break;
      }
      take_response(connection, bytes.substr(4, size));
      bytes.remove_prefix(4 + size);
    }
    if (bytes.size() == connection.in_size) return;
    std::memmove(connection.in.data(), bytes.data(), bytes.size());
    connection.in_size = bytes.size();
  }

  static void grow(Connection& connection, std::string_view& bytes, std::size_t size) {
    const auto skipped = static_cast<std::size_t>(bytes.data() - connection.in.data());
    connection.in.resize(std::max(connection.in.size() * 2, skipped + size));
    bytes = std::string_view(connection.in.data() + skipped, bytes.size());
  }

  void take_response(Connection& connection, std::string_view response) {
    const std::int32_t correlation = bytes::Reader(response).i32();
    if (correlation != connection.acked_correlation) broken("responses out of order");
    const std::string_view body = response.substr(4);
    std::int16_t error = 0;
    std::size_t payload = 0;
    if (verb_ == Verb::produce) {
      error = produce_error(body);
      payload = batch_.bytes.size();
    } else if (verb_ == Verb::fetch) {
      const Fetched fetched = parse_fetch(body);
      error = fetched.error;
      payload = fetched.record_bytes;
      const bool at_end = fetched.next_offset < 0 || fetched.next_offset >= fetched.high_watermark;
      connection.offset = at_end ? 0 : fetched.next_offset;
    } else {
      error = metadata_error(body);
    }
    if (error != 0) broken(fmt::format("error {}", error));
    const std::uint64_t now = now_ns();
    if (now >= from_ns_ && now < until_ns_) {
      latencies_.add(now - connection.sent_ns[static_cast<std::size_t>(correlation % inflight_max_)]);
      payload_bytes_ += payload;
    }
    ++connection.acked_correlation;
    --connection.inflight;
  }

  void report(const ProcessSample& before, const ProcessSample& after, double own_cpu) const {
    const double seconds = options_.real("time");
    const double cpu = after.cpu_s - before.cpu_s;
    const double mib = static_cast<double>(payload_bytes_) / (1 << 20);
    fmt::print(
        "{}{}conns={} inflight={} secs={:.2f} requests={} requests_per_s={:.0f} mib_per_s={:.0f} "
        "p50_us={:.0f} "
        "p99_us={:.0f} max_us={:.0f} server_cpu_s_per_gib={:.3f} server_cpu_us_per_request={:.1f} "
        "client_cpu={:.2f} server_rss_kib={}\n",
        options_.text("label"), options_.text("label").empty() ? "" : " ", connections_.size(), inflight_max_,
        seconds, latencies_.count(), static_cast<double>(latencies_.count()) / seconds, mib / seconds,
        latencies_.quantile_us(.5), latencies_.quantile_us(.99), latencies_.max_us(),
        mib > 0 ? cpu / (mib / 1024) : 0,
        latencies_.count() > 0 ? cpu * 1e6 / static_cast<double>(latencies_.count()) : 0, own_cpu / seconds,
        after.rss_kib);
  }

  const Options& options_;
  Verb verb_;
  std::int32_t inflight_max_;
  KafkaBatch batch_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> connections_;
  std::uint64_t from_ns_ = 0, until_ns_ = 0;
  Histogram latencies_;
  std::uint64_t payload_bytes_ = 0;
};

int create_topic(const Options& options) {
  const int fd = connect_to(loopback_address(options.text("broker")));
  const auto partitions = static_cast<std::int32_t>(options.number("partitions"));
  std::string response;
  const bool answered = fd >= 0 && send_all(fd, create_topic_frame(options.text("topic"), partitions)) &&
                        read_frame(fd, response, 4, 1 << 20, now_ns() + 30 * kSecondNs);
  if (!answered) fail("no answer from " + options.text("broker"));
  close(fd);
  const std::int16_t error = create_topic_error(std::string_view(response).substr(4));
  if (error != 0) fail(fmt::format("CreateTopics: error {}", error));
  return 0;
}

int run_verb(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  Options options(defaults());
  options.parse(argc, argv, 2);
  std::signal(SIGPIPE, SIG_IGN);
  if (verb == "create") return create_topic(options);
  if (verb != "produce" && verb != "fetch" && verb != "meta")
    fail("use: kafka-load create|produce|fetch|meta ...");
  Load(options, verb == "produce" ? Verb::produce : verb == "fetch" ? Verb::fetch : Verb::meta).run();
  return 0;
}

}  // namespace

}  // namespace tandem::bench

int main(int argc, char** argv) { return tandem::bench::run_verb(argc, argv); }
