#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/clock.h"
#include "base/random.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/rdkafka_client.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kPerfProducerName = "kafka-producer-perf-test.sh";
constexpr auto kPerfProducerOptions = std::to_array<Option>({
    {"topic", "name", "The topic to produce to."},
    {"num-records", "number", "How many records to send."},
    {"record-size", "bytes", "Size of each record's value."},
    {"payload-file", "file", "Values to choose from at random."},
    {"payload-delimiter", "text", "What separates them: a new line by default."},
    {"throughput", "records/s", "The rate to keep to; -1: as fast as it goes."},
    {"producer-props", "k=v ...", "Properties of the producer."},
    {"producer.config", "file", "Properties of the producer."},
    {"print-metrics", "", "Accepted; there are no metrics to print."},
    kHelp,
});

constexpr std::int64_t kWindowMs = 5000;
constexpr int kPacePollMilliseconds = 10;

// Latencies by whole milliseconds, and the window that is printed every five seconds.
class Statistics {
 public:
  explicit Statistics(base::Instant start) : start_(start), window_start_(start) {}

  void record(std::int64_t latency_ms, std::size_t bytes, base::Instant now) {
    const auto slot =
        std::min<std::size_t>(static_cast<std::size_t>(std::max<std::int64_t>(latency_ms, 0)), kSlots - 1);
    ++histogram_[slot];
    add(total_, latency_ms, bytes);
    add(window_, latency_ms, bytes);
    if (now - window_start_ < base::milliseconds(kWindowMs)) return;
    const double seconds = std::chrono::duration<double>(now - window_start_).count();
    const auto count = static_cast<double>(window_.count);
    fmt::print(
        "{} records sent, {:.1f} records/sec ({:.2f} MB/sec), {:.1f} ms avg latency, {:.1f} ms max "
        "latency.\n",
        window_.count, count / seconds, static_cast<double>(window_.bytes) / kMegabyte / seconds,
        static_cast<double>(window_.latency_sum) / count, static_cast<double>(window_.latency_max));
    std::fflush(stdout);
    window_ = {};
    window_start_ = now;
  }

  void print_total(base::Instant now) const {
    const double seconds = std::max(std::chrono::duration<double>(now - start_).count(), 1e-9);
    const auto count = static_cast<double>(total_.count);
    fmt::print(
        "{} records sent, {:f} records/sec ({:.2f} MB/sec), {:.2f} ms avg latency, {:.2f} ms max latency, {} "
        "ms 50th, "
        "{} ms 95th, {} ms 99th, {} ms 99.9th.\n",
        total_.count, count / seconds, static_cast<double>(total_.bytes) / kMegabyte / seconds,
        total_.count == 0 ? 0.0 : static_cast<double>(total_.latency_sum) / count,
        static_cast<double>(total_.latency_max), percentile(0.5), percentile(0.95), percentile(0.99),
        percentile(0.999));
  }

 private:
  static constexpr std::size_t kSlots = 120'000;
  struct Sums {
    std::int64_t count = 0, bytes = 0, latency_sum = 0, latency_max = 0;
  };
  static void add(Sums& sums, std::int64_t latency_ms, std::size_t bytes) {
    ++sums.count;
    sums.bytes += static_cast<std::int64_t>(bytes);
    sums.latency_sum += latency_ms;
    sums.latency_max = std::max(sums.latency_max, latency_ms);
  }
  std::size_t percentile(double share) const {
    const auto target = static_cast<std::int64_t>(share * static_cast<double>(total_.count));
    std::int64_t seen = 0;
    for (std::size_t slot = 0; slot < kSlots; ++slot)
      if ((seen += histogram_[slot]) > target) return slot;
    return 0;
  }

  base::Instant start_;
  base::Instant window_start_;
  Sums total_, window_;
  std::vector<std::int64_t> histogram_ = std::vector<std::int64_t>(kSlots);
};

struct Run {
  base::SystemClock clock;
  Statistics statistics{clock.now()};
  std::int64_t failed = 0;
};

// The record's send time travels as its opaque pointer's bits.
void on_measured_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  Run& run = *static_cast<Run*>(opaque);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (run.failed++ == 0) fmt::print(stderr, "ERROR {}\n", rd_kafka_err2str(message->err));
    return;
  }
  const base::Instant now = run.clock.now();
  const auto sent = base::Instant(base::Duration(reinterpret_cast<std::intptr_t>(message->_private)));
  run.statistics.record(std::chrono::duration_cast<base::milliseconds>(now - sent).count(), message->len,
                        now);
}

base::Result<std::vector<std::string>> payloads(const Options& options) {
  std::vector<std::string> values;
  if (const auto file = options.get("payload-file")) {
    fmt::print("Reading payloads from: {}\n", *file);
    std::ifstream in(*file);
    for (std::string line; std::getline(in, line);) values.push_back(line);
    if (values.empty())
      return base::make_error(base::Errc::invalid_argument, "File does not exist or empty file provided.");
    fmt::print("Number of messages read: {}\n", values.size());
    return values;
  }
  const auto size = options.number("record-size");
  if (!size) return size.error();
  base::Random random(0);
  std::string value(static_cast<std::size_t>(size->value_or(0)), 'A');
  for (char& c : value) c = static_cast<char>('A' + random.below(26));
  values.push_back(std::move(value));
  return values;
}

base::Status produce(rd_kafka_t* producer, Run& run, const Options& options,
                     const std::vector<std::string>& values) {
  const auto count = options.number("num-records");
  if (!count) return count.error();
  const auto rate = options.number("throughput");
  if (!rate) return rate.error();
  const std::string topic = *options.get("topic");
  base::Random random(0);
  StopSignals signals;
  const base::Instant start = run.clock.now();
  for (std::int64_t i = 0; i < count->value_or(0) && !signals.stopped(); ++i) {
    if (**rate > 0) {
      const base::Instant due = start + std::chrono::nanoseconds(i * 1'000'000'000 / **rate);
      for (base::Instant now = run.clock.now(); now < due; now = run.clock.now())
        rd_kafka_poll(producer,
                      static_cast<int>(std::chrono::duration_cast<base::milliseconds>(due - now).count()));
    }
    const std::string& value = values[values.size() == 1 ? 0 : random.below(values.size())];
    void* sent =
        reinterpret_cast<void*>(static_cast<std::intptr_t>(run.clock.now().time_since_epoch().count()));
    for (;;) {
      const auto error = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                           RD_KAFKA_V_OPAQUE(sent), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return base::make_error(base::Errc::invalid_argument, "{}", rd_kafka_err2str(error));
      rd_kafka_poll(producer, kPacePollMilliseconds);
    }
    rd_kafka_poll(producer, 0);
  }
  rd_kafka_flush(producer, kFlushMilliseconds);
  return {};
}

base::Status run_test(const Options& options) {
  Properties properties;
  if (const auto file = options.get("producer.config")) {
    if (auto added = add_properties_file(properties, *file); !added) return added;
  }
  if (auto added = add_properties(properties, options.all("producer-props")); !added) return added;
  properties.try_emplace("partitioner", "murmur2_random");
  properties.try_emplace("client.id", "perf-producer-client");
  properties.try_emplace("batch.size", "16384");
  properties.try_emplace("linger.ms", "0");
  const auto values = payloads(options);
  if (!values) return values.error();
  Run run;
  auto producer = make_client(RD_KAFKA_PRODUCER, properties, on_measured_delivery, &run);
  if (!producer) return producer.error();
  if (auto done = produce(producer->get(), run, options, *values); !done) return done;
  run.statistics.print_total(run.clock.now());
  if (run.failed > 0)
    return base::make_error(base::Errc::unavailable, "{} records were not acknowledged", run.failed);
  return {};
}

// "--producer-props a=1 b=2" becomes one option for each word.
std::vector<std::string> one_value_each(const std::vector<std::string>& arguments) {
  std::vector<std::string> flat;
  bool in_list = false;
  for (const std::string& word : arguments) {
    if (word.starts_with("--")) in_list = word == "--producer-props";
    if (!in_list) flat.push_back(word);
    if (in_list && !word.starts_with("--")) flat.push_back("--producer-props=" + word);
  }
  return flat;
}

}  // namespace

int producer_perf_test(const Invocation& invocation) {
  const auto options = Options::parse(kPerfProducerOptions, one_value_each(invocation.args));
  if (!options) return wrong_usage(options.error().context, kPerfProducerName, kPerfProducerOptions);
  if (options->has("help"))
    return wrong_usage("This tool is used to verify the producer performance.", kPerfProducerName,
                       kPerfProducerOptions),
           0;
  for (const char* name : {"topic", "num-records", "throughput"})
    if (!options->has(name))
      return wrong_usage(fmt::format("argument --{} is required", name), kPerfProducerName,
                         kPerfProducerOptions);
  if (options->has("record-size") == options->has("payload-file"))
    return wrong_usage("one of the arguments --record-size --payload-file is required", kPerfProducerName,
                       kPerfProducerOptions);
  const auto done = run_test(*options);
  if (done) return 0;
  fmt::print(stderr, "{}\n", done.error().context);
  return 1;
}

}  // namespace tandem::tools::kafka
